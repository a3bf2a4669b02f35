package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// stream is a client that listens: a ResponseWriter that keeps what it gets. While it is stuck its writes wait.
type stream struct {
	header http.Header
	cancel context.CancelFunc
	ended  chan struct{}

	mu    sync.Mutex
	got   bytes.Buffer
	code  int
	stuck chan struct{}
}

func (s *stream) Header() http.Header  { return s.header }
func (s *stream) WriteHeader(code int) { s.code = code }
func (s *stream) Flush()               {}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	stuck := s.stuck
	s.mu.Unlock()
	if stuck != nil {
		<-stuck
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.Write(p)
}

// take returns what came since the last call, without the greeting and comments.
func (s *stream) take() (parts [][2]string) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for line := range strings.Lines(s.got.String()) {
		if data, ok := strings.CutPrefix(line, "data: "); ok {
			var some [][2]string
			if err := json.Unmarshal([]byte(data), &some); err != nil {
				panic(err)
			}
			parts = append(parts, some...)
		}
	}
	s.got.Reset()
	return parts
}

// listen connects a client.
func listen(h http.Handler, path string) *stream {
	ctx, cancel := context.WithCancel(context.Background())
	s := &stream{header: http.Header{}, cancel: cancel, ended: make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil)
	r.Host = "localhost"
	go func() {
		defer close(s.ended)
		h.ServeHTTP(s, r)
	}()
	synctest.Wait()
	return s
}

func (s *stream) leave() {
	s.cancel()
	<-s.ended
}

// running runs h in a bubble until the test ends, and checks that Run waits for nothing then.
func running(t *testing.T, m *memory, change func(*Config)) (h *Handler, stop func()) {
	h = newHandler(t, m, change)
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	time.Sleep(tickEvery / 2) // the test does what it does between ticks
	errStop := errors.New("stop")
	return h, func() {
		cancel(errStop)
		require.ErrorIs(t, <-done, errStop)
	}
}

func idsOf(parts [][2]string) (ids []string) {
	for _, p := range parts {
		ids = append(ids, p[0])
	}
	return ids
}

// TestLive: who listens is told once a second what changed, and nothing else; a page asked for at any moment shows what those who
// listen have been told.
func TestLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h, stop := running(t, m, nil)
		a, b := listen(h, "/events"), listen(h, "/events")
		require.Equal(t, "text/event-stream", a.header.Get("Content-Type"))
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		time.Sleep(5 * time.Second)
		require.Empty(t, a.take(), "nothing changes")

		m.change(func() { m.status.Torrents[1].Rate, m.status.Rate = 7<<20, 7<<20 })
		time.Sleep(tickEvery)
		parts := a.take()
		require.Equal(t, []string{"tiles", rowID(hash(1))}, idsOf(parts))
		require.Contains(t, parts[0][1], "7.0 MiB/s")
		require.Contains(t, parts[1][1], "7.0 MiB/s")
		require.Equal(t, parts, b.take(), "everybody is told the same")
		page := get(h, "/").Body.String()
		for _, p := range parts {
			require.Contains(t, page, p[1])
		}

		m.change(func() { m.status.Rate = 8 << 20 })
		require.NotContains(t, get(h, "/").Body.String(), "8.0 MiB/s", "or those who listen would not be told of it")
		time.Sleep(tickEvery)
		require.Equal(t, []string{"tiles"}, idsOf(a.take()))
		require.Contains(t, get(h, "/").Body.String(), "8.0 MiB/s")

		a.leave()
		b.leave()
		require.Empty(t, h.hub.pages)
		stop()
	})
}

