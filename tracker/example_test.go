package tracker_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// A peer is followed from its first announce to the end of its download.
func Example() {
	var peer tracker.Standing
	for _, announce := range []struct {
		event tracker.Event
		left  int64
	}{
		{tracker.EventStarted, 1 << 20},
		{tracker.EventNone, 1 << 10},
		{tracker.EventCompleted, 0},
	} {
		peer = peer.After(announce.event, announce.left)
		fmt.Printf("seed %v, wants seeds %v\n", peer.Seed(), peer.WantsSeeds())
	}
	// Output:
	// seed false, wants seeds true
	// seed false, wants seeds true
	// seed true, wants seeds false
}

// A refusal carries the text for the client, and when to ask again.
func ExampleFailureError() {
	var err error = &tracker.FailureError{Reason: "tracker is full", RetryAfter: time.Hour}

	var failure *tracker.FailureError
	if errors.As(err, &failure) {
		fmt.Println(failure.Reason, failure.RetryAfter)
	}
	// Output: tracker is full 1h0m0s
}

// A torrent has two trackers of which the first is silent.
func ExampleAnnouncer() {
	a := tracker.NewAnnouncer(tracker.AnnouncerConfig{
		Tiers: [][]string{{"udp://one.example:80"}, {"http://two.example/announce"}},
		Rand:  rand.New(rand.NewPCG(1, 2)),
	})
	now := time.Unix(0, 0)
	a.Start(now)
	for call, ok := a.Next(now); ok; call, ok = a.Next(now) {
		fmt.Println(call.Event, call.URL)
		if call.URL == "udp://one.example:80" {
			a.Failed(now, call, errors.New("no answer"))
		} else {
			a.Answered(now, call, &tracker.AnnounceResponse{Interval: 30 * time.Minute})
		}
	}
	fmt.Println(a.Deadline(now).Sub(now).Round(10 * time.Minute))
	// Output:
	// started udp://one.example:80
	// started http://two.example/announce
	// 30m0s
}
