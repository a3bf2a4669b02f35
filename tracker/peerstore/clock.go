package peerstore

import (
	"sync/atomic"
	"time"
)

// clock tells the times of a store in seconds. It begins as the wall clock stood
// when it was asked first, and goes on evenly from there: where times have a
// monotonic reading, a wall clock that is set neither makes peers fall silent
// nor keeps them for ever. It may be used concurrently.
type clock struct{ origin atomic.Pointer[origin] }

type origin struct {
	at   time.Time
	unix int64
}

// seconds returns what the time of now is here.
func (c *clock) seconds(now time.Time) int64 {
	o := c.origin.Load()
	if o == nil {
		c.origin.CompareAndSwap(nil, &origin{now, now.Unix()})
		o = c.origin.Load()
	}
	since := now.Sub(o.at) + time.Duration(o.at.Nanosecond()) // so that seconds begin when the wall clock's do
	if since < 0 {
		since -= time.Second - 1
	}
	return o.unix + int64(since/time.Second)
}

// behind returns by how much the times here are behind those of the wall clock.
func (c *clock) behind(now time.Time) int64 { return now.Unix() - c.seconds(now) }
