package piecepicker

import "time"

// Blocked peers.
//
// A peer asks for all it can of a piece as soon as it sees it. What it does not ask us for it has asked others for, who may not
// send it for minutes, or never; and it is seldom alone with that, since whoever claims what nobody has is asked by everybody. So
// while the line idles, what was lent to a peer that used to take pieces, and asks for nothing, goes to another, who may be freer,
// and it gets other pieces. One that never took anything loses it, too, if others do, and is offered nothing until it asks: what liars
// are lent is lost to others.
//
// While liars are there, who usually asks at once is not waited for as long, and whether the line idles or not: what is left at the end
// has to find the one leech of many that did not ask a liar for it.

const (
	blockedAfter = 2 * time.Second
	blockedLeast = 250 * time.Millisecond
	stallEvery   = 125 * time.Millisecond
	promptTimes  = 4   // the usual delay of a peer is waited for
	idleLine     = 0.5 // of what it carries: less leaves it idle
	beginsMost   = 64  // peers
)

// prompt notes that q asked for what it was offered after d. Long delays say less: it may have had something else to ask for.
func (q *peer) prompt(d time.Duration) {
	if q.delay == 0 {
		q.delay = blockedAfter
	}
	if d < q.delay {
		q.delay = (q.delay + d) / 2
	} else {
		q.delay += (min(d, blockedAfter) - q.delay) / 16
	}
}

// blockedAfter returns how long q is waited for.
func (p *Picker) blockedAfter(q *peer) time.Duration {
	if p.now >= p.crowded || q.delay == 0 {
		return blockedAfter
	}
	return clamp(promptTimes*q.delay, blockedLeast, blockedAfter)
}

// stalls reports whether the line idles with pieces on loan, among liars or those who never took anything: they are looked at more often.
func (p *Picker) stalls() bool {
	return (p.now < p.crowded || p.begins()) && p.loans > 0 && !p.busy()
}

// begins reports whether all that took pieces are gone, and few are there, or nobody takes anything. In a large swarm as many newcomers as
// may connect come at once, all of them slow to begin: to hurry them would cost copies.
func (p *Picker) begins() bool {
	return p.tried == 0 && p.sent > 0 && len(p.takers) <= beginsMost || p.silent()
}

// asks notes a request of q that is to be answered.
func (q *peer) asks(now time.Duration) { q.pending, q.stirred, q.mixing.tells = q.pending+1, now, 0 }

// answered notes that n bytes were sent to q, or a request was taken back.
func (q *peer) answered(now time.Duration, n int) {
	q.pending, q.stirred = max(0, q.pending-(n+unit-1)/unit), now
}

// busy reports whether the line has something to do without what is withdrawn.
func (p *Picker) busy() bool { return p.needed() > 0 && p.meter.rate > idleLine*p.fullRate() }

// checkBlocked withdraws what q does not ask for, or does not take: without blame from one that took pieces before. Who never did may be
// slow to begin, and is waited for as long as nobody else is known to take any, or to wait for it. A liar loses what it was lent even while the line is busy.
func (p *Picker) checkBlocked(q *peer, busy bool) {
	blocked := q.pending == 0 && (q.sent > 0 || p.tried > 0 || q.isBarren || p.silent()) && p.now-q.stirred >= p.blockedAfter(q)
	hurry := q.liar && p.proven > 0 || p.blockedAfter(q) < blockedAfter
	if !blocked && !q.lags || len(p.takers) < 2 || busy && !hurry {
		return
	}
	held := false
	for k := range q.loans {
		ln := &q.loans[k]
		if ln.withdrawn || ln.done || p.now-ln.made < p.blockedAfter(q) && !q.lags {
			continue
		}
		q.behind = q.behind || q.lags
		code := NotStarted
		if ln.asked {
			code = Slow
		}
		p.withdraw(q, ln, code, p.now-max(ln.made, q.stirred))
		held = true
	}
	if held && p.untried(q) && !q.isBarren {
		p.shun(q) // until it asks for something
	}
}
