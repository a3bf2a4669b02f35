package piecepicker

import (
	"slices"
	"time"
)

// A loan is a piece that was revealed to a peer, until the peer has it. A loan that is withdrawn leaves the piece free for
// others; the peer may still finish it, since what was revealed cannot be hidden again.
type loan struct {
	piece     uint32
	class     Class
	asked     bool // the peer requested some of it
	withdrawn bool
	charged   bool // to the credit of its class
	cold      bool // left alone for more than a second: not in Picker.inFlight
	done      bool // all of it was sent
	mixed     bool // others sent some of it
	failed    bool // and some of it was junk
	made      time.Duration
	doneAt    time.Duration
	upTo      uint32 // bytes from the first on that were asked for, without a gap
	units     bitset // parts of unit bytes the last byte of which was sent
	left      int64  // bytes of the other units,
	leaving   int64  // of which so many may have left
	passed    int64  // peer.sent by which the peer should have asked for it
}

const (
	unit        = 16 << 10
	settleAfter = 5 * time.Second // some clients never send the HAVE for what they got from us
	keptFor     = 20 * time.Second
	shownMost   = 16 // pieces of a torrent of few are not worth a copy of the last
)

// size returns the length of piece i.
func (p *Picker) size(i uint32) int64 {
	return min(p.cfg.PieceLength, p.cfg.Length-int64(i)*p.cfg.PieceLength)
}

func (q *peer) loan(i uint32) *loan {
	if k, lent := q.index[i]; lent {
		return &q.loans[k]
	}
	return nil
}

// lend reveals piece i to q.
func (p *Picker) lend(q *peer, i uint32, class Class, code Code) {
	pc := &p.pieces[i]
	deaf := q.unchoked && q.waits(p.now)
	if !q.unchoked {
		q.unchoked, q.flipped = true, p.now
		p.tell(Decision{Kind: KindUnchoke, Peer: q.id, Reason: Reason{Code: Served}})
	}
	why := Reason{Code: code, Holders: int(pc.live), Sent: int(pc.sent), Out: q.out(), Window: int(q.relay.window)}
	switch code {
	case Stalled:
		why.After = p.age(pc)
	case Starving:
		why.After = p.starveClock - q.fed
	case Stranded:
		why.After = p.now - q.grew
	case Harmed:
		why.After = seconds(q.late)
	}
	if q.index == nil {
		q.index = map[uint32]int{}
	}
	if len(q.loans) == 0 {
		q.pace = pace{since: p.now, sent: q.sent} // that it took nothing while it was offered nothing says nothing
	}
	q.index[i] = len(q.loans)
	ln := loan{piece: i, class: class, made: p.now, left: p.size(i), charged: p.charged(class, q),
		passed: q.sent + 2*q.remaining + 4*p.cfg.PieceLength}
	for _, part := range q.parts {
		if part.piece == i {
			ln.units, ln.left = part.units, part.left
		}
	}
	if ln.charged {
		p.spend(class, ln.left)
	}
	q.loans = append(q.loans, ln)
	q.lent = p.now
	p.open(q, &q.loans[len(q.loans)-1])
	p.tell(Decision{Kind: KindOffer, Peer: q.id, Piece: i, Class: class, Reason: why})
	if deaf {
		p.tell(Decision{Kind: KindRemind, Peer: q.id, Reason: Reason{Code: Served}})
	}
	if q.revealed++; q.revealed == len(p.pieces)-1 && q.revealed >= shownMost {
		p.lendLast(q, class)
	}
}

// waits reports whether q asks us for nothing, though it lacks something that was shown to it before now.
func (q *peer) waits(now time.Duration) bool {
	return q.pending == 0 && slices.ContainsFunc(q.loans, func(ln loan) bool { return !ln.done && ln.made < now })
}

// lendLast reveals the only piece that q was not shown yet beside the one before it. With that we look complete, and libtorrent leaves
// who is, at once, if it does not lack anything that was shown before.
func (p *Picker) lendLast(q *peer, class Class) {
	for i := range uint32(len(p.pieces)) {
		if q.has(i) || q.loan(i) != nil {
			continue
		}
		code := Lost
		if !p.everSent.has(i) {
			code = Unsent
		}
		p.lend(q, i, class, code)
		return
	}
}

// open counts ln, which is new or was withdrawn.
func (p *Picker) open(q *peer, ln *loan) {
	ln.withdrawn, ln.cold = false, false
	q.open++
	q.remaining += ln.left
	p.fly(q, ln.left)
	p.loans++
	p.pieces[ln.piece].offers++
	p.reclass(ln.piece)
	p.touch(q)
}

// shut is the reverse of open: the piece is free for others.
func (p *Picker) shut(q *peer, ln *loan) {
	if ln.withdrawn {
		return
	}
	if !ln.cold {
		p.fly(q, -ln.left)
	}
	ln.withdrawn = true
	q.open--
	q.remaining -= ln.left
	p.loans--
	p.pieces[ln.piece].offers--
	p.reclass(ln.piece)
	p.touch(q)
}

