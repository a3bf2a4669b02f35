package accesslog

import (
	"sync/atomic"
	"time"
)

// Sample bounds how many lines a log gets: all of them up to a number a second,
// and one in a hundred beyond. The zero value takes 1,000 a second. It may be
// used concurrently.
type Sample struct {
	second atomic.Int64
	taken  atomic.Int64 // in this second
}

const (
	wholeLines = 1000
	oneIn      = 100
)

// Take reports whether a line is to be logged now.
func (s *Sample) Take(now time.Time) bool {
	if unix := now.Unix(); s.second.Swap(unix) != unix {
		s.taken.Store(0)
	}
	n := s.taken.Add(1)
	return n <= wholeLines || n%oneIn == 0
}
