package piecepicker

import "time"

// Laggards.
//
// What a peer was lent is nobody else's, and what it asked for is on its way. One that does not read what was sent to it holds both for
// as long as it likes. So while a write to it does not end, its loans are not counted as on their way, it is offered nothing, and
// what it was lent goes to others as soon as the line would idle, as with a blocked peer. Then it has to finish what it began before it
// is offered more: a peer that is just slow gets one piece after the other.

// PeerLags notes that the peer does not read what it was sent: a write has waited for it for longer than for any peer of use, or that it
// reads on.
func (p *Picker) PeerLags(now time.Time, id Peer, lags bool) {
	q := p.peerAt(now, id)
	if q == nil || q.lags == lags {
		return
	}
	if q.lags = lags; lags {
		p.chill(q)
		p.checkBlocked(q, p.busy())
	}
	p.touch(q)
}

// chill takes what q was lent off what is on its way.
func (p *Picker) chill(q *peer) {
	for k := range q.loans {
		if ln := &q.loans[k]; !ln.withdrawn && !ln.cold && !ln.done {
			ln.cold = true
			p.fly(q, -ln.left)
		}
	}
}

// checkLag follows how q gets on with what was withdrawn.
func (p *Picker) checkLag(q *peer) {
	if q.lags {
		p.chill(q)
		return
	}
	if !q.behind || q.pending > 0 && q.begun() {
		return
	}
	q.behind = false
	p.touch(q)
}

// begun reports whether q was sent a part of what was withdrawn since.
func (q *peer) begun() bool {
	for k := range q.loans {
		if ln := &q.loans[k]; ln.asked && ln.withdrawn && !ln.done {
			return true
		}
	}
	return false
}