// withdraw gives up waiting for a loan of q.
func (p *Picker) withdraw(q *peer, ln *loan, code Code, after time.Duration) {
	p.tell(Decision{Kind: KindWithdraw, Peer: q.id, Piece: ln.piece, Class: ln.class, Reason: Reason{Code: code, After: after}})
	p.shut(q, ln)
	if !ln.asked && p.untried(q) {
		p.pieces[ln.piece].kept = uint32((p.now + keptFor) / time.Second)
	}
}

// keptFrom reports whether pc came back of late from one who never took anything, and q was offered pieces and never did, either, while
// somebody is there who does: else those who merely hold what they are lent would hold it one after the other. A newcomer may have it: among
// a thousand who hold something there would be nothing else for it.
func (p *Picker) keptFrom(q *peer, pc *piece) bool {
	return p.tried > 0 && time.Duration(pc.kept)*time.Second > p.now && p.untried(q) && q.lent > q.joined
}

// endLoan forgets the loan at place k of q.
func (p *Picker) endLoan(q *peer, k int) {
	ln := &q.loans[k]
	p.shut(q, ln)
	p.unmix(q, ln)
	if ln.charged {
		p.refund(ln.class, ln.left)
	}
	delete(q.index, ln.piece)
	last := len(q.loans) - 1
	if k != last {
		q.loans[k] = q.loans[last]
		q.index[q.loans[k].piece] = k
	}
	q.loans[last] = loan{}
	q.loans = q.loans[:last]
}

// fly counts n bytes more, or less, that are on their way to q.
func (p *Picker) fly(q *peer, n int64) {
	q.inFlight += n
	p.inFlight += n
	if q.stranger {
		p.strangeFlight += n
		p.needStuck = p.needStuck && n > 0
	}
}

// warm notes that q moves on with ln.
func (p *Picker) warm(q *peer, ln *loan) {
	if ln.cold && !ln.withdrawn {
		p.fly(q, ln.left)
	}
	ln.cold = false
}

// progress notes that n bytes of the piece of ln from begin on were sent. A unit counts when its last byte is sent, so that
// bytes sent twice do not make a piece whole.
func (p *Picker) progress(q *peer, ln *loan, begin, n int64) {
	size := p.size(ln.piece)
	if ln.done || n <= 0 || begin+n > size {
		return
	}
	if ln.units == nil {
		ln.units = newBitset(int((size + unit - 1) / unit))
	}
	ln.asked = true
	p.warm(q, ln)
	for u := begin / unit; u <= (begin+n-1)/unit; u++ {
		end := min((u+1)*unit, size)
		if end > begin+n || ln.units.has(uint32(u)) {
			continue
		}
		ln.units.set(uint32(u))
		p.advance(q, ln, end-u*unit)
	}
	if ln.left == 0 {
		p.whole(q, ln)
	}
}

// advance takes n bytes off what is left of ln.
func (p *Picker) advance(q *peer, ln *loan, n int64) {
	ln.left -= n
	if ln.withdrawn {
		return
	}
	q.remaining -= n
	p.fly(q, -n)
	if !p.queuedForNeed(q) {
		p.touch(q)
	}
}

// whole notes that a whole copy of the piece of ln was sent. It is q's to say that it has it.
func (p *Picker) whole(q *peer, ln *loan) {
	if ln.done {
		return
	}
	p.advance(q, ln, ln.left)
	ln.done, ln.doneAt = true, p.now
	pc := &p.pieces[ln.piece]
	pc.sent += min(1, 255-pc.sent)
	if !p.everSent.has(ln.piece) {
		p.everSent.set(ln.piece)
		p.unsentLeft--
	}
	if q.relay.served++; q.relay.served == 1 {
		p.judge(q) // it takes something
	}
	if ln.withdrawn {
		p.open(q, ln) // nobody else needs it while this copy settles
	}
	p.reclass(ln.piece)
}

// receive ends the loan at place k, the piece of which q has now. It reports whether q has it from us, and whether q has
// nothing of it from us.
func (p *Picker) receive(q *peer, k int) (ours, untouched bool) {
	ln := &q.loans[k]
	size, left := p.size(ln.piece), ln.left-ln.leaving
	untouched = left == size
	if ln.asked {
		p.passed(q)
	}
	sole := !p.otherServes && !p.everSent.has(ln.piece) // then it can have it from nobody else, whatever we know of the sending
	ours = ln.done || left <= size/2 || sole && ln.asked
	if ours {
		untouched = false
		p.warm(q, ln)
		p.whole(q, ln)
	} else if untouched && !ln.withdrawn {
		p.tell(Decision{Kind: KindWithdraw, Peer: q.id, Piece: ln.piece, Class: ln.class, Reason: Reason{Code: Elsewhere}})
	}
	p.endLoan(q, k)
	return ours, untouched
}

// settle takes q to have what it was sent whole: all of it if now, else what was sent long enough ago.
func (p *Picker) settle(q *peer, now bool) {
	for k := len(q.loans) - 1; k >= 0; k-- {
		if k < len(q.loans) && q.loans[k].done && (now || !q.loans[k].mixed && p.now-q.loans[k].doneAt >= settleAfter) {
			p.gain(q, q.loans[k].piece)
		}
	}
}
