package piecepicker

import (
	"math/bits"
	"slices"
	"time"
)

// Who is asked to show what it claims.
//
// Saying is free, so a peer that came with everything, or whose pieces cannot be from us, is asked for blocks, as any leech
// would ask: at random, one at a time, once it unchokes us. Three right blocks of different pieces make its word count for a
// while. Wrong bytes make a liar. Silence says nothing: a seed may have better things to do, and is not counted meanwhile.

const (
	auditPieces  = 3 // different pieces that make a peer count
	auditBlock   = unit
	auditHolds   = 45 * time.Minute
	auditAgain   = 30 * time.Minute // one block more after this time, and up to auditJitter; that holds as long
	auditJitter  = 10 * time.Minute
	auditPause   = 2 * time.Second  // at most, between two blocks
	auditRetry   = time.Minute      // after silence, and
	auditRefused = 10 * time.Second // after a refusal; doubled each time
	auditRetries = 6
	auditPerHour = 64 << 10         // bytes asked of one peer
	auditShare   = 100              // of what was sent, what is fetched is a hundredth at most
	auditWait    = 10 * time.Second // choked, before a piece is asked that it would give to anybody
	interestKept = 30 * time.Second // at least, and as long not shown again: some take quick changes for flooding
	interestAlso = 10 * time.Second // until the next block, if that is all
	keepBlock    = 128              // asked of a peer that would leave us otherwise
	probeBlock   = 128              // asked of one that never answered, when others are silent
	auditLeast   = 8 << 10          // an hour that leaves less than a block leaves one of this size, at least

	leechAudits  = 4 // leeches that are asked at a time: they have few slots
	leechWait    = 2 * time.Minute
	leechRetry   = 20 * time.Minute
	auditAllowed = 32 // pieces of an allowed-fast set that are remembered
	auditDraws   = 4
)

// audit is what is asked of one peer, and what it answered.
type audit struct {
	interested bool // it was told that we are
	open       bool // it does not choke us
	leech      bool // it has one of the places for leeches
	asked      bool // block is on its way
	weak       bool // and was asked of a peer that choked us
	strange    bool // and of one that never answered
	probe      bool // and is only to see whether it does
	block      Block
	allowed    []uint32 // pieces it gives even then
	fresh      uint32   // the last piece it said it has, while claimed
	claimed    bool

	due    time.Duration // not before
	since  time.Duration // when it was told that we are interested
	right  []shown       // what it answered, of different pieces, oldest first
	spent  []spending    // in the last hour, oldest first
	silent int           // requests in a row without an answer
	count  auditCount
}

type auditCount struct{ asked, right, weak, silent int }

type shown struct {
	piece uint32
	at    time.Duration
}

type spending struct {
	at    time.Duration
	bytes uint32
}

// auditing is what all audits amount to.
type auditing struct {
	fetched  int64 // bytes of blocks that came
	reserved int64 // bytes of blocks that were asked for and may come
	strange  int64 // of those, of peers that never answered
	leeches  int   // leeches that are being asked
}

// PeerChoking notes that the peer chokes us, as every peer does at first, or unchokes us.
func (p *Picker) PeerChoking(now time.Time, id Peer, choking bool) {
	if q := p.peerAt(now, id); q != nil {
		q.audit.open = !choking
		if choking {
			p.heeded(q)
		}
		p.supervise(q) // at once: the first window may be a second long
	}
}

// SetPatience notes how long the peer's client stays with a leech that asks it for nothing, as in [PeerInfo].
func (p *Picker) SetPatience(now time.Time, id Peer, patience time.Duration) {
	if q := p.peerAt(now, id); q != nil {
		q.patience = patience
	}
}

// PeerAllows notes that the peer gives blocks of the piece even while it chokes us (BEP 6). At most 32 are remembered.
func (p *Picker) PeerAllows(now time.Time, id Peer, piece uint32) {
	q := p.peerAt(now, id)
	if q == nil || int64(piece) >= int64(len(p.pieces)) {
		return
	}
	if a := q.audit; len(a.allowed) < auditAllowed && !slices.Contains(a.allowed, piece) {
		a.allowed = append(a.allowed, piece)
	}
}

