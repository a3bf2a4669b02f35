package swarm

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// "Keepalives are generally sent once every two minutes" (BEP 3); aria2 takes two in a row for a flood.
func TestKeepAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		r := connect(t, start(t, cfg), modern)
		r.take()
		time.Sleep(85 * time.Second)
		require.Empty(t, r.take())
		time.Sleep(20 * time.Second)
		require.Equal(t, []peerwire.Message{peerwire.KeepAlive{}}, r.take())
		r.send(peerwire.KeepAlive{})
		for range 10 {
			time.Sleep(time.Minute)
			r.send(peerwire.KeepAlive{})
		}
		require.InDelta(t, 6, len(r.take()), 1)
		require.False(t, r.closed())
	})
}

func TestKeepAliveWhileBlocksWaitForTheLimiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r, limiter, cfg, content := held(t, nil)
		ask := requests(0, 0, 1)
		r.send(ask...)
		time.Sleep(105 * time.Second)
		require.Equal(t, []peerwire.Message{peerwire.KeepAlive{}}, r.take())
		limiter.tokens <- block
		require.Equal(t, pieces(cfg, content, ask), r.take())
	})
}

func TestSilentPeerIsClosed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		released := 0
		rc := modern
		rc.released = func() { released++ }
		s := start(t, cfg)
		r := connect(t, s, rc)
		time.Sleep(145 * time.Second)
		require.False(t, r.closed())
		time.Sleep(20 * time.Second)
		require.True(t, r.closed())
		require.Equal(t, 1, released)
		require.Zero(t, s.Stats().Peers)
	})
}

func TestSeedsAreLetGo(t *testing.T) {
	uploadOnly := peerwire.Extended{Payload: extension.Handshake{UploadOnly: true}.AppendTo(nil)}
	var haves []peerwire.Message
	for i := range uint32(4) {
		haves = append(haves, peerwire.Have{Index: i})
	}
	for _, tc := range []struct {
		name string
		send []peerwire.Message
		seed bool
	}{
		{"have all", []peerwire.Message{peerwire.HaveAll{}}, true},
		{"bitfield", []peerwire.Message{peerwire.BitfieldMessage{Bits: []byte{0xf0}}}, true},
		{"the last piece", haves, true},
		{"upload only", []peerwire.Message{uploadOnly}, true},
		{"upload only, yet interested", []peerwire.Message{peerwire.Interested{}, uploadOnly}, false},
		{"leech", []peerwire.Message{peerwire.BitfieldMessage{Bits: []byte{0xe0}}, peerwire.Interested{}}, false},
		{"changed its mind", []peerwire.Message{peerwire.HaveAll{}, peerwire.HaveNone{}}, false},
		{"a bitfield replaces another", []peerwire.Message{peerwire.HaveAll{}, peerwire.BitfieldMessage{Bits: []byte{0x10}}}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(1<<20, 256<<10)
				s := start(t, cfg)
				r := connect(t, s, modern)
				r.send(tc.send...)
				require.False(t, r.closed(), "not at once")
				seeds := 0
				if tc.seed {
					seeds = 1
				}
				require.Equal(t, seeds, s.Stats().Seeds)
				time.Sleep(31 * time.Second)
				require.Equal(t, tc.seed, r.closed())
				require.Zero(t, s.Stats().Seeds)
			})
		})
	}
}

func TestDontHaveTakesAPieceBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		r := connect(t, s, modern)
		h, err := extension.ParseHandshake(r.take()[0].(peerwire.Extended).Payload)
		require.NoError(t, err)
		r.send(peerwire.HaveAll{})
		require.Equal(t, 1, s.Stats().Seeds)
		r.send(peerwire.Extended{ID: h.IDs.ID(extension.DontHaveName), Payload: []byte{0, 0, 0, 1}})
		require.Zero(t, s.Stats().Seeds)
		require.InDelta(t, 0.75, s.Peers()[0].Progress, 0)
	})
}

// A peer that asks and does not read holds a writer and its buffer for a minute, and is gone.
func TestPeerThatDoesNotRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		rc := modern
		rc.deaf = true
		r := connect(t, s, rc)
		r.send(requests(0, 0, 16)...)
		time.Sleep(drainTimeout - time.Second)
		require.Equal(t, 1, s.Stats().Peers)
		time.Sleep(drainSlack + 2*time.Second)
		require.Zero(t, s.Stats().Peers)
		require.Zero(t, s.Stats().Uploaded)
	})
}

func TestAnIdleTorrentSetsNoTimer(t *testing.T) {
	cfg, _ := torrent(1<<20, 256<<10)
	l := newLoop(New(cfg), nil)
	l.arm(time.Now())
	require.Zero(t, l.due)
}
