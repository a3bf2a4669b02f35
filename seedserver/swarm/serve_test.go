package swarm

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

func TestServesWhatIsAskedFor(t *testing.T) {
	const pieceLength = 256 << 10
	for _, tc := range []struct {
		name string
		want []peerwire.Message
	}{
		{"one block", requests(0, 0, 1)},
		{"a whole piece", requests(1, 0, 16)},
		{"two pieces in a row", append(requests(0, 0, 16), requests(1, 0, 16)...)},
		{"backwards", []peerwire.Message{requests(0, 2, 1)[0], requests(0, 1, 1)[0], requests(0, 0, 1)[0]}},
		{"from everywhere", append(append(requests(2, 3, 2), requests(0, 7, 3)...), requests(1, 0, 1)...)},
		{"unaligned, short", []peerwire.Message{peerwire.Request{Index: 1, Begin: 5, Length: 100}}},
		{"overlapping", []peerwire.Message{
			peerwire.Request{Index: 1, Begin: 0, Length: 100}, peerwire.Request{Index: 1, Begin: 50, Length: 100},
			peerwire.Request{Index: 1, Begin: 0, Length: 99}}},
		{"one byte", []peerwire.Message{peerwire.Request{Index: 3, Begin: 1, Length: 1}}},
		{"the longest block", []peerwire.Message{peerwire.Request{Index: 0, Begin: 128 << 10, Length: 128 << 10}}},
		{"the last piece", []peerwire.Message{peerwire.Request{Index: 3, Begin: 0, Length: 100}}},
	} {
		for _, rc := range []remoteConfig{modern, {}} {
			t.Run(tc.name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					cfg, content := torrent(3*pieceLength+100, pieceLength)
					r := connect(t, start(t, cfg), rc)
					r.take()
					r.send(tc.want...) // without having said that it is interested: browsers do not
					require.Equal(t, pieces(cfg, content, tc.want), r.take())
				})
			})
		}
	}
}

// What lies side by side is read with one call, however it was asked for.
func TestConsecutiveBlocksAreOneRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 64<<10)
		limiter := newGate()
		cfg.Limiter = limiter
		r := connect(t, start(t, cfg), modern)
		r.take()
		r.send(append(requests(3, 0, 4), requests(4, 0, 4)...)...)
		limiter.tokens <- 1 << 20
		require.Len(t, r.take(), 8)
		require.LessOrEqual(t, content.reads.Load(), int32(8), "who is new is granted little at a time")
		r.send(append(requests(5, 0, 4), requests(6, 0, 4)...)...)
		require.Len(t, r.take(), 8)
		before := content.reads.Load()
		r.send(append(requests(7, 0, 4), requests(8, 0, 4)...)...)
		require.Len(t, r.take(), 8)
		require.LessOrEqual(t, content.reads.Load()-before, int32(2))
	})
}

// ahead is content that notes what it was told of.
type ahead struct {
	Content
	mu   sync.Mutex
	told [][2]int64
}

func (a *ahead) ReadAhead(off, n int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told = append(a.told, [2]int64{off, n})
}

// What the peer waits for is named before it is read: no more than that, and what lies side by side in one piece.
func TestContentIsToldWhatIsReadNext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		told := &ahead{Content: content}
		cfg.Content = told
		r := connect(t, start(t, cfg), modern)
		r.take()
		r.send(append(requests(1, 0, 10), requests(3, 0, 1)...)...)
		require.Len(t, r.take(), 11)
		told.mu.Lock()
		defer told.mu.Unlock()
		const piece = 256 << 10
		require.Equal(t, [2]int64{piece + firstChunk, 10*block - firstChunk}, told.told[0])
		require.Equal(t, [2]int64{3 * piece, block}, told.told[1])
		for _, next := range told.told {
			require.LessOrEqual(t, next[0]+next[1], int64(3*piece+block))
			require.GreaterOrEqual(t, next[0], int64(piece+firstChunk))
		}
	})
}

func TestRequestsWhileChokedAreRejected(t *testing.T) {
	for _, fast := range []bool{true, false} {
		bubble(t, func(t *testing.T) {
			cfg, content := torrent(1<<20, 256<<10)
			cfg.UploadSlots = 1
			s := start(t, cfg)
			first := connect(t, s, modern)
			r := connect(t, s, remoteConfig{fast: fast})
			r.take()
			ask := requests(0, 0, 3)
			r.send(ask...)
			if fast {
				// "If a peer receives a request from a peer its choking, the peer receiving the request SHOULD send a reject" (BEP 6).
				require.Equal(t, rejects(ask), r.take())
			} else {
				require.Empty(t, r.take())
			}
			r.send(peerwire.Interested{})
			first.conn.Close()
			require.Equal(t, []peerwire.Message{peerwire.Unchoke{}}, r.take(), "the slot is free: at once")
			r.send(ask...)
			require.Equal(t, pieces(cfg, content, ask), r.take())
		})
	}
}