// TestLiveSums: what comes from the disk is asked for every two seconds, however many listen, and not at all while nobody does.
func TestLiveSums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h, stop := running(t, m, nil)
		time.Sleep(time.Minute)
		require.Zero(t, m.questions())
		listeners := []*stream{listen(h, "/events"), listen(h, "/events"), listen(h, "/torrent/"+hash(1).String()+"/events")}
		time.Sleep(10 * time.Second)
		require.InDelta(t, 5, m.questions(), 1)
		m.change(func() {
			m.sums.Entries = map[int64]Sum{1: {Today: 77 << 20}, 2: m.sums.Entries[2]}
		})
		time.Sleep(sumsEvery)
		require.Equal(t, []string{rowID(hash(1))}, idsOf(listeners[1].take()))
		require.Contains(t, fmt.Sprint(listeners[2].take()), "77 MiB")
		for _, l := range listeners {
			l.leave()
		}
		stop()
	})
}

// TestLiveComesAndGoes: when torrents come or go the page is asked for again.
func TestLiveComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h, stop := running(t, m, nil)
		status, torrent := listen(h, "/events"), listen(h, "/torrent/"+hash(2).String()+"/events")
		time.Sleep(2 * tickEvery)
		m.change(func() {
			m.status.Torrents = m.status.Torrents[:2]
			delete(m.details, hash(2))
		})
		time.Sleep(tickEvery)
		require.Equal(t, [][2]string{{"", ""}}, status.take())
		require.Equal(t, [][2]string{{"", ""}}, torrent.take())
		m.change(func() { m.status.Torrents[1].InfoHash = hash(7) })
		time.Sleep(tickEvery)
		require.Equal(t, [][2]string{{"", ""}}, status.take(), "one for another")
		status.leave()
		torrent.leave()
		stop()
	})
}

// TestLiveTorrent: the page of a torrent is told what changes in it.
func TestLiveTorrent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		busy := m.details[hash(1)]
		for i := range busy.Connections {
			busy.Connections[i].Connected = time.Now().Add(-3 * time.Hour)
		}
		h, stop := running(t, m, nil)
		l := listen(h, "/torrent/"+hash(1).String()+"/events")
		time.Sleep(2 * tickEvery)
		require.Empty(t, l.take())
		m.change(func() {
			d := busy
			d.Availability = []uint32{1, 1, 1, 2, 2, 12}
			d.Why = []string{"Something else."}
			m.details[hash(1)] = d
		})
		time.Sleep(tickEvery)
		require.Equal(t, []string{"why", "map"}, idsOf(l.take()))
		l.leave()
		stop()
	})
}

// TestSlowListener: who does not read is let go, and holds up nobody.
func TestSlowListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		h, stop := running(t, m, nil)
		slow, quick := listen(h, "/events"), listen(h, "/events")
		time.Sleep(tickEvery)
		quick.take()
		slow.mu.Lock()
		slow.stuck = make(chan struct{})
		slow.mu.Unlock()
		for i := range backlog + 3 {
			m.change(func() { m.status.Rate++; m.status.Peers = 100 + i })
			time.Sleep(tickEvery)
			require.Equal(t, []string{"tiles"}, idsOf(quick.take()))
		}
		require.Equal(t, 1, h.hub.size())
		close(slow.stuck)
		<-slow.ended // and asks for the whole page when it comes again
		quick.leave()
		stop()
	})
}

// TestTooManyListeners: their number is bounded.
func TestTooManyListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := running(t, newMemory(), func(c *Config) { c.MaxListeners = 2 })
		a, b := listen(h, "/events"), listen(h, "/torrent/"+hash(1).String()+"/events")
		w := get(h, "/events")
		require.Equal(t, http.StatusServiceUnavailable, w.Code)
		require.NotEmpty(t, w.Header().Get("Retry-After"))
		a.leave()
		c := listen(h, "/events")
		require.Equal(t, http.StatusOK, c.code)
		b.leave()
		c.leave()
		stop()
	})
}

