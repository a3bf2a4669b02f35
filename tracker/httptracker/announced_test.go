package httptracker_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
)

// TestAnnounced: it is told of what is let through, with the key and the address that the peer connects from, and of nothing else.
func TestAnnounced(t *testing.T) {
	var told []string
	h := newHandler(httptracker.Config{Policy: tracker.Policy{AllowKey: func(key string, _ [20]byte) error {
		if key != "right" {
			return tracker.ErrNotRegistered
		}
		return nil
	}, Announced: func(now time.Time, key string, req *tracker.AnnounceRequest) {
		require.WithinDuration(t, time.Now(), now, time.Minute)
		told = append(told, key+" "+req.Addr.String()+" "+string(req.PeerID[:3]))
	}}})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5", path: "/announce/wrong"})
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5"})
	require.Empty(t, told)
	announce(t, h, peer{addr: "192.0.2.1:1", left: "5", path: "/announce/right"})
	require.Equal(t, []string{"right 192.0.2.1:1 -XX"}, told)
}
