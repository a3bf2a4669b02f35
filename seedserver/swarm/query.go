package swarm

import "time"

// A query is a question to the loop.
type query[T any] struct {
	of    func(l *loop, now time.Time) T
	reply chan T // holds one, so that the loop does not wait
}

func (q *query[T]) apply(l *loop, now time.Time) { q.reply <- q.of(l, now) }

// ask returns what of returns in the loop, or reports false: s does not run. Any goroutine may call it, but for those of
// Config.Sent.
func ask[T any](s *Swarm, of func(l *loop, now time.Time) T) (answer T, ok bool) {
	select {
	case <-s.running:
	default:
		return answer, false
	}
	q := &query[T]{of: of, reply: make(chan T, 1)}
	if !s.post(q) {
		return answer, false
	}
	select {
	case answer = <-q.reply:
		return answer, true
	case <-s.done:
		return answer, false
	}
}