// Answered notes that the peer sent a block it was asked for, in time or later: right says that its bytes are ours.
func (p *Picker) Answered(now time.Time, id Peer, b Block, right bool) {
	q := p.peerAt(now, id)
	if q == nil {
		return
	}
	a := q.audit
	weak, probe := false, false
	p.audits.fetched += int64(b.Length)
	if a.asked && a.block == b {
		weak, probe = a.weak, a.probe
		p.release(a)
	}
	if !right {
		p.verdict(q, false)
		return
	}
	a.silent = 0
	if weak {
		a.count.weak++
		a.due = p.now + p.later(q)
		return
	}
	a.count.right++
	if !probe {
		a.note(b.Index, p.now)
	}
	switch need := min(auditPieces, q.nHave); {
	case probe:
		a.due = p.now
	case q.audited > p.now || len(a.right) >= need:
		a.due = p.now + p.later(q)
		p.verdict(q, true)
	default:
		a.due = p.now + time.Duration(p.rng.Float64()*float64(auditPause))
	}
	p.supervise(q)
}

// Unanswered notes that a block the peer was asked for will not come, or is not waited for any more. That is no verdict.
func (p *Picker) Unanswered(now time.Time, id Peer, b Block) { p.unanswered(now, id, b, auditRetry) }

// Refused notes that the peer said it will not send a block it was asked for, or choked us before it did. That is no verdict, either,
// and it is asked again sooner: it is there, and has better customers at the moment.
func (p *Picker) Refused(now time.Time, id Peer, b Block) { p.unanswered(now, id, b, auditRefused) }

func (p *Picker) unanswered(now time.Time, id Peer, b Block, retry time.Duration) {
	q := p.peerAt(now, id)
	if q == nil || !q.audit.asked || q.audit.block != b {
		return
	}
	a := q.audit
	p.release(a)
	a.count.silent++
	a.due = p.now + p.jitter(retry<<min(a.silent, auditRetries))
	a.silent++
	p.supervise(q)
}

// verdict judges q by what it sent.
func (p *Picker) verdict(q *peer, right bool) {
	if right {
		q.audited = p.now + auditHolds
		q.strikes, q.liar = 0, q.auditFail
		if !q.liar && p.foreign(q) {
			p.secondOrigin()
		}
	} else {
		if !q.auditFail {
			q.group.failed++
			p.tell(Decision{Kind: KindDrop, Peer: q.id, Reason: Reason{Code: AuditFailed}})
		}
		q.auditFail, q.liar = true, true
		p.junk = p.now + junkKept
	}
	p.judge(q)
	p.touch(q)
}

// note adds a right answer; those that are too old to count go.
func (a *audit) note(piece uint32, now time.Duration) {
	a.right = slices.DeleteFunc(a.right, func(s shown) bool { return s.piece == piece || now-s.at >= auditHolds })
	a.right = append(a.right, shown{piece, now})
	if len(a.right) > auditPieces {
		a.right = slices.Delete(a.right, 0, 1)
	}
}

// later returns the time to the next block that is asked of q, which has answered.
func (p *Picker) later(q *peer) time.Duration {
	next := auditAgain + time.Duration(p.rng.Float64()*float64(auditJitter))
	if q.patience > 0 {
		next = min(next, p.jitter(q.patience*4/5))
	}
	return next
}

// jitter returns a time between nine tenths of d and d.
func (p *Picker) jitter(d time.Duration) time.Duration {
	return d - time.Duration(p.rng.Float64()*float64(d)/10)
}

// release forgets the block that was asked for.
func (p *Picker) release(a *audit) {
	p.audits.reserved -= int64(a.block.Length)
	if a.strange {
		p.audits.strange -= int64(a.block.Length)
	}
	a.asked = false
}

