package tracker_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/tracker"
)

// toldTracker is what a tracker of the model was told, and what it asked for.
type toldTracker struct {
	started, completed bool
	soonest            time.Time // of what is not due to an event
	notBefore          time.Time
	never, busy        bool
}

// TestAnnouncerModel lets trackers answer, refuse and stay silent at random, for
// days of virtual time, and checks what no tracker may ever see.
func TestAnnouncerModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var tiers [][]string
		trackers := map[string]*toldTracker{}
		for i, n := range rapid.SliceOfN(rapid.IntRange(1, 3), 1, 3).Draw(rt, "tiers") {
			var tier []string
			for j := range n {
				url := fmt.Sprint(i, j)
				tier = append(tier, url)
				trackers[url] = &toldTracker{}
			}
			tiers = append(tiers, tier)
		}
		seed := rapid.Uint64().Draw(rt, "seed")
		a := tracker.NewAnnouncer(tracker.AnnouncerConfig{
			Tiers: tiers, EveryTier: rapid.Bool().Draw(rt, "every"), Rand: rand.New(rand.NewPCG(seed, 0))})
		now := time.Unix(1e9, 0)
		a.Start(now)
		stopped := false
		var calls []tracker.Call
		for range 80 {
			for {
				call, ok := a.Next(now)
				if !ok {
					break
				}
				to := trackers[call.URL]
				require.False(rt, to.busy, "one call at a time")
				to.busy = true
				switch call.Event {
				case tracker.EventStopped:
					require.True(rt, stopped)
					require.True(rt, to.started, "stopped goes to who knows of us")
				case tracker.EventStarted:
					require.False(rt, to.started || to.never || now.Before(to.notBefore) || now.Before(to.soonest))
				case tracker.EventCompleted:
					require.True(rt, to.started && !to.completed && !to.never && !now.Before(to.notBefore))
				default:
					require.True(rt, to.started && !to.never && !now.Before(to.notBefore) && !now.Before(to.soonest))
				}
				calls = append(calls, call)
			}
			deadline := a.Deadline(now)
			require.True(rt, deadline.IsZero() || deadline.After(now), "Next has said that nothing is due")
			if len(calls) > 0 {
				i := rapid.IntRange(0, len(calls)-1).Draw(rt, "call")
				call := calls[i]
				calls = append(calls[:i], calls[i+1:]...)
				to := trackers[call.URL]
				to.busy = false
				now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(rt, "took")) * time.Second)
				switch rapid.IntRange(0, 3).Draw(rt, "ends") {
				case 0:
					a.Failed(now, call, errSilent)
					if call.Event != tracker.EventStopped {
						to.notBefore = now.Add(15 * time.Second)
					}
				case 1:
					retry := time.Duration(rapid.IntRange(-1, 100).Draw(rt, "retry")) * time.Minute
					a.Failed(now, call, &tracker.FailureError{RetryAfter: retry})
					to.never = to.never || retry < 0 && call.Event != tracker.EventStopped
					if call.Event != tracker.EventStopped {
						to.notBefore = now.Add(retry)
					}
				default:
					least := time.Duration(rapid.IntRange(0, 60).Draw(rt, "least")) * time.Minute
					a.Answered(now, call, &tracker.AnnounceResponse{Interval: time.Hour, MinInterval: least})
					to.soonest, to.notBefore = now.Add(max(least, time.Minute)), time.Time{}
					to.started = to.started || call.Event == tracker.EventStarted
					to.completed = to.completed || call.Event == tracker.EventCompleted
				}
				if call.Event == tracker.EventStopped {
					to.started, to.completed = false, false
				}
				continue
			}
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				a.NeedPeers(now)
			case 1:
				a.Completed(now)
				for _, to := range trackers {
					to.completed = false
				}
			case 2:
				a.Stop(now)
				stopped = true
			case 3:
				if stopped && a.Stopped() {
					a.Start(now)
					stopped = false
				}
			default:
				if !deadline.IsZero() {
					require.Less(rt, deadline.Sub(now), 25*time.Hour)
					now = deadline
				}
			}
		}
	})
}
