package swarm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

func repeat(m peerwire.Message, n int) []peerwire.Message {
	list := make([]peerwire.Message, n)
	for i := range list {
		list[i] = m
	}
	return list
}

func TestRequestsThatCannotBeServed(t *testing.T) {
	for _, tc := range []struct {
		name string
		r    peerwire.Request
	}{
		{"no such piece", peerwire.Request{Index: 4, Length: block}},
		{"the last number there is", peerwire.Request{Index: 1<<32 - 1, Length: block}},
		{"past the piece", peerwire.Request{Index: 0, Begin: 256<<10 - block + 1, Length: block}},
		{"past the last piece", peerwire.Request{Index: 3, Begin: 0, Length: 101}},
		{"wrapping round", peerwire.Request{Index: 0, Begin: 0xffffff00, Length: 0x4000}},
		{"no length", peerwire.Request{Index: 0, Begin: 0, Length: 0}},
		{"too long", peerwire.Request{Index: 0, Begin: 0, Length: 128<<10 + 1}},
		{"longest of all", peerwire.Request{Index: 0, Begin: 0, Length: 1<<32 - 1}},
	} {
		for _, fast := range []bool{true, false} {
			t.Run(tc.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					cfg, content := torrent(3*256<<10+100, 256<<10)
					r := connect(t, start(t, cfg), remoteConfig{fast: fast})
					r.take()
					for range maxStrikes {
						r.send(tc.r)
						if fast {
							require.Equal(t, []peerwire.Message{peerwire.Reject(tc.r)}, r.take())
						} else {
							require.Empty(t, r.take())
						}
					}
					ask := requests(0, 0, 1)
					r.send(ask...)
					require.Equal(t, pieces(cfg, content, ask), r.take(), "a few are forgiven")
					r.send(tc.r)
					require.True(t, r.closed(), "more are not")
				})
			})
		}
	}
}

// What breaks the protocol ends the connection, and nobody else's. "If a peer receives a piece that was never requested, the peer
// MUST close the connection", and so with messages of the fast extension where it is off (BEP 6).
func TestHostileBytes(t *testing.T) {
	frame := func(length uint32, rest ...byte) []byte {
		return append([]byte{byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}, rest...)
	}
	encode := func(m ...peerwire.Message) []byte {
		var b []byte
		for _, m := range m {
			b = peerwire.Append(b, m)
		}
		return b
	}
	garbage := make([]byte, 10_000)
	_, _ = rand.NewChaCha8([32]byte{}).Read(garbage)
	for _, tc := range []struct {
		name   string
		rc     remoteConfig
		bytes  []byte
		closed bool
	}{
		{"garbage", modern, garbage, true},
		{"another handshake", modern, []byte("\x13BitTorrent protocol00000000"), true},
		{"http", modern, []byte("GET / HTTP/1.1\r\n\r\n"), true},
		{"a frame of 4 GiB", modern, frame(1<<32-1, 20, 0), true},
		{"choke with payload", modern, frame(2, 0, 0), true},
		{"request too short", modern, frame(12, append([]byte{6}, make([]byte, 11)...)...), true},
		{"have of no piece", modern, encode(peerwire.Have{Index: 4}), true},
		{"bitfield too long", modern, encode(peerwire.BitfieldMessage{Bits: []byte{0, 0}}), true},
		{"bitfield too short", modern, frame(1, 5), true},
		{"spare bits", modern, encode(peerwire.BitfieldMessage{Bits: []byte{0xcf}}), false},
		{"a piece nobody asked for", modern, encode(peerwire.Piece{Data: []byte("x")}), true},
		{"have all without fast", remoteConfig{}, encode(peerwire.HaveAll{}), true},
		{"have none without fast", remoteConfig{}, encode(peerwire.HaveNone{}), true},
		{"suggest without fast", remoteConfig{}, encode(peerwire.Suggest{}), true},
		{"allowed fast without fast", remoteConfig{}, encode(peerwire.AllowedFast{}), true},
		{"a reject of what nobody asked for", modern, encode(peerwire.Reject{}), true},
		{"unknown id", modern, frame(3, 99, 1, 2), false},
		{"hash request of v2", modern, encode(peerwire.Unknown{ID: 21, Payload: make([]byte, 48)}), false},
		{"unknown extension", modern, encode(peerwire.Extended{ID: 77, Payload: []byte("x")}), false},
		{"extension handshake of garbage", modern, encode(peerwire.Extended{ID: 0, Payload: garbage[:100]}), false},
		{"extension handshake that is no dict", modern, encode(peerwire.Extended{ID: 0, Payload: []byte("i1e")}), false},
		{"metadata request of garbage", modern, encode(peerwire.Extended{ID: 3, Payload: garbage[:100]}), false},
		{"extended frame too long", modern, frame(maxExtended+1, 20, 0), true},
		{"interest and back, for ever", modern,
			bytes.Repeat(encode(peerwire.Interested{}, peerwire.NotInterested{}), 1000), true},
		{"keep-alives for ever", modern, bytes.Repeat(encode(peerwire.KeepAlive{}), 2000), true},
		{"the same have for ever", modern, bytes.Repeat(encode(peerwire.Have{Index: 1}), 2000), true},
		{"cancels of nothing", modern, bytes.Repeat(encode(peerwire.Cancel{Index: 1, Length: block}), 2000), true},
		{"bitfields for ever", modern, bytes.Repeat(encode(peerwire.BitfieldMessage{Bits: []byte{0}}), 2000), true},
		{"unknown ids for ever", modern, bytes.Repeat(frame(1, 99), 2000), true},
		{"a download's messages", modern, encode(peerwire.Choke{}, peerwire.Unchoke{}, peerwire.Port{Port: 1}, peerwire.Suggest{Index: 1},
			peerwire.AllowedFast{Index: 1}, peerwire.KeepAlive{}), false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, content := torrent(1<<20, 256<<10)
				s := start(t, cfg)
				other := connect(t, s, modern)
				other.take()
				r := connect(t, s, tc.rc)
				r.sendBytes(tc.bytes)
				require.Equal(t, tc.closed, r.closed())
				ask := requests(0, 0, 1)
				if !tc.closed {
					r.take()
					r.send(ask...)
					require.Equal(t, pieces(cfg, content, ask), r.take())
				}
				other.send(ask...)
				require.Equal(t, pieces(cfg, content, ask), other.take(), "the others notice nothing")
			})
		})
	}
}