// claimant reports whether q says that it has everything, or what it can neither have from us nor from others. What we gave it is no claim.
func (q *peer) claimant() bool {
	return q.claimed || q.strikes > 0 || q.complete && q.trust == Unproven && q.nHave > q.relay.served
}

// suspect reports whether an answer of q would tell something.
func (p *Picker) suspect(q *peer) bool {
	switch {
	case !q.ready || q.auditFail || q.nHave == 0:
		return false
	case q.claimant():
		return true
	case q.trust != Unproven || q.complete || q.nHave <= q.relay.served:
		return false
	}
	return q.audit.leech || p.audits.leeches < leechAudits
}

// supervise does what is due with q: tells it that we are interested, or no more, or asks it for a block. Interest that is kept
// without a request makes some clients leave, and takes a slot from others, and so there is none while nothing can be asked.
func (p *Picker) supervise(q *peer) {
	a := q.audit
	if !p.suspect(q) {
		p.setInterest(q, false)
		return
	}
	if a.leech && !a.asked && p.now-a.since >= leechWait {
		a.due = max(a.due, p.now+leechRetry+p.jitter(leechRetry))
	}
	due, lasting := a.due <= p.now, p.now-a.since < interestKept
	length, probe := p.fetchable(q)
	can := due && !a.asked && length > 0
	switch {
	case a.asked || p.impatient(q):
		p.setInterest(q, true)
	case a.interested:
		p.setInterest(q, can || due && lasting || !due && a.due-p.now <= interestAlso)
	default:
		p.setInterest(q, can && !lasting)
	}
	if can && a.interested {
		p.request(q, length, probe)
	}
}

// impatient reports whether q would leave over a minute without interest of ours.
func (p *Picker) impatient(q *peer) bool { return q.patience > 0 && q.patience <= time.Minute }

// stranger reports whether the peer never answered.
func (a *audit) stranger() bool { return a.count.right+a.count.weak == 0 }

func (p *Picker) setInterest(q *peer, wants bool) {
	a := q.audit
	if a.interested == wants {
		return
	}
	a.since = p.now
	switch leech := wants && !q.claimant(); {
	case leech && !a.leech:
		p.audits.leeches++
		a.leech = true
	case !wants && a.leech:
		p.audits.leeches--
		a.leech = false
	}
	p.show(q, wants, q.rechoking.interested, Claims)
}

// fetchable returns how many bytes q may be asked for now, or 0: of what is fetched in all, and of it. Peers that never answered are
// waited for with half of what is left, so that many that are silent do not keep us from those that are not. While these hold
// that, whoever else never answered is asked for a little: if it answers it has a share of the other half.
func (p *Picker) fetchable(q *peer) (n int64, probe bool) {
	a := q.audit
	n = auditBlock
	if q.patience > 0 && (q.audited > p.now || !a.open && a.count.weak > 0) {
		n = keepBlock
	}
	left := p.sent/auditShare - p.audits.fetched
	if a.stranger() && p.audits.strange > 0 && p.audits.strange+n > left/2 {
		n, probe = probeBlock, true
	}
	hour := int64(auditPerHour)
	a.spent = slices.DeleteFunc(a.spent, func(s spending) bool { return p.now-s.at >= time.Hour })
	for _, s := range a.spent {
		hour -= int64(s.bytes)
	}
	if hour >= auditLeast {
		n = min(n, hour)
	}
	if n > hour || p.audits.reserved+n > left {
		return 0, false
	}
	return n, probe
}

