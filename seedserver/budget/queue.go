package budget

import (
	"cmp"
	"container/heap"
	"context"
	"sync"
)

// queue gives turns, one at a time, so that flows that want more than there is
// are given as much each (start-time fair queueing): a turn's place is what the
// turns of its flow have cost so far, and the lowest place is next.
// A flow that comes back after a pause starts at the place that is being
// served: it has no claim to what it did not use.
type queue struct {
	mu      sync.Mutex
	busy    bool  // somebody has the turn; nobody waits unless busy
	now     int64 // place of the turn given last
	arrived uint64
	waiting waiters
}

// flow is one of those between whom a queue is fair.
type flow struct {
	finish int64 // place after the last turn it asked for
}

// waiter is a turn asked for.
type waiter struct {
	place   int64
	arrival uint64 // decides among equal places
	index   int    // in the heap; -1 once the turn was given
	turn    chan struct{}
}

// enter returns when it is the caller's turn in flow f, which costs its bytes
// divided by their weight; leave must follow. If ctx is done first, it returns the cause and there is no turn.
func (q *queue) enter(ctx context.Context, f *flow, cost int) error {
	q.mu.Lock()
	place := max(q.now, f.finish)
	f.finish = place + int64(cost)
	if !q.busy {
		q.busy = true
		q.now = place
		q.mu.Unlock()
		return nil
	}
	q.arrived++
	w := &waiter{place: place, arrival: q.arrived, turn: make(chan struct{})}
	heap.Push(&q.waiting, w)
	q.mu.Unlock()

	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		q.cancel(f, w, cost)
		return context.Cause(ctx)
	}
}

// cancel withdraws w, or passes the turn on if it came at the same moment.
func (q *queue) cancel(f *flow, w *waiter, cost int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	f.finish -= int64(cost)
	if w.index >= 0 {
		heap.Remove(&q.waiting, w.index)
	} else {
		q.next()
	}
}

// leave ends the turn.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.next()
}

// next gives the turn to the first in place. Called with mu held.
func (q *queue) next() {
	if len(q.waiting) == 0 {
		q.busy = false
		return
	}
	w := heap.Pop(&q.waiting).(*waiter)
	q.now = w.place
	close(w.turn)
}

// waiters is a heap, the lowest place first.
type waiters []*waiter

func (ws waiters) Len() int { return len(ws) }

func (ws waiters) Less(i, j int) bool {
	return cmp.Or(cmp.Compare(ws[i].place, ws[j].place), cmp.Compare(ws[i].arrival, ws[j].arrival)) < 0
}

func (ws waiters) Swap(i, j int) {
	ws[i], ws[j] = ws[j], ws[i]
	ws[i].index, ws[j].index = i, j
}

func (ws *waiters) Push(x any) {
	w := x.(*waiter)
	w.index = len(*ws)
	*ws = append(*ws, w)
}

func (ws *waiters) Pop() any {
	last := len(*ws) - 1
	w := (*ws)[last]
	w.index = -1
	(*ws)[last] = nil
	*ws = (*ws)[:last]
	return w
}
