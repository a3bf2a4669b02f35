package catalog

import (
	"container/heap"
	"time"
)

// timers are items by the time at which they are due. An item is in it once.
type timers []*item

// set makes it due at the time at, or takes it out if at is zero.
func (t *timers) set(it *item, at time.Time) {
	if it.way == nil && at.IsZero() {
		return
	}
	switch was := it.due; {
	case at.IsZero() && was.IsZero():
	case at.IsZero():
		heap.Remove(t, it.timer)
		it.due = at
	case was.IsZero():
		it.due = at
		heap.Push(t, it)
	default:
		it.due = at
		heap.Fix(t, it.timer)
	}
}

// next returns when the first item is due, or the zero time.
func (t timers) next() time.Time {
	if len(t) == 0 {
		return time.Time{}
	}
	return t[0].due
}

// pop takes out the first item if it is due, or returns nil.
func (t *timers) pop(now time.Time) *item {
	if len(*t) == 0 || (*t)[0].due.After(now) {
		return nil
	}
	it := (*t)[0]
	t.set(it, time.Time{})
	return it
}

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due.Before(t[j].due) }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timer, t[j].timer = i, j
}

// Push is for container/heap alone.
func (t *timers) Push(x any) {
	it := x.(*item)
	it.timer = len(*t)
	*t = append(*t, it)
}

// Pop is for container/heap alone.
func (t *timers) Pop() any {
	old := *t
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	return it
}
