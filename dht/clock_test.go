package dht

import (
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// walled returns t as the system tells it after the wall clock was set by d: the monotonic reading is what it was.
func walled(t time.Time, d time.Duration) time.Time {
	*(*uint64)(unsafe.Pointer(&t)) += uint64(d/time.Second) << 30 // seconds above nanoseconds, where there is a monotonic reading
	return t
}

func TestWalled(t *testing.T) {
	now := time.Now()
	set := walled(now, -time.Hour)
	require.Equal(t, now.Unix()-3600, set.Unix())
	require.Zero(t, set.Sub(now))
}

// TestSourcesClockIsSet: who asked before the wall clock was set back is answered afterwards as ever, no more and no less.
func TestSourcesClockIsSet(t *testing.T) {
	for _, d := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			now := time.Now()
			s := newSources(now, 7, 10, 50, 16)
			a := s.ofHost(netip.MustParseAddr("192.0.2.1"))
			for range 100 {
				s.allow(now, a)
			}
			served := 0
			for range 100 {
				if s.allow(walled(now.Add(time.Second), d), a) {
					served++
				}
			}
			require.Equal(t, 10, served)
		})
	}
}

// TestScheduleClockIsSet: whatever the wall clock is set to, what was announced is announced again within the interval, and what is new
// at once.
func TestScheduleClockIsSet(t *testing.T) {
	for _, d := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour} {
		t.Run(d.String(), func(t *testing.T) {
			const interval = 25 * time.Minute
			now := time.Now()
			s := newSchedule(now, interval)
			s.add(now, ID{1})
			p := s.next(now)
			p.running = 1
			s.finished(now, p, bucketSize)
			require.Nil(t, s.next(walled(now.Add(time.Second), d)), "it is not due yet")
			require.NotNil(t, s.next(walled(now.Add(interval), d)))
			s.add(walled(now, d), ID{2})
			require.NotNil(t, s.next(walled(now, d)))
		})
	}
}
