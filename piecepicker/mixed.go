package piecepicker

import "time"

// Mixed pieces.
//
// A leech that was sent junk finds out when the piece is whole, and distrusts all who sent some of it. libtorrent counts: a piece that is
// right gives each of its senders a point, one that is not takes two, and it bans who comes down to -7. (It bans at once who sent a whole
// piece of junk.) But up to 2.1 it keeps the points in four bits, in which 8 is -8: so who sent it eight pieces, and then the rest of one that a
// liar began, is banned for that one. Between leeches nothing can be done about it, and whoever loses its partners like that has us
// only. So we keep count of our own points, and while a piece that fails would have us banned, we send a leech no part of a piece that others
// began: that is taken back (lt_donthave, BEP 54), and another is shown.
//
// What a leech asks for tells: a part that it leaves out it has from elsewhere.

const (
	junkKept  = 10 * time.Minute       // after the last who was found to send junk
	lastMixed = time.Second            // without a new piece, of a leech that lacks nothing but what is mixed
	failsIn   = 500 * time.Millisecond // what is not reported by then was junk
	lastClean = 8                      // pieces are for the time when nothing mixed does no harm

	pointsRight, pointsWrong = 1, -2 // for a piece
	pointsMost, pointsLeast  = 7, -8
	pointsBanned             = -7
)

// mixing is what is known of the pieces of a peer that have blocks of ours and of others.
type mixing struct {
	points int           // of ours, as libtorrent counts
	pieces bitset        // that were taken back,
	lacks  int           // and how many of them the peer lacks
	out    int           // loans of mixed pieces,
	since  time.Duration // and when the last one was found to be one
}

// TakeBack reports whether the piece of a request is to be taken back from the peer: drop its unanswered requests for it as in [KindChoke], and
// tell it before that we do not have the piece (BEP 54). It is no longer on offer to it. Call it before [Picker.Requested], if the peer
// understands that message.
func (p *Picker) TakeBack(now time.Time, id Peer, b Block) bool {
	q := p.peerAt(now, id)
	if q == nil || int64(b.Begin)+int64(b.Length) > p.size(b.Index) {
		return false
	}
	ln := q.loan(b.Index)
	if ln == nil {
		return false
	}
	m, follows := &q.mixing, ln.follows(b)
	switch {
	case ln.units.has(b.Begin / unit):
		p.failed(q, ln)
		return false
	case follows || ln.mixed || ln.failed || p.now >= p.junk && (p.everSent.has(b.Index) || p.otherOrigin):
		return false
	case p.mayMix(q, q.open-1):
		ln.mixed, m.since = true, p.now
		m.out++
		return false
	}
	if m.pieces == nil {
		m.pieces = newBitset(len(p.pieces))
	}
	if !m.pieces.has(b.Index) {
		m.pieces.set(b.Index)
		m.lacks++
	}
	if !ln.withdrawn {
		p.tell(Decision{Kind: KindWithdraw, Peer: q.id, Piece: b.Index, Class: ln.class, Reason: Reason{Code: Mixed}})
	}
	q.stirred = p.now
	q.revealed--
	p.endLoan(q, q.index[b.Index])
	return true
}

// follows reports whether b, and all that was asked for of ln before, begins with the first byte and leaves no gap. It notes b.
func (ln *loan) follows(b Block) bool {
	if b.Begin > ln.upTo {
		return false
	}
	ln.upTo = max(ln.upTo, b.Begin+b.Length)
	return true
}

// failed notes that q asks again for what it was sent of ln: the piece was not right.
func (p *Picker) failed(q *peer, ln *loan) {
	if ln.failed {
		return
	}
	ln.failed = true
	p.unmix(q, ln)
	q.mixing.points = max(q.mixing.points+pointsWrong, pointsBanned)
}

// passed notes that q has the piece of ln, some of which it asked us for.
func (p *Picker) passed(q *peer, ln *loan) {
	m := &q.mixing
	if m.points += pointsRight; m.points > pointsMost {
		m.points = pointsLeast
	}
}

// unmix notes that nothing is mixed up in ln any more.
func (p *Picker) unmix(q *peer, ln *loan) {
	if ln.mixed {
		ln.mixed = false
		q.mixing.out--
	}
}

// mayMix reports whether q may be sent a part of a piece that others send it, too: whatever becomes of it and of other pieces that are on
// offer, it will not ban us for that, or nothing else is left.
func (p *Picker) mayMix(q *peer, others int) bool {
	m := &q.mixing
	if others > 0 {
		others++ // one of which we do not know yet that it was right
	}
	if m.points+(m.out+1)*pointsWrong > pointsBanned && m.points+others*pointsRight <= pointsMost {
		return true
	}
	return m.out == 0 && len(p.pieces)-q.nHave <= m.lacks && p.now-q.grew >= lastMixed
}

// keptBack reports whether piece i is to be kept from q for now: one that was taken back, while it does harm, and of the last others any while it
// does none, or it is not known yet what became of one. The others bring the points back to where it does no harm, and are needed for that.
func (p *Picker) keptBack(q *peer, i uint32) bool {
	m := &q.mixing
	if m.lacks == 0 {
		return false
	}
	if m.pieces.has(i) {
		return !p.mayMix(q, q.open)
	}
	return p.nearlyMixed(q) && (p.mayMix(q, q.open) || m.out > 0 && p.now-m.since < 4*failsIn)
}

// nearlyMixed reports whether q lacks few pieces that were not taken back.
func (p *Picker) nearlyMixed(q *peer) bool { return len(p.pieces)-q.nHave-q.mixing.lacks <= lastClean }

// checkMixed reminds q, which was sent all it asked for, that it may ask again for what it does not have: libtorrent does so when it is told
// something.
func (p *Picker) checkMixed(q *peer) {
	if !q.unchoked || q.pending > 0 || p.now-q.stirred < failsIn {
		return
	}
	for k := range q.loans {
		if ln := &q.loans[k]; ln.mixed && !ln.reminded {
			ln.reminded = true
			p.tell(Decision{Kind: KindRemind, Peer: q.id, Reason: Reason{Code: Mixed}})
			return
		}
	}
}
