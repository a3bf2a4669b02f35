package main

import "time"

// speedWindow is over how long a speed is taken: short enough to be true soon after the start, and when the line gets slower.
const speedWindow = 5 * time.Second

// A speed is how fast a count grows that is looked at about once a second.
type speed struct {
	seen []seen // of the last speedWindow, oldest first
}

type seen struct {
	at    time.Time
	count int64
}

// over takes a count in, and returns its growth per second; false while it was not looked at for long enough.
func (s *speed) over(now time.Time, count int64) (perSecond int64, ok bool) {
	for len(s.seen) > 1 && now.Sub(s.seen[0].at) > speedWindow {
		s.seen = s.seen[1:]
	}
	s.seen = append(s.seen, seen{now, count})
	elapsed := now.Sub(s.seen[0].at)
	if elapsed < time.Second/2 {
		return 0, false
	}
	return int64(float64(count-s.seen[0].count) / elapsed.Seconds()), true
}
