package peerstore

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// setWall makes the clock of s that of a store whose wall clock was set by d since it began.
func setWall(s *Store, d time.Duration) {
	now := time.Now()
	s.clock.seconds(now)
	o := *s.clock.origin.Load()
	o.unix -= int64(d / time.Second)
	s.clock.origin.Store(&o)
}

func TestClock(t *testing.T) {
	var c clock
	start := time.Date(2026, 7, 14, 10, 30, 0, 900_000_000, time.UTC)
	for _, d := range []time.Duration{0, 99 * time.Millisecond, 100 * time.Millisecond, time.Second, time.Hour, -900 * time.Millisecond, -time.Second, -time.Hour} {
		require.Equal(t, start.Add(d).Unix(), c.seconds(start.Add(d)), d)
		require.Zero(t, c.behind(start.Add(d)))
	}
}

// TestClockIsSet: whether the wall clock is set on or back by a day, who announced a moment ago stays for the TTL and no longer,
// and a restart goes by the wall clock as it is then.
func TestClockIsSet(t *testing.T) {
	for _, d := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			s := New(Config{})
			setWall(s, d)
			now := time.Now()
			req := tracker.AnnounceRequest{InfoHash: [20]byte{1}, Addr: netip.MustParseAddrPort("192.0.2.1:6881"), Left: 1}
			_, err := s.Announce(now, &req, new(tracker.AnnounceResponse))
			require.NoError(t, err)
			require.Zero(t, s.Expire(now.Add(defaultTTL-time.Second)))

			var snapshot bytes.Buffer
			require.NoError(t, s.Snapshot(&snapshot))
			for _, later := range []struct {
				after time.Duration
				peers int
			}{{0, 1}, {defaultTTL - 10*time.Second, 1}, {defaultTTL + 10*time.Second, 0}, {-24 * time.Hour, 1}} {
				again, err := Restore(Config{}, bytes.NewReader(snapshot.Bytes()), now.Add(later.after))
				require.NoError(t, err)
				require.Equal(t, later.peers, again.Stats().Peers4, "restarted %v later", later.after)
			}
			require.Equal(t, 1, s.Expire(now.Add(defaultTTL+2*time.Second)))
		})
	}
}
