package dht

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Ten thousand infohashes are announced within their interval at an even pace, in the order of their infohashes.
func TestScheduleTenThousand(t *testing.T) {
	const interval = 25 * time.Minute
	s, r, now := newSchedule(start, interval), seeded(), start
	const count = 10_000
	for range count {
		s.add(now, randomID(r))
	}
	last := map[ID]time.Time{}
	var gaps []time.Duration
	perMinute := map[int]int{}
	for end := now.Add(3 * interval); now.Before(end); now = now.Add(100 * time.Millisecond) {
		for range 1 { // ten a second at most
			p := s.next(now)
			if p == nil {
				break
			}
			if at, before := last[p.infohash]; before {
				gaps = append(gaps, now.Sub(at))
			}
			last[p.infohash] = now
			perMinute[int(now.Sub(start)/time.Minute)]++
			p.running = 1
			s.finished(now.Add(5*time.Second), p, 8)
		}
	}
	require.Len(t, last, count)
	require.LessOrEqual(t, slices.Max(gaps), interval+5*time.Minute)
	for m := 50; m < 75; m++ {
		require.InDelta(t, count/25, perMinute[m], count/25*0.2, "minute %d", m)
	}
}

func TestScheduleOrder(t *testing.T) {
	s, now := newSchedule(start, 25*time.Minute), start
	for _, b := range []byte{3, 1, 2} {
		s.add(now, ID{b})
		s.add(now, ID{b}) // twice is once
	}
	s.demand(now, ID{2})
	s.demand(now, ID{9}) // unknown
	require.Equal(t, 3, s.overdue(now.Add(time.Second)))
	require.False(t, s.due().After(now))
	first := s.next(now)
	require.Equal(t, ID{2}, first.infohash, "what is demanded is first")
	require.Equal(t, ID{1}, s.next(now).infohash, "then by infohash")
	s.remove(ID{3})
	s.remove(ID{3})
	require.Nil(t, s.next(now))
	require.True(t, s.due().IsZero())

	first.running = 1
	s.finished(now, first, 0)
	require.Equal(t, now.Add(announceFail), s.due(), "no node took it: soon again")
	require.Same(t, first, s.next(now.Add(announceFail)))
	first.running = 2
	s.finished(now, first, 0)
	s.finished(now, first, 8)
	s.demand(now.Add(time.Minute), ID{2})
	require.Nil(t, s.next(now.Add(time.Minute)), "announced just now")
	s.demand(now.Add(demandPause), ID{2})
	s.remove(ID{2})
	require.Nil(t, s.next(now.Add(demandPause)), "withdrawn meanwhile")
}
