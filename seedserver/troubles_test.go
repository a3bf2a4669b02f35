package seedserver

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTroubles: each is said once when it begins and once when it is over, and listed in between.
func TestTroubles(t *testing.T) {
	var log bytes.Buffer
	ts := newTroubles(slog.New(slog.NewTextHandler(&log, nil)))
	failed := errors.New("no room")
	for range 3 {
		ts.warn(troubleSwarms, "failing", "over", failed)
		ts.note(troubleBudget, failed)
	}
	list := ts.list()
	require.Len(t, list, 2)
	require.Equal(t, "budget", list[0].About)
	require.Equal(t, "no room", list[1].Error)
	for range 3 {
		ts.warn(troubleSwarms, "failing", "over", nil)
		ts.note(troubleBudget, nil)
	}
	require.Empty(t, ts.list())
	require.Equal(t, 1, strings.Count(log.String(), "failing"))
	require.Equal(t, 1, strings.Count(log.String(), "msg=over"))

	var none *troubles
	none.warn(troubleSwarms, "failing", "over", failed)
	none.read("path", failed)
	for about, text := range aboutTroubles {
		require.NotEmpty(t, text, about)
	}
}

// TestTroubledReads: a disk that failed to read is shown for a while, and said again if it fails after that.
func TestTroubledReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ts := newTroubles(slog.New(slog.NewTextHandler(&log, nil)))
		failed := errors.New("input/output error")
		for range 3 {
			ts.read("a.bin", failed)
			time.Sleep(readsLast / 2)
		}
		require.Len(t, ts.list(), 1)
		time.Sleep(readsLast)
		require.Empty(t, ts.list())
		ts.read("b.bin", failed)
		require.Len(t, ts.list(), 1)
		require.EqualValues(t, 4, ts.reads())
		require.Equal(t, 2, strings.Count(log.String(), "the disk fails"))
	})
}