// TestListenersEnd: Run ends those who listen, and nobody can listen after it.
func TestListenersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := running(t, newMemory(), nil)
		a, b := listen(h, "/events"), listen(h, "/torrent/"+hash(1).String()+"/events")
		stop()
		<-a.ended
		<-b.ended
		require.Equal(t, http.StatusServiceUnavailable, get(h, "/events").Code)
	})
}

// TestQuietConnections: a comment shows now and then whether a client is still there.
func TestQuietConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, stop := running(t, newMemory(), nil)
		l := listen(h, "/events")
		time.Sleep(time.Minute)
		synctest.Wait()
		l.mu.Lock()
		comments := strings.Count(l.got.String(), ":\n\n")
		l.mu.Unlock()
		require.InDelta(t, time.Minute/quiet, comments, 1)
		l.leave()
		stop()
	})
}

// TestHistoryWithoutListeners: the last hour is kept while nobody looks.
func TestHistoryWithoutListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.change(func() { m.clock, m.status.Sent, m.status.Torrents[1].Sent = true, 0, 0 })
		h, stop := running(t, m, nil)
		for range 120 {
			time.Sleep(time.Second)
			m.change(func() {
				m.status.Sent += 3000
				m.status.Torrents[1].Sent += 1000
			})
		}
		for hash, want := range map[metainfo.InfoHash]int64{{}: 3000, hash(1): 1000, hash(2): 0} {
			points := h.history.points(time.Now(), hash)
			require.Len(t, points, samples)
			for _, p := range points[samples-10:] {
				require.InDelta(t, want, p, float64(want)/9)
			}
			require.Zero(t, points[0])
		}
		stop()
	})
}

// BenchmarkTick is what a second costs while pages are open: of 10,000 torrents, 50 change.
func BenchmarkTick(b *testing.B) {
	for _, listeners := range []int{0, 1, 100} {
		b.Run(fmt.Sprintf("torrents=10k/listeners=%d", listeners), func(b *testing.B) {
			m := newMemory()
			m.status.Torrents = nil
			m.sums.Entries = map[int64]Sum{}
			for i := range 10_000 {
				h := metainfo.InfoHash{byte(i), byte(i >> 8)}
				m.status.Torrents = append(m.status.Torrents, Torrent{InfoHash: h, Path: fmt.Sprintf("directory/file %05d.iso", i), Size: 1 << 30, Entry: int64(i), Stage: "waiting"})
				m.sums.Entries[int64(i)] = Sum{Total: int64(i)}
			}
			h := newHandler(b, m, nil)
			var all []*listener
			for range listeners {
				l, ok := h.hub.join(metainfo.InfoHash{})
				require.True(b, ok)
				all = append(all, l)
			}
			h.tellAll(b.Context(), then)
			now := then
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(tickEvery)
				for i := range 50 {
					m.status.Torrents[i*100].Rate += int64(i + 1)
				}
				h.tellAll(b.Context(), now)
				for _, l := range all {
					<-l.news
				}
			}
		})
	}
}

// laggard is a Source whose sums take their time.
type laggard struct {
	Source
	takes time.Duration
	asked int
}

func (l *laggard) Sums(context.Context) (Sums, error) {
	time.Sleep(l.takes)
	l.asked++
	return Sums{}, nil
}

// TestOneLateSumDoesNotStopThePages: sums that were held up once are asked for again soon, slow ones seldom.
func TestOneLateSumDoesNotStopThePages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &laggard{}
		sums := sumsOf{source: source}
		askedIn := func(d time.Duration) int {
			was := source.asked
			for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(time.Second) {
				_, err := sums.lately(t.Context(), time.Now())
				require.NoError(t, err)
			}
			return source.asked - was
		}
		require.Greater(t, askedIn(10*time.Second), 3)
		source.takes = time.Second
		require.Equal(t, 1, askedIn(time.Second))
		source.takes = 0
		require.Greater(t, askedIn(10*time.Second), 3)
		source.takes = time.Second
		require.Equal(t, 2, askedIn(time.Minute))
	})
}
