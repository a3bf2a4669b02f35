package catalog

import (
	"cmp"
	"container/heap"
)

// largeSize is from where content is large: one at a time is hashed, by all
// processors.
const largeSize = 64 << 20 // bytes

// hashQueue is what waits to be hashed, and what is in it.
type hashQueue struct {
	slots        int
	small, large waiting
	running      map[*item]bool // value: large
	runningLarge int
	order        uint64
	bytes        int64 // of all waiting and running
}

func newHashQueue(slots int) hashQueue {
	return hashQueue{slots: slots, running: map[*item]bool{}}
}

// add puts it at the end.
func (q *hashQueue) add(it *item, size int64) {
	q.order++
	it.order, it.queued = q.order, size
	q.bytes += size
	heap.Push(q.class(it), it)
}

// remove takes it out, whether it waits or is being hashed.
func (q *hashQueue) remove(it *item) {
	q.bytes -= it.queued
	if large, ok := q.running[it]; ok {
		delete(q.running, it)
		if large {
			q.runningLarge--
		}
		return
	}
	heap.Remove(q.class(it), it.place)
}

// left is how many bytes are still to be read.
func (q *hashQueue) left() int64 {
	left := q.bytes
	for it := range q.running {
		left -= int64(it.progress * float64(it.queued))
	}
	return left
}

// moved restores the order after it was demanded.
func (q *hashQueue) moved(it *item) { heap.Fix(q.class(it), it.place) }

// len is how many wait or are being hashed.
func (q *hashQueue) len() int { return len(q.small) + len(q.large) + len(q.running) }

// next returns what is to be hashed now, or nil. Demanded items are first, then
// small ones before large; but one slot of several is for a large one, so that a
// stream of small ones does not keep it waiting for ever.
func (q *hashQueue) next() *item {
	if len(q.running) >= q.slots {
		return nil
	}
	small, large := q.small.first(), q.large.first()
	if q.runningLarge > 0 {
		large = nil
	}
	switch {
	case small == nil:
		return large
	case large == nil:
		return small
	case large.demanded != 0:
		if small.demanded == 0 || large.demanded < small.demanded {
			return large
		}
	case small.demanded == 0 && q.slots > 1 && len(q.running) == q.slots-1:
		return large
	}
	return small
}

// start says that the item next returned is being hashed.
func (q *hashQueue) start(it *item) {
	class := q.class(it)
	heap.Remove(class, it.place)
	large := class == &q.large
	q.running[it] = large
	if large {
		q.runningLarge++
	}
}

func (q *hashQueue) class(it *item) *waiting {
	if it.queued >= largeSize {
		return &q.large
	}
	return &q.small
}

// waiting is a heap: demanded ones first, else in the order they came.
type waiting []*item

func (w waiting) first() *item {
	if len(w) == 0 {
		return nil
	}
	return w[0]
}

func (w waiting) Len() int { return len(w) }
func (w waiting) Less(i, j int) bool {
	a, b := w[i], w[j]
	if (a.demanded != 0) != (b.demanded != 0) {
		return a.demanded != 0
	}
	return cmp.Or(cmp.Compare(a.demanded, b.demanded), cmp.Compare(a.order, b.order)) < 0
}
func (w waiting) Swap(i, j int) {
	w[i], w[j] = w[j], w[i]
	w[i].place, w[j].place = i, j
}

// Push is for container/heap alone.
func (w *waiting) Push(x any) {
	it := x.(*item)
	it.place = len(*w)
	*w = append(*w, it)
}

// Pop is for container/heap alone.
func (w *waiting) Pop() any {
	old := *w
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*w = old[:len(old)-1]
	return it
}
