package tracker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// said is one announce, as a standing sees it.
type said struct {
	event tracker.Event
	left  int64
}

func TestStandingAfter(t *testing.T) {
	for _, tt := range []struct {
		name                                string
		said                                []said
		seed, downloader, wantsSeeds, ended bool
	}{
		{"never heard of", nil, false, true, true, false},
		{"a leech", []said{{tracker.EventStarted, 9}}, false, true, true, false},
		{"left not said", []said{{tracker.EventStarted, -1}}, false, true, true, false},
		{"a seed from the start, or aria2 without metadata", []said{{tracker.EventStarted, 0}, {tracker.EventNone, 0}}, true, false, true, false},
		{"that gets its metadata", []said{{tracker.EventStarted, 0}, {tracker.EventNone, 9}}, false, true, true, false},
		{"and completes", []said{{tracker.EventStarted, 0}, {tracker.EventNone, 9}, {tracker.EventCompleted, 0}}, true, false, false, true},
		{"completes within one interval", []said{{tracker.EventStarted, 0}, {tracker.EventCompleted, 0}}, true, false, false, true},
		{"completes unheard of", []said{{tracker.EventCompleted, 0}}, true, false, false, true},
		{"completes and does not say left", []said{{tracker.EventStarted, 9}, {tracker.EventCompleted, -1}}, true, false, false, true},
		{"completes with bytes left", []said{{tracker.EventCompleted, 9}}, false, true, true, false},
		{"a seed that no longer says left", []said{{tracker.EventCompleted, 0}, {tracker.EventNone, -1}}, true, false, false, true},
		{"left falls to zero", []said{{tracker.EventStarted, 9}, {tracker.EventNone, 0}}, true, false, false, true},
		{"ends with its download", []said{{tracker.EventStarted, 9}, {tracker.EventStopped, 0}}, true, false, false, true},
		{"ends without it", []said{{tracker.EventStarted, 9}, {tracker.EventStopped, 9}}, false, true, true, false},
		{"a seed that ends", []said{{tracker.EventStarted, 0}, {tracker.EventStopped, 0}}, true, false, true, false},
		{"a new session after that", []said{{tracker.EventStarted, 9}, {tracker.EventNone, 0}, {tracker.EventStarted, 0}}, true, false, true, false},
		{"lost data after completing", []said{{tracker.EventCompleted, 0}, {tracker.EventNone, 9}}, false, true, true, true},
		{"a partial seed", []said{{tracker.EventPaused, 9}}, false, false, true, false},
		{"no longer a partial seed", []said{{tracker.EventPaused, 9}, {tracker.EventNone, 9}}, false, true, true, false},
		{"paused and complete", []said{{tracker.EventPaused, 0}}, true, false, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s tracker.Standing
			for _, a := range tt.said {
				s = s.After(a.event, a.left)
			}
			require.Equal(t, tt.seed, s.Seed(), "Seed")
			require.Equal(t, tt.downloader, s.Downloader(), "Downloader")
			require.Equal(t, tt.wantsSeeds, s.WantsSeeds(), "WantsSeeds")
			require.Equal(t, tt.ended, s&tracker.Finished != 0, "Finished")
		})
	}
}

// BEP 21: "it MUST send an event=paused parameter in every announce while it is
// a partial seed": one announce without it, and it no longer is.
func TestPausedLastsOneAnnounce(t *testing.T) {
	s := tracker.Standing(0).After(tracker.EventPaused, 9)
	require.False(t, s.Downloader())
	require.True(t, s.After(tracker.EventNone, 9).Downloader())
}
