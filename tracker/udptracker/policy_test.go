package udptracker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestNoScrapes(t *testing.T) {
	var logged Access
	r := newTestResponder(Config{Policy: tracker.Policy{Scrape: tracker.ScrapeNone}, Log: func(a Access) { logged = a }})
	id := r.connections.id(start, alice.Addr())
	out := r.respond(start, alice, AppendScrapeRequest(nil, id, 5, [][20]byte{testHash()}), nil)
	require.ErrorIs(t, ParseErrorResponse(out), tracker.ErrFailure)
	require.NotEmpty(t, logged.Failure)
}

func TestCurrentInterval(t *testing.T) {
	now := 10 * time.Minute
	r := newTestResponder(Config{Policy: tracker.Policy{Jitter: -1, CurrentInterval: func() time.Duration { return now }}})
	for _, now = range []time.Duration{10 * time.Minute, time.Hour} {
		var res tracker.AnnounceResponse
		require.NoError(t, ParseAnnounceResponse(r.ask(alice, leech(1, 0), ""), false, &res))
		require.Equal(t, now, res.Interval)
	}
}