// request asks q for a block of at most length bytes, if it would answer.
func (p *Picker) request(q *peer, length int64, probe bool) {
	a := q.audit
	var piece uint32
	ok := false
	switch {
	case a.open:
		piece, ok = p.examine(q)
	case p.now-a.since < auditWait, !p.impatient(q) && a.count.weak > 0:
	case len(a.allowed) > 0:
		// What it would give to anybody shows little: it is asked once, and to be kept.
		piece, ok = a.allowed[p.rng.IntN(len(a.allowed))], true
		ok = q.has(piece)
	}
	if !ok {
		return
	}
	size := p.size(piece)
	begin := p.rng.Int64N((size+auditBlock-1)/auditBlock) * auditBlock
	b := Block{Index: piece, Begin: uint32(begin), Length: uint32(min(length, size-begin))}
	a.block, a.asked, a.weak, a.strange, a.probe, a.claimed = b, true, !a.open, a.stranger(), probe, false
	if a.strange {
		p.audits.strange += int64(b.Length)
	}
	a.count.asked++
	a.spent = append(a.spent, spending{p.now, b.Length})
	p.audits.reserved += int64(b.Length)
	p.tell(Decision{Kind: KindAsk, Peer: q.id, Piece: b.Index, Block: b, Reason: Reason{Code: Claims}})
}

// examine chooses the piece that q is to show next: one it just claimed, or one of a few drawn at random that is hard to get
// from anybody else. As long as nobody is known to have pieces that are not from us, such are asked for.
func (p *Picker) examine(q *peer) (uint32, bool) {
	a := q.audit
	foreign := !p.otherOrigin && p.foreign(q)
	fits := func(i uint32) bool {
		return q.has(i) && (!foreign || !p.everSent.has(i)) &&
			!slices.ContainsFunc(a.right, func(s shown) bool { return s.piece == i })
	}
	if a.claimed && fits(a.fresh) && p.rng.IntN(2) == 0 {
		return a.fresh, true
	}
	best, found := uint32(0), 0
	for tries := 0; tries < 16*auditDraws && found < auditDraws; tries++ {
		i := uint32(p.rng.IntN(len(p.pieces)))
		if !fits(i) {
			continue
		}
		if found == 0 || p.pieces[i].sent < p.pieces[best].sent ||
			p.pieces[i].sent == p.pieces[best].sent && p.pieces[i].live < p.pieces[best].live {
			best = i
		}
		found++
	}
	if found > 0 {
		return best, true
	}
	return p.firstFrom(q, uint32(p.rng.IntN(len(p.pieces))), fits)
}

// firstFrom returns the first piece of q that fits, from start on and around.
func (p *Picker) firstFrom(q *peer, start uint32, fits func(uint32) bool) (uint32, bool) {
	words := (len(p.pieces) + 63) / 64
	for k := range words + 1 {
		w := (int(start>>6) + k) % words
		word := q.have.word(w)
		if q.complete {
			word = ^uint64(0)
		}
		for ; word != 0; word &= word - 1 {
			i := uint32(w<<6 + bits.TrailingZeros64(word))
			if int(i) < len(p.pieces) && (k > 0 || i >= start) && fits(i) {
				return i, true
			}
		}
	}
	return 0, false
}

// superviseAll looks at every peer, from a random one on: who comes first has the first of what may be spent.
func (p *Picker) superviseAll() {
	n := len(p.peers)
	at := p.rng.IntN(n)
	for turn := range auditTurns {
		for k := range n {
			if q := p.peers[(at+k)%n]; q != nil && q.ready && q.auditTurn() == turn {
				p.supervise(q)
			}
		}
	}
}

// auditTurn returns how soon q is looked at: first who answered, so that what was begun is finished, and last who owed us a block
// the last time, or claimed what is impossible.
func (q *peer) auditTurn() int {
	switch {
	case q.audit.silent > 0 || q.strikes > 0:
		return 2
	case q.audit.stranger():
		return 1
	}
	return 0
}

const auditTurns = 3

// endAudit forgets what was asked of q, which is leaving.
func (p *Picker) endAudit(q *peer) {
	a := q.audit
	if a.asked {
		p.release(a)
	}
	if a.leech {
		p.audits.leeches--
	}
	a.interested, a.open, a.leech, a.weak, a.claimed, a.allowed = false, false, false, false, false, nil
}
