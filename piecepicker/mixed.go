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
// What a leech asks for tells: a part that it leaves out it has from elsewhere, or asked for there.

const (
	junkKept   = 10 * time.Minute       // after the last who was found to send junk
	lastMixed  = time.Second            // without a new piece, of a leech that lacks nothing but what is mixed
	failsIn    = 500 * time.Millisecond // what is not reported by then was junk
	cleanLeast = 8                      // pieces, and two for each that is mixed, bring the points back
	cleanFor   = 2 * time.Second        // without a new piece, they are kept
	tellsMost  = 6                      // times the time between reminders doubles

	pointsRight, pointsWrong = 1, -2 // for a piece
	pointsMost, pointsLeast  = 7, -8
	pointsBanned             = -7
	pointsSafe               = pointsBanned - pointsWrong + 1 // a failed piece does no harm
	pointsEnough             = 3                              // for some of them at a time
)

// mixing is what is known of the pieces of a peer that have blocks of ours and of others.
type mixing struct {
	points int           // of ours, as libtorrent counts
	climbs bool          // they were too few, and are not enough yet
	asks   uint32        // the piece that was asked for last
	pieces bitset        // that were taken back,
	lacks  int           // and how many of them the peer lacks
	out    int           // loans of mixed pieces
	tells  int           // how often it was reminded since it asked for something,
	told   time.Duration // and when the last time
}

// TakeBack reports a piece that is to be taken back from a peer that asks for b: the one of b, or the one it asked for before, if it stopped short
// of the end. Drop its unanswered requests for it as in [KindChoke], and tell it before that we do not have the piece (BEP 54). It is no longer
// on offer to it. Call it before [Picker.Requested], until it reports none, if the peer understands that message.
func (p *Picker) TakeBack(now time.Time, id Peer, b Block) (piece uint32, back bool) {
	q := p.peerAt(now, id)
	if q == nil || int64(b.Begin)+int64(b.Length) > p.size(b.Index) {
		return 0, false
	}
	before := q.mixing.asks
	if ln := q.loan(before); ln != nil && before != b.Index && p.cutShort(q, ln) && p.takeBack(q, ln) {
		return before, true
	}
	ln := q.loan(b.Index)
	if ln == nil {
		return 0, false
	}
	q.mixing.asks = b.Index
	follows := ln.follows(b)
	switch {
	case ln.units.has(b.Begin / unit):
		p.failed(q, ln)
		return 0, false
	case follows || ln.mixed || ln.failed || p.now >= p.junk && (p.everSent.has(b.Index) || p.otherOrigin):
		return 0, false
	}
	return b.Index, p.takeBack(q, ln)
}

// takeBack takes ln, which is mixed, back from q, or reports false: it does no harm, or nothing else is left.
func (p *Picker) takeBack(q *peer, ln *loan) bool {
	m := &q.mixing
	if p.mayMix(q, q.open-1) {
		ln.mixed = true
		m.out++
		return false
	}
	if m.pieces == nil {
		m.pieces = newBitset(len(p.pieces))
	}
	i := ln.piece
	if !m.pieces.has(i) {
		m.pieces.set(i)
		m.lacks++
	}
	if !ln.withdrawn {
		p.tell(Decision{Kind: KindWithdraw, Peer: q.id, Piece: i, Class: ln.class, Reason: Reason{Code: Mixed}})
	}
	q.stirred = p.now
	q.revealed--
	p.endLoan(q, q.index[i])
	return true
}

// cutShort reports whether q asked for the beginning of a piece alone, of which nobody has the rest, or of whom q gets nothing any more: it has that from
// one who sends junk. Otherwise it may have asked one of the others.
func (p *Picker) cutShort(q *peer, ln *loan) bool {
	return !ln.mixed && !ln.failed && !ln.done && ln.upTo > 0 && int64(ln.upTo) < p.size(ln.piece) && p.now < p.junk &&
		(p.pieces[ln.piece].live == 0 || p.deserted(q))
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
	q.mixing.setPoints(max(q.mixing.points+pointsWrong, pointsBanned))
}

// passed notes that q has the piece of ln, some of which it asked us for.
func (p *Picker) passed(q *peer) {
	n := q.mixing.points + pointsRight
	if n > pointsMost {
		n = pointsLeast
	}
	q.mixing.setPoints(n)
}

func (m *mixing) setPoints(n int) {
	m.points = n
	m.climbs = n < pointsSafe || m.climbs && n < m.enough()
}

// enough returns how many points allow what is mixed to be sent without others between, or some of it at least.
func (m *mixing) enough() int { return min(pointsEnough, pointsSafe+m.lacks-1) }

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

// keptBack reports whether piece i is to be kept from q for now: one that was taken back, while it does harm. Each of these costs a point, the failure
// and what is right then taken together, which only others bring back. So the last others are given when points are lacking, as many as are, and
// kept otherwise.
func (p *Picker) keptBack(q *peer, i uint32) bool {
	m := &q.mixing
	if m.lacks == 0 {
		return false
	}
	kept := p.now-q.grew < cleanFor
	if m.pieces.has(i) {
		return m.climbs && p.cleanLeft(q) > 0 && kept || !p.mayMix(q, q.open)
	}
	return p.nearlyMixed(q) && kept && (!m.climbs || m.points+q.open-m.out >= m.enough())
}

// cleanLeft returns how many pieces q lacks, and was not lent, that are not known to be mixed.
func (p *Picker) cleanLeft(q *peer) int {
	return len(p.pieces) - q.nHave - q.mixing.lacks - (q.open - q.mixing.out)
}

// nearlyMixed reports whether few pieces are left that q lacks, was not lent, and that are not mixed, for those that are, and for those on offer of which
// it is not known yet.
func (p *Picker) nearlyMixed(q *peer) bool { return p.cleanLeft(q) <= 2*q.mixing.lacks+cleanLeast }

// checkMixed reminds q, which was sent all it asked for, that it may ask for what it does not have: libtorrent asks again for a piece that failed, and for
// others after one of its requests was refused, when it is told something. It may not know yet that the piece failed, so that is done again and again.
func (p *Picker) checkMixed(q *peer) {
	m := &q.mixing
	if !q.unchoked || q.pending > 0 || len(q.loans) == 0 || p.now-max(q.stirred, m.told) < failsIn<<min(m.tells, tellsMost) {
		return
	}
	m.told, m.tells = p.now, m.tells+1
	p.tell(Decision{Kind: KindRemind, Peer: q.id, Reason: Reason{Code: Mixed}})
}