// Bounds are on what comes in a short time: a connection of days sees much.
func TestNoiseIsForgottenInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		r := connect(t, start(t, cfg), modern)
		for range 10 {
			r.send(repeat(peerwire.KeepAlive{}, maxNoise-1)...)
			time.Sleep(sweepTime + quietTick)
		}
		require.False(t, r.closed())
	})
}

// WebTorrent has asked for thousands of blocks too many; a few thousand rejects are better than a stalled peer, but not millions.
func TestRefusalsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		s.Pause()
		r := connect(t, s, modern)
		r.take()
		r.send(repeat(requests(0, 0, 1)[0], maxRefused)...)
		require.Len(t, r.take(), maxRefused)
		require.False(t, r.closed())
		r.send(requests(0, 0, 1)...)
		require.True(t, r.closed())
	})
}

// A request that is queued already, or taken back, leads to nothing but the work of looking for it: it counts like one refused.
func TestRepetitionsAreBounded(t *testing.T) {
	ask := requests(0, 0, 1)[0]
	back := peerwire.Cancel(ask.(peerwire.Request))
	for _, tt := range []struct {
		name     string
		messages []peerwire.Message
	}{
		{"asked for again", repeat(ask, maxRefused+2)},
		{"taken back", slices.Repeat([]peerwire.Message{ask, back}, maxRefused+1)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r, _, _, _ := held(t, nil)
				last := len(tt.messages) - 1
				r.send(tt.messages[:last]...)
				require.False(t, r.closed())
				r.send(tt.messages[last])
				for range 100 { // it was heard slowly, and part of it forgiven
					if r.closed() {
						return
					}
					r.send(tt.messages[:1000]...)
				}
				t.Fatal("it goes on for ever")
			})
		})
	}
}

// What follows in the same read as the reason to hang up is passed over, or it would be counted for ever.
func TestNothingCountsAfterTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		r := connect(t, s, remoteConfig{})
		r.send(peerwire.HaveAll{}, peerwire.Interested{}, peerwire.BitfieldMessage{Bits: []byte{0xf0}}, requests(0, 0, 1)[0])
		require.True(t, r.closed())
		require.Equal(t, Stats{}, s.Stats())
	})
}

func TestHalfAFrameAndNoMore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		r := connect(t, start(t, cfg), modern)
		r.sendBytes([]byte{0, 0, 0, 13, 6, 0})
		time.Sleep(silentTimeout + sweepTime)
		require.True(t, r.closed())
	})
}

// A peer that asks for what is refused and never reads must not fill our memory with answers.
func TestRefusalsNobodyReads(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		s.Pause()
		rc := modern
		rc.deaf = true
		r := connect(t, s, rc)
		r.send(repeat(requests(0, 0, 1)[0], 100_000)...)
		require.Zero(t, s.Stats().Peers)
	})
}

