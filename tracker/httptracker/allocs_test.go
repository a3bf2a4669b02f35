//go:build !race

package httptracker_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// The race detector makes pools forget at random, and so lets them allocate.
func TestAnnounceDoesNotAllocate(t *testing.T) {
	h := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{})})
	w := &discard{header: http.Header{}}
	requests := benchRequests()[:100]
	for _, r := range requests {
		h.ServeHTTP(w, r)
	}
	require.Zero(t, testing.AllocsPerRun(200, func() { h.ServeHTTP(w, requests[7]) }))
}
