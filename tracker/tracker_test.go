package tracker_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestNumWant(t *testing.T) {
	for _, tt := range []struct{ asked, usual, most, want int }{
		{-1, 50, 200, 50},
		{math.MinInt, 50, 200, 50},
		{0, 50, 200, 0},
		{7, 50, 200, 7},
		{200, 50, 200, 200},
		{math.MaxInt, 50, 200, 200},
		{-1, 50, 20, 20},
		{-1, -1, 200, 0},
		{10, 50, -1, 0},
	} {
		require.Equal(t, tt.want, tracker.NumWant(tt.asked, tt.usual, tt.most), "%+v", tt)
	}
}

// BEP 15: "0: none; 1: completed; 2: started; 3: stopped".
func TestEventNumbersAreThoseOfUDP(t *testing.T) {
	require.EqualValues(t, 0, tracker.EventNone)
	require.EqualValues(t, 1, tracker.EventCompleted)
	require.EqualValues(t, 2, tracker.EventStarted)
	require.EqualValues(t, 3, tracker.EventStopped)
}

func TestParseEvent(t *testing.T) {
	for e := tracker.EventNone; e <= tracker.EventPaused; e++ {
		require.Equal(t, e, tracker.ParseEvent(e.String()))
	}
	// BEP 3: "or empty, which is the same as not being present".
	for _, s := range []string{"", "empty", "Started", "update"} {
		require.Equal(t, tracker.EventNone, tracker.ParseEvent(s), s)
	}
}

func TestJitter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	low, high := time.Duration(math.MaxInt64), time.Duration(0)
	for range 10_000 {
		d := tracker.Jitter(30*time.Minute, 0.1, r)
		require.Zero(t, d%time.Second, "whole seconds")
		low, high = min(low, d), max(high, d)
	}
	require.GreaterOrEqual(t, low, 27*time.Minute)
	require.Less(t, low, 27*time.Minute+5*time.Second, "the whole range is used")
	require.LessOrEqual(t, high, 33*time.Minute)
	require.Greater(t, high, 33*time.Minute-5*time.Second)

	require.Equal(t, time.Minute, tracker.Jitter(time.Minute, 0, r))
	require.Equal(t, time.Minute, tracker.Jitter(time.Minute, -1, r))
	require.Equal(t, time.Second, tracker.Jitter(0, 0.1, r), "never at once")
}

func TestFailureError(t *testing.T) {
	err := fmt.Errorf("announcing: %w", &tracker.FailureError{Reason: "overloaded", RetryAfter: time.Minute})
	require.ErrorIs(t, err, tracker.ErrFailure)
	require.EqualError(t, err, "announcing: tracker: overloaded")
	require.ErrorIs(t, tracker.ErrNotRegistered, tracker.ErrFailure)
	require.NotErrorIs(t, err, tracker.ErrNotRegistered)
}

func TestResponsePeers(t *testing.T) {
	res := tracker.AnnounceResponse{
		Peers4: []byte{192, 0, 2, 1, 0x1a, 0xe1, 192, 0, 2, 2, 0x1a, 0xe2, 9, 9},
		Peers6: []byte{0x20, 1, 0xd, 0xb8, 15: 1, 16: 0x1a, 17: 0xe1},
	}
	all := []netip.AddrPort{
		netip.MustParseAddrPort("192.0.2.1:6881"),
		netip.MustParseAddrPort("192.0.2.2:6882"),
		netip.MustParseAddrPort("[2001:db8::1]:6881"),
	}
	require.Equal(t, all, slices.Collect(res.Peers()))
	for n := range all {
		var some []netip.AddrPort
		for addr := range res.Peers() {
			if some = append(some, addr); len(some) > n {
				break
			}
		}
		require.Equal(t, all[:n+1], some)
	}

	res.Complete, res.Interval = 3, time.Minute
	kept := cap(res.Peers4)
	res.Reset()
	require.Empty(t, res.Peers4)
	require.Equal(t, kept, cap(res.Peers4))
	require.Zero(t, res.Complete)
	require.Zero(t, res.Interval)
}

func TestCutPath(t *testing.T) {
	for path, want := range map[string][3]any{
		"/announce":      {"/announce", "", true},
		"/announce/":     {"/announce", "", true},
		"/announce/k":    {"/announce", "k", true},
		"/scrape/k":      {"/scrape", "k", true},
		"/announce/k/x":  {"", "", false},
		"/announcements": {"", "", false},
		"/x/announce":    {"", "", false},
		"":               {"", "", false},
	} {
		name, key, ok := tracker.CutPath(path)
		require.Equal(t, want, [3]any{name, key, ok}, path)
	}
}
