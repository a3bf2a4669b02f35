package piecepicker

import "time"

// Blocked peers.
//
// A peer asks for all it can of a piece as soon as it sees it. What it does not ask us for it has asked others for, who may not
// send it for minutes, or never; and it is seldom alone with that, since whoever claims what nobody has is asked by everybody. So
// while the line idles, what was lent to a peer that used to take pieces, and asks for nothing, goes to another, who may be freer,
// and it gets other pieces. A barren one, which may have been offered pieces while nobody else was there, need not have taken any.

const (
	blockedAfter = 2 * time.Second
	idleLine     = 0.5 // of what it carries: less leaves it idle
)

// asks notes a request of q that is to be answered.
func (q *peer) asks(now time.Duration) { q.pending, q.stirred = q.pending+1, now }

// answered notes that n bytes were sent to q, or a request was taken back.
func (q *peer) answered(now time.Duration, n int) {
	q.pending, q.stirred = max(0, q.pending-(n+unit-1)/unit), now
}

// busy reports whether the line has something to do without what is withdrawn.
func (p *Picker) busy() bool { return p.needed() > 0 && p.meter.rate > idleLine*p.fullRate() }

// checkBlocked withdraws what q does not ask for, or does not take, without blame. Who never took anything may be slow to begin: it is
// waited for unless somebody is there who passes pieces on. Then a liar loses what it was lent even while the line is busy.
func (p *Picker) checkBlocked(q *peer, busy bool) {
	blocked := q.pending == 0 && (q.sent > 0 || p.proven > 0 || q.isBarren) && p.now-q.stirred >= blockedAfter
	if !blocked && !q.lags || len(p.takers) < 2 || busy && !(q.liar && p.proven > 0) {
		return
	}
	for k := range q.loans {
		ln := &q.loans[k]
		if ln.withdrawn || ln.done || p.now-ln.made < blockedAfter && !q.lags {
			continue
		}
		q.behind = q.behind || q.lags
		code := NotStarted
		if ln.asked {
			code = Slow
		}
		p.withdraw(q, ln, code, p.now-max(ln.made, q.stirred))
	}
}
