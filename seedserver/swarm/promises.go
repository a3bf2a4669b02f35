package swarm

import (
	"slices"

	"github.com/seedserver/bittorrent/peerwire"
)

// A run is requests that follow each other in one piece: n blocks of length bytes, the first at begin. Its methods take a pointer:
// it has a field too many to be copied in registers.
type run struct {
	index, begin, length, n uint32
	class                   Class
}

func (r *run) bytes() int { return int(r.length) * int(r.n) }

// bytesOf returns the bytes of all runs.
func bytesOf(runs []run) (total int) {
	for i := range runs {
		total += runs[i].bytes()
	}
	return total
}

// block returns the i-th request of the run.
func (r *run) block(i uint32) peerwire.Request {
	return peerwire.Request{Index: r.index, Begin: r.begin + i*r.length, Length: r.length}
}

// find returns the place of q in the run, if it is one of its blocks.
func (r *run) find(q peerwire.Request) (i uint32, found bool) {
	if q.Index != r.index || q.Length != r.length || q.Begin < r.begin {
		return 0, false
	}
	distance := q.Begin - r.begin
	if uint64(distance) >= uint64(r.n)*uint64(r.length) {
		return 0, false // the usual case, without a division
	}
	return distance / r.length, distance%r.length == 0
}

// promises are the requests of one peer that were accepted and not yet taken up, in order of arrival. Clients ask for the
// blocks of a piece one after the other, so a queue of hundreds of requests is a few runs, and whatever is done with it
// costs that little. The zero value is an empty queue. Every request in it has a length, lies inside its piece, and is there
// only once.
type promises struct {
	runs    []run
	n       int          // blocks in all runs
	byClass [Classes]int // blocks in the runs of each class
}

// A grant is a request that will be answered, and what for.
type grant struct {
	peerwire.Request
	class Class
}

// contains reports whether r is in the queue.
func (q *promises) contains(r peerwire.Request) bool {
	for i := range q.runs {
		if _, found := q.runs[i].find(r); found {
			return true
		}
	}
	return false
}

// push adds r, which the queue does not contain, at the end.
func (q *promises) push(r grant) {
	q.n++
	q.byClass[r.class]++
	if len(q.runs) > 0 {
		last := &q.runs[len(q.runs)-1]
		if last.class == r.class && last.index == r.Index && last.length == r.Length &&
			uint64(r.Begin) == uint64(last.begin)+uint64(last.n)*uint64(last.length) {
			last.n++
			return
		}
	}
	q.runs = append(q.runs, run{index: r.Index, begin: r.Begin, length: r.Length, n: 1, class: r.class})
}

// remove takes r out of the queue, and reports whether it was there.
func (q *promises) remove(r peerwire.Request) bool {
	for i := range q.runs {
		at, found := q.runs[i].find(r)
		if !found {
			continue
		}
		q.n--
		q.byClass[q.runs[i].class]--
		before, after := q.runs[i], q.runs[i]
		before.n = at
		after.begin, after.n = r.Begin+r.Length, after.n-at-1
		switch {
		case before.n == 0 && after.n == 0:
			q.runs = slices.Delete(q.runs, i, i+1)
		case before.n == 0:
			q.runs[i] = after
		case after.n == 0:
			q.runs[i] = before
		default:
			q.runs[i] = before
			q.runs = slices.Insert(q.runs, i+1, after)
		}
		return true
	}
	return false
}

// urgent returns the class that comes first in a queue that is not empty.
func (q *promises) urgent() Class {
	for c, n := range q.byClass {
		if n > 0 {
			return Class(c)
		}
	}
	return Plain
}

// next returns how many bytes take would give, and of which class: 0 when the queue is empty, else at least the oldest block of
// the most urgent class.
func (q *promises) next(limit int) (total int, class Class) {
	class = q.urgent()
	for i := range q.runs {
		r := &q.runs[i]
		if r.class != class {
			continue
		}
		fit := fitting(r, limit-total, total == 0)
		total += int(fit) * int(r.length)
		if fit < r.n {
			break
		}
	}
	return total, class
}

// take moves the oldest requests of the most urgent class to dst: as many as make up limit bytes, and at least one.
func (q *promises) take(dst []run, limit int) []run {
	class, total := q.urgent(), 0
	kept := q.runs[:0]
	for i := range q.runs {
		r := &q.runs[i]
		fit := uint32(0)
		if r.class == class {
			fit = fitting(r, limit-total, total == 0)
		}
		if fit > 0 {
			taken := *r
			taken.n = fit
			dst = append(dst, taken)
			total += taken.bytes()
			q.n -= int(fit)
			q.byClass[class] -= int(fit)
		}
		if fit == r.n {
			continue
		}
		r.begin, r.n = r.begin+fit*r.length, r.n-fit
		kept = append(kept, *r)
		if r.class == class {
			kept = append(kept, q.runs[i+1:]...)
			break
		}
	}
	q.runs = kept
	return dst
}

// peek appends to dst what take is going to move next, as long as it makes up limit bytes at the most.
func (q *promises) peek(dst []run, limit int) []run {
	class := q.urgent()
	for i := range q.runs {
		r := q.runs[i]
		if r.class != class {
			continue
		}
		fit := fitting(&r, limit, false)
		if fit > 0 {
			part := r
			part.n = fit
			dst = append(dst, part)
			limit -= part.bytes()
		}
		if fit < r.n {
			break
		}
	}
	return dst
}

// without takes all requests of a piece out of the queue, and returns them.
func (q *promises) without(piece uint32) (taken []run) {
	q.runs = slices.DeleteFunc(q.runs, func(r run) bool {
		if r.index != piece {
			return false
		}
		taken = append(taken, r)
		q.n -= int(r.n)
		q.byClass[r.class] -= int(r.n)
		return true
	})
	return taken
}

// clear empties the queue.
func (q *promises) clear() { *q = promises{runs: q.runs[:0]} }

// appendRejects appends the Reject of every block of runs (BEP 6).
func appendRejects(dst []byte, runs []run) []byte {
	for _, r := range runs {
		for i := range r.n {
			dst = peerwire.AppendReject(dst, r.block(i))
		}
	}
	return dst
}

// fitting returns how many blocks of r fit into room bytes; one at least when it must be.
func fitting(r *run, room int, atLeastOne bool) uint32 {
	if r.bytes() <= room {
		return r.n
	}
	fit := uint32(max(room, 0) / int(r.length))
	if fit == 0 && atLeastOne {
		return 1
	}
	return fit
}
