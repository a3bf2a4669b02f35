package admission

import (
	"sync/atomic"
	"time"
)

// Pace is the interval between announces: that of a quiet tracker, and longer
// the more peers there are, up to four times as long. Its methods may be called
// concurrently, but Follow by one goroutine only.
type Pace struct {
	base    time.Duration
	rate    float64
	current atomic.Int64

	promised time.Duration // the longest interval that a client may still have in mind
	until    time.Time
}

const (
	stretch     = 4
	defaultRate = 5000
)

// NewPace returns a pace of one announce every base for each peer, but, as far as
// four times as long reaches, of no more than rate announces a second of all
// together. A rate of zero or less is 5,000.
func NewPace(base time.Duration, rate float64) *Pace {
	if rate <= 0 {
		rate = defaultRate
	}
	p := &Pace{base: base, rate: rate}
	p.current.Store(int64(base))
	return p
}

// Interval is what clients are told now.
func (p *Pace) Interval() time.Duration { return time.Duration(p.current.Load()) }

// Follow takes the number of peers. It returns how long a peer may be silent
// before it is forgotten: a half more than the longest interval that it was
// told, so that one late announce does no harm.
func (p *Pace) Follow(now time.Time, peers int) (life time.Duration) {
	wanted := time.Duration(float64(peers) / p.rate * float64(time.Second)).Truncate(time.Second)
	interval := min(max(wanted, p.base), stretch*p.base)
	p.current.Store(int64(interval))
	if interval >= p.promised || now.After(p.until) {
		p.promised, p.until = interval, now.Add(interval*3/2)
	}
	return p.promised * 3 / 2
}
