package dht

import (
	"bytes"
	"container/heap"
	"time"
)

const (
	demandPause  = 5 * time.Minute  // an infohash announced that recently is not announced again on demand
	announceFail = 15 * time.Second // after an announce that fewer than eight nodes took; doubled each time
)

// published is an infohash that is announced again and again.
type published struct {
	infohash ID
	due      time.Time
	last     time.Time // the last announce that a node took
	place    int       // in the heap; -1: an announce runs, or it is demanded
	running  int       // lookups of its announce
	took     int       // nodes that took it
	failures int
	demanded bool
	gone     bool
}

// schedule decides what is announced next. First what is demanded, then what is new, then what is due. Each infohash has its
// time in the interval, by its place in the order of all: so announces are spread evenly however many there are, and
// neighbours follow each other, whose lookups share the way (see recent).
type schedule struct {
	epoch    time.Time // when an interval began: a wall clock that is set moves none
	interval time.Duration
	all      map[ID]*published
	demanded []*published
	waiting  dueHeap
}

// newSchedule returns an empty one. What is there from the start and is announced at once gets its time half an interval later.
func newSchedule(now time.Time, interval time.Duration) schedule {
	return schedule{epoch: now.Add(-interval / 2), interval: interval, all: map[ID]*published{}}
}

// add makes an infohash due, in the order of infohashes among those that come within the same minute.
func (s *schedule) add(now time.Time, infohash ID) {
	if s.all[infohash] != nil {
		return
	}
	p := &published{infohash: infohash, due: s.begin(now, time.Minute), place: -1}
	s.all[infohash] = p
	heap.Push(&s.waiting, p)
}

func (s *schedule) remove(infohash ID) {
	p := s.all[infohash]
	if p == nil {
		return
	}
	p.gone = true
	delete(s.all, infohash)
	if p.place >= 0 {
		heap.Remove(&s.waiting, p.place)
	}
}

func (s *schedule) demand(now time.Time, infohash ID) {
	p := s.all[infohash]
	if p == nil || p.place < 0 || !p.last.IsZero() && now.Sub(p.last) < demandPause {
		return
	}
	heap.Remove(&s.waiting, p.place)
	p.demanded = true
	s.demanded = append(s.demanded, p)
}

// next takes what is to be announced now, or returns nil.
func (s *schedule) next(now time.Time) *published {
	for len(s.demanded) > 0 {
		p := s.demanded[0]
		s.demanded = s.demanded[1:]
		if p.demanded = false; !p.gone {
			return p
		}
	}
	if len(s.waiting) == 0 || s.waiting[0].due.After(now) {
		return nil
	}
	return heap.Pop(&s.waiting).(*published)
}

// due returns when next has something: the zero time for never.
func (s *schedule) due() time.Time {
	switch {
	case len(s.demanded) > 0:
		return time.Unix(0, 1)
	case len(s.waiting) > 0:
		return s.waiting[0].due
	}
	return time.Time{}
}

// finished tells that one of the lookups of an announce is over, and to how many nodes it went.
func (s *schedule) finished(now time.Time, p *published, took int) {
	p.running--
	p.took += took
	if p.running > 0 || p.gone {
		return
	}
	p.due = s.after(now, &p.infohash)
	if p.took > 0 {
		p.last = now
	}
	if p.took >= bucketSize {
		p.failures = 0
	} else if again := now.Add(announceFail << min(p.failures, 10)); again.Before(p.due) { // the network is small, or we know little of it yet
		p.due = again
		p.failures++
	}
	p.took = 0
	heap.Push(&s.waiting, p)
}

// begin returns when the present one of the spans of this length began.
func (s *schedule) begin(now time.Time, span time.Duration) time.Time {
	return now.Add(-(now.Sub(s.epoch) % span))
}

// after returns the next time of an infohash: as far into an interval as it is into the order of all.
func (s *schedule) after(now time.Time, infohash *ID) time.Time {
	offset := time.Duration(float64(s.interval) * float64(infohash.key()) / (1 << 64))
	at := s.begin(now, s.interval).Add(offset)
	for !at.After(now) {
		at = at.Add(s.interval)
	}
	return at
}

// overdue counts what should have been announced before.
func (s *schedule) overdue(now time.Time) (n int) {
	for _, p := range s.waiting {
		if p.due.Before(now) {
			n++
		}
	}
	return n + len(s.demanded)
}

// dueHeap orders by time, then by infohash.
type dueHeap []*published

func (h dueHeap) Len() int { return len(h) }
func (h dueHeap) Less(i, j int) bool {
	if d := h[i].due.Compare(h[j].due); d != 0 {
		return d < 0
	}
	return bytes.Compare(h[i].infohash[:], h[j].infohash[:]) < 0
}
func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *dueHeap) Push(x any) {
	p := x.(*published)
	p.place = len(*h)
	*h = append(*h, p)
}
func (h *dueHeap) Pop() any {
	last := len(*h) - 1
	p := (*h)[last]
	p.place = -1
	(*h)[last] = nil
	*h = (*h)[:last]
	return p
}