func TestSlotsGoRound(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.UploadSlots = 1
		s := start(t, cfg)
		a, b := connect(t, s, modern), connect(t, s, modern)
		a.send(peerwire.Interested{})
		b.send(peerwire.Interested{})
		a.take()
		b.take()
		time.Sleep(2 * time.Minute)
		unchokes := 0
		for _, m := range b.take() {
			if _, ok := m.(peerwire.Unchoke); ok {
				unchokes++
			}
		}
		require.GreaterOrEqual(t, unchokes, 1)
		require.LessOrEqual(t, unchokes, 6)
		require.Contains(t, a.take(), peerwire.Message(peerwire.Choke{}))
		require.Equal(t, 1, s.Stats().Unchoked)
	})
}

func TestControlDoesNotWaitForTheLimiter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		limiter := newGate()
		cfg.Limiter = limiter
		r := connect(t, start(t, cfg), modern)
		r.take()
		ask := requests(0, 0, 3)
		r.send(ask...)
		require.Empty(t, r.take())

		bad := peerwire.Request{Index: 99, Length: block}
		r.send(bad)
		require.Equal(t, []peerwire.Message{peerwire.Reject(bad)}, r.take())

		limiter.tokens <- 3 * block
		require.Equal(t, pieces(cfg, content, ask), r.take())
	})
}

// What was paid for at the limiter and then not sent is not paid for again: or a peer could use up everybody's share by
// asking and cancelling.
func TestCreditOutlivesACancel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		limiter := newGate()
		cfg.Limiter = limiter
		r := connect(t, start(t, cfg), modern)
		r.take()
		ask := requests(0, 0, 2)
		r.send(ask...)
		r.send(peerwire.Cancel(ask[1].(peerwire.Request)))
		require.Equal(t, rejects(ask[1:]), r.take())
		limiter.tokens <- 2 * block
		require.Equal(t, pieces(cfg, content, ask[:1]), r.take())
		r.send(ask[1])
		require.Equal(t, pieces(cfg, content, ask[1:]), r.take(), "with no new token")
	})
}

// TestNobodyWaitsForNothing: who takes back all it asked for, or is gone, is not in the way of others at the limiter.
func TestNobodyWaitsForNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, content := torrent(1<<20, 256<<10)
		limiter := newGate()
		cfg.Limiter = limiter
		s := start(t, cfg)
		a, b, c := connect(t, s, modern), connect(t, s, modern), connect(t, s, modern)
		for _, r := range []*remote{a, b, c} {
			r.take()
		}
		ask := requests(0, 0, 1)
		a.send(ask...)
		a.take()
		b.send(ask...)
		b.take()
		c.send(ask...)
		require.Empty(t, c.take(), "two are in the limiter before it")
		a.send(peerwire.Cancel(ask[0].(peerwire.Request)))
		require.Equal(t, rejects(ask), a.take())
		b.conn.Close()
		synctest.Wait()
		limiter.tokens <- block
		require.Equal(t, pieces(cfg, content, ask), c.take())
		a.send(ask...)
		limiter.tokens <- block
		require.Equal(t, pieces(cfg, content, ask), a.take())
	})
}

func TestStatsAndPeers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		sent := 0
		cfg.Sent = func(c Class, n int) { sent += n }
		s := New(cfg)
		require.Nil(t, s.Peers(), "not running")
		require.Equal(t, Stats{}, s.Stats())
		s = start(t, cfg)
		a := connect(t, s, modern)
		a.shakeHands()
		b := connect(t, s, modern)
		a.send(peerwire.Interested{}, peerwire.Have{Index: 1})
		a.send(requests(0, 0, 10)...)
		b.send(peerwire.HaveAll{})
		time.Sleep(1500 * time.Millisecond)

		st := s.Stats()
		require.Positive(t, st.Rate)
		st.Rate = 0
		require.Equal(t, Stats{Peers: 2, Seeds: 1, Interested: 1, Unchoked: 2, Uploaded: 10 * block}, st)
		require.Equal(t, 10*block, sent)

		list := s.Peers()
		require.Len(t, list, 2)
		require.Positive(t, list[0].Rate)
		require.Equal(t, PeerStat{
			Addr: list[0].Addr, ID: list[0].ID, Rate: list[0].Rate, Connected: list[0].Connected,
			Client: "Fake 1.0", Progress: 0.25, Uploaded: 10 * block, Interested: true,
		}, list[0])
		require.Equal(t, "198.51.100.7:6881", list[0].Addr.String())
		require.Equal(t, "Transmission 4.0.0", list[1].Client)
		require.True(t, list[1].Seed)
		require.InDelta(t, 1, list[1].Progress, 0)

		time.Sleep(time.Minute)
		require.Less(t, s.Stats().Rate, int64(100), "it fades")
	})
}

func TestSentIsToldAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		sent := 0
		cfg.Sent = func(c Class, n int) { sent += n }
		s, stop := startUntil(t, cfg)
		connect(t, s, modern).send(requests(0, 0, 2)...)
		stop()
		require.Equal(t, 2*block, sent)
	})
}
