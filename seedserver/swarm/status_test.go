package swarm

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/piecepicker"
)

// TestSnapshotGoesOn: what left before a restart is known after it.
func TestSnapshotGoesOn(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(40)
		s, stop := startUntil(t, cfg)
		require.Empty(t, s.Snapshot(), "nothing happened yet")
		friends{join(t, s, "203.0.113.1:1", true)}.awaitComplete(t, time.Minute)
		require.NotEmpty(t, s.Snapshot())
		stop()
		state := s.Snapshot()
		require.NotEmpty(t, state, "the last one outlives Run")

		for _, tt := range []struct {
			state  []byte
			unsent int
		}{{state, 0}, {nil, 40}, {[]byte("damaged"), 40}} {
			next, _ := hidden(40)
			next.Superseed.State = tt.state
			s := start(t, next)
			require.Equal(t, tt.state, s.Snapshot(), "as long as nobody comes")
			connect(t, s, remoteConfig{fast: true, addr: "192.0.2.1:1"})
			st, ok := s.Status()
			require.True(t, ok)
			require.Equal(t, tt.unsent, st.Picker.Unsent)
		}
	})
}

func TestWhyOfAPlainSeed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := New(cfg)
		_, ok := s.Status()
		require.False(t, ok, "not running")
		st, ok := start(t, cfg).Status()
		require.True(t, ok)
		require.False(t, st.Revealing)
		require.Len(t, st.Why(), 1)
	})
}

func TestWhy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(400)
		s := start(t, cfg)
		why := func() string {
			st, ok := s.Status()
			require.True(t, ok)
			return strings.Join(st.Why(), "\n")
		}
		require.Equal(t, "Nobody is connected who lacks anything: there is nothing to do.", why())
		all := befriend(t, s, 4)
		time.Sleep(10 * time.Second)
		said := why()
		require.Contains(t, said, "Pieces are needed, and are sent as fast as the limits allow.")
		require.Contains(t, said, "pieces are needed, 0 of them because they do not spread.")
		require.Contains(t, said, "Unsent: pieces ")
		require.Contains(t, said, ":6881 (Leech 1.0), proven, has ")
		require.Contains(t, said, "What is needed may have 256.0 KiB/s")
		all.awaitComplete(t, 2*time.Minute)
		require.Contains(t, why(), "4.00 copies are believed to be with 4 connected peers.")
	})
}

func TestWhyNamesEveryCase(t *testing.T) {
	st := Status{Revealing: true, Mode: piecepicker.Generous, Picker: piecepicker.Status{
		Stage: piecepicker.Holding, Held: 5, Needed: 12, Stalled: 12, Hoarders: 1, Liars: 2, Believed: 1,
		Rates: piecepicker.Rates{Need: piecepicker.Unlimited, Rescue: 500, Assist: 3 << 20},
	}}
	for i := range uint32(12) {
		st.Needed = append(st.Needed, NeededPiece{Index: i, PieceStatus: piecepicker.PieceStatus{Needed: piecepicker.Stalled}})
	}
	st.Peers = []PeerStatus{{PeerStatus: piecepicker.PeerStatus{Trust: piecepicker.Hoarder, Starving: time.Minute, Awaiting: 1, Window: 2}}, {}}
	require.Equal(t, []string{
		"The last 5 pieces are held until the slow peers have nearly all of what is out: so nobody leaves with the whole before the swarm can keep itself.",
		"0.00 copies are believed to be with 1 connected peer. We sent 0.00 copies since the start.",
		"In generous mode the rate of assistance never falls: now it is 3.0 MiB/s. What is needed may have any rate, peers in distress that passed nothing on 500 B/s.",
		"12 pieces are needed, 12 of them because they do not spread.",
		"Stalled: pieces 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more.",
		"1 peer took pieces that nobody got from them: they are served last, and do not count as holders.",
		"2 peers claim what they cannot have, or sent wrong bytes: they do not count.",
		"invalid AddrPort, hoarder, has 1 piece to pass on, of 2 it may have, got nothing from the swarm for 1m0s.",
	}, st.Why())
	for stage, want := range map[piecepicker.Stage]string{
		piecepicker.Sleeping: "Several verified copies are out", piecepicker.Assisting: "Everything is out.",
	} {
		st.Picker.Stage = stage
		require.Contains(t, st.Why()[0], want)
	}
}

// TestPauseOfAMasquerade: who was unchoked is choked at once, unchoked again later, and gets its pieces.
func TestPauseOfAMasquerade(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(160)
		s := start(t, cfg)
		all := befriend(t, s, 4)
		time.Sleep(3 * time.Second)
		s.Pause()
		time.Sleep(time.Second)
		before := all.sent()
		time.Sleep(5 * time.Second)
		require.Equal(t, before, all.sent(), "nothing is sent")
		require.Zero(t, s.Stats().Unchoked)
		s.Resume()
		all.awaitComplete(t, time.Minute)
		time.Sleep(10 * time.Second) // what they got elsewhere meanwhile is answered, too
		for _, f := range all {
			f.requireRight()
		}
	})
}