func TestOneClientOneConnection(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		twin := remoteConfig{fast: true, id: "-XX0001-", addr: "198.51.100.1:1000"}
		first := connect(t, s, twin)
		require.True(t, connect(t, s, twin).closed())
		require.False(t, first.closed())

		time.Sleep(staleTimeout)
		elsewhere := twin
		elsewhere.addr = "198.51.100.2:1000"
		require.True(t, connect(t, s, elsewhere).closed(), "nobody ends another's connection by using its id")
		second := connect(t, s, twin)
		require.False(t, second.closed(), "silent for a minute, the first may be dead")
		require.True(t, first.closed())
		require.Equal(t, 1, s.Stats().Peers)
	})
}

func TestRoomForPeers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.MaxPeers = 2
		s := start(t, cfg)
		leech, idle := connect(t, s, modern), connect(t, s, modern)
		leech.send(peerwire.Interested{})
		released := false
		rc := modern
		rc.released = func() { released = true }
		require.True(t, connect(t, s, rc).closed())
		require.True(t, released)

		time.Sleep(staleTimeout)
		require.False(t, connect(t, s, modern).closed())
		require.True(t, idle.closed(), "who has wanted nothing for a minute makes room")
		require.False(t, leech.closed())
	})
}

func TestRunOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		require.ErrorIs(t, s.Run(t.Context()), ErrClosed)
	})
}

// A Swarm that ends takes everything it started with it, whatever that is doing: the bubble fails if not.
func TestRunEndsInTheMiddleOfEverything(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.Limiter = newGate()
		s, stop := startUntil(t, cfg)
		deaf := modern
		deaf.deaf = true
		connect(t, s, deaf)                              // a writer waits for it
		connect(t, s, modern).send(requests(0, 0, 4)...) // a writer waits for the limiter
		connect(t, s, modern).sendBytes([]byte{0, 0})    // a reader waits for the rest
		require.Equal(t, 3, s.Stats().Peers)
		stop()
		require.Zero(t, s.Stats().Peers)
		require.Nil(t, s.Peers())
		s.Pause()
		_, taken := tryConnect(t, s, modern)
		require.False(t, taken)
	})
}

// Requests for next to nothing cost a read and a frame each: some are served, as many as clients make by mistake, not a line full.
func TestRequestsForNextToNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		r := connect(t, start(t, cfg), modern)
		r.take()
		answers := 0
		for i := 0; !r.closed(); i++ {
			require.Less(t, i, maxRefused/shortCost/100+1, "it goes on for ever")
			var ask []peerwire.Message
			for k := range 100 {
				ask = append(ask, peerwire.Request{Index: uint32(i % 4), Begin: uint32(i/4*1000 + 10*k), Length: 1})
			}
			r.send(ask...)
			answers += len(r.take())
		}
		require.LessOrEqual(t, answers, maxRefused/shortCost+100)
		require.GreaterOrEqual(t, answers, 1000)
	})
}

// Who tells of all pieces at once has us look at all of them, be they a hundred thousand.
func TestBitfieldsOfManyPiecesAreBounded(t *testing.T) {
	for _, m := range []peerwire.Message{peerwire.HaveAll{}, peerwire.HaveNone{}, peerwire.BitfieldMessage{Bits: make([]byte, 100_000/8)}} {
		t.Run(fmt.Sprintf("%T", m), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(100_000*1024, 1024)
				cfg.Superseed = &Superseed{}
				cfg.Content = &memory{}
				r := connect(t, start(t, cfg), modern)
				for n := range 100 {
					if r.closed() {
						require.Greater(t, n, 20, "aria2 sends some")
						return
					}
					r.send(m)
				}
				t.Fatal("a hundred in no time")
			})
		})
	}
}

// Nor may it be told a little at a time that a peer is complete, and that it is not: a download looks at all pieces for either.
func TestPiecesLostAndFoundAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(100_000*1024, 1024)
		cfg.Content = &memory{}
		cfg.Download = &Download{Store: &disk{}}
		r := connect(t, start(t, cfg), modern)
		r.send(peerwire.HaveAll{})
		for n := range 300 {
			if r.closed() {
				require.Greater(t, n, 5, "that happens")
				return
			}
			r.send(peerwire.Extended{ID: 1, Payload: extension.DontHave{Index: 3}.AppendTo(nil)}, peerwire.Have{Index: 3})
		}
		t.Fatal("three hundred in no time")
	})
}
