package swarmsim

import (
	"container/heap"
	"time"
)

// timers are what is to be done later, in order of time; what is due at the same time, in the order it was asked for.
type timers struct {
	queue timerQueue
	asked int
}

type timer struct {
	at  time.Duration
	seq int
	do  func()
}

func (t *timers) at(when time.Duration, do func()) {
	t.asked++
	heap.Push(&t.queue, timer{when, t.asked, do})
}

// run does what is due.
func (t *timers) run(now time.Duration) {
	for len(t.queue) > 0 && t.queue[0].at <= now {
		heap.Pop(&t.queue).(timer).do()
	}
}

type timerQueue []timer

func (q timerQueue) Len() int { return len(q) }
func (q timerQueue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].seq < q[j].seq
}
func (q timerQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *timerQueue) Push(x any)   { *q = append(*q, x.(timer)) }
func (q *timerQueue) Pop() any {
	last := len(*q) - 1
	t := (*q)[last]
	(*q)[last] = timer{}
	*q = (*q)[:last]
	return t
}
