package tracker_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestScrapePolicy(t *testing.T) {
	for p := tracker.ScrapeSpecific; p <= tracker.ScrapeNone; p++ {
		back, err := tracker.ParseScrapePolicy(p.String())
		require.NoError(t, err)
		require.Equal(t, p, back)
	}
	_, err := tracker.ParseScrapePolicy("some")
	require.ErrorContains(t, err, "full, specific, none")
	require.Equal(t, "unknown", tracker.ScrapePolicy(9).String())
}
