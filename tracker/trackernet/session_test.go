package trackernet

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// told is an announce as a fake tracker saw it.
type told struct {
	after   time.Duration // since the start of the test, in whole minutes
	url     string
	event   tracker.Event
	left    int64
	numWant int
	id      string
}

// fake stands for all trackers.
type fake struct {
	start  time.Time
	answer func(ctx context.Context, url string) (*tracker.AnnounceResponse, error)

	mu   sync.Mutex
	told []told
}

func (f *fake) Announce(ctx context.Context, url string, req *tracker.AnnounceRequest) (*tracker.AnnounceResponse, error) {
	f.mu.Lock()
	f.told = append(f.told, told{time.Since(f.start).Truncate(time.Minute), url, req.Event, req.Left, req.NumWant, req.TrackerID})
	f.mu.Unlock()
	return f.answer(ctx, url)
}

// run runs a session in the background, and returns a function that ends it and says how long that took.
func run(t *testing.T, s *Session) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return func() time.Duration {
		start := time.Now()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		return time.Since(start)
	}
}

func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{start: time.Now(), answer: func(context.Context, string) (*tracker.AnnounceResponse, error) {
			return &tracker.AnnounceResponse{Interval: 30 * time.Minute, MinInterval: 5 * time.Minute, TrackerID: "id",
				Peers4: []byte{192, 0, 2, 1, 0, 1, 192, 0, 2, 1, 0, 1}}, nil
		}}
		var found []netip.AddrPort
		var left atomic.Int64
		left.Store(9)
		s := NewSession(SessionConfig{Client: f, Tiers: [][]string{{"a"}}, Port: 6881,
			Progress: func() (int64, int64, int64) { return 1, 2, left.Load() },
			Found:    func(peers []netip.AddrPort) { found = append(found, peers...) },
		})
		stop := run(t, s)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:1")}, found)
		s.NeedPeers()
		time.Sleep(10 * time.Minute) // after 5 of them the tracker may be asked
		left.Store(0)
		s.Completed()
		time.Sleep(40 * time.Minute)
		require.True(t, s.Contacts()[0].Working)
		require.Zero(t, stop())
		require.Equal(t, []told{
			{0, "a", tracker.EventStarted, 9, -1, ""},
			{5 * time.Minute, "a", tracker.EventNone, 9, -1, "id"},
			{11 * time.Minute, "a", tracker.EventCompleted, 0, -1, "id"},
			{f.told[3].after, "a", tracker.EventNone, 0, -1, "id"},
			{51 * time.Minute, "a", tracker.EventStopped, 0, 0, "id"},
		}, f.told)
		require.Nil(t, s.Contacts(), "it has ended")
		s.Completed()
	})
}

// A tracker that is silent when the session ends holds nobody up for long.
func TestSessionEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent atomic.Bool
		f := &fake{start: time.Now()}
		f.answer = func(ctx context.Context, url string) (*tracker.AnnounceResponse, error) {
			if !silent.Load() {
				return &tracker.AnnounceResponse{}, nil
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}
		s := NewSession(SessionConfig{Client: f, Tiers: [][]string{{"a"}, {"b"}}, EveryTier: true,
			Progress: func() (int64, int64, int64) { return 0, 0, 0 }})
		stop := run(t, s)
		time.Sleep(time.Minute)
		silent.Store(true)
		require.Equal(t, stopPatience, stop())
		require.Len(t, f.told, 4)
		require.Equal(t, tracker.EventStopped, f.told[3].event)
	})
}

// "completed is sent when download completes" (BEP 3): also by who is done then and stops at once, or while it is being told.
func TestWhoIsCompleteAndStopsSaysBoth(t *testing.T) {
	for name, after := range map[string]time.Duration{"at once": 0, "while it is told": time.Second, "later": time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fake{start: time.Now(), answer: func(ctx context.Context, _ string) (*tracker.AnnounceResponse, error) {
					select {
					case <-ctx.Done():
						return nil, context.Cause(ctx)
					case <-time.After(2 * time.Second):
						return &tracker.AnnounceResponse{}, nil
					}
				}}
				s := NewSession(SessionConfig{Client: f, Tiers: [][]string{{"a"}}, Progress: func() (int64, int64, int64) { return 0, 9, 0 }})
				stop := run(t, s)
				time.Sleep(10 * time.Second)
				s.Completed()
				time.Sleep(after)
				require.Less(t, stop(), stopPatience)
				var events []tracker.Event
				for _, x := range f.told {
					events = append(events, x.event)
				}
				require.Equal(t, []tracker.Event{tracker.EventStarted, tracker.EventCompleted, tracker.EventStopped}, events)
			})
		})
	}
}

// One that is silent from the start is not told that we stop.
func TestSessionEndsDuringTheFirstCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{start: time.Now(), answer: func(ctx context.Context, _ string) (*tracker.AnnounceResponse, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}}
		s := NewSession(SessionConfig{Client: f, Tiers: [][]string{{"a"}}, Progress: func() (int64, int64, int64) { return 0, 0, 0 }})
		stop := run(t, s)
		time.Sleep(time.Minute)
		require.Zero(t, stop())
		require.Len(t, f.told, 1)
	})
}

func TestSessionGoesOnToTheNextTracker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{start: time.Now(), answer: func(_ context.Context, url string) (*tracker.AnnounceResponse, error) {
			if url == "a" {
				return nil, errors.New("silent")
			}
			return &tracker.AnnounceResponse{}, nil
		}}
		s := NewSession(SessionConfig{Client: f, Tiers: [][]string{{"a"}, {"b"}}, Progress: func() (int64, int64, int64) { return 0, 0, 0 }})
		stop := run(t, s)
		synctest.Wait()
		require.Len(t, f.told, 2)
		require.Equal(t, "b", f.told[1].url)
		require.Error(t, s.Contacts()[0].Err)
		require.Len(t, s.Earliest(), 2)
		stop()
		require.Equal(t, told{0, "b", tracker.EventStopped, 0, 0, ""}, f.told[2])
	})
}
