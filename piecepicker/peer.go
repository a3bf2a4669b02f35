package piecepicker

import (
	"math/bits"
	"time"
)

// A peer is the state of one connection. What a HAVE needs comes first, so that it lies together in memory.
type peer struct {
	// What it has.
	have     bitset // nil when it is empty or complete
	nHave    int
	came     int           // how many it came with
	grew     time.Duration // when it got its last piece
	lapse    lapse
	stuck    bool           // it gets next to nothing of what it used to
	flow     float64        // pieces per second that it gets of others,
	late     float64        // seconds until it is complete at that pace
	gained   int            // and how many since the last sweep
	fed      time.Duration  // starveClock when it got a piece that was not from us
	index    map[uint32]int // place in loans, by piece
	ready    bool           // told its pieces, or had the time to
	member   bool           // its pieces are in piece.claims
	claimed  bool           // came with everything
	complete bool

	// What it has shown.
	weight    weight
	asProven  bool  // counts as proven holder
	asTried   bool  // counts as one that took a piece, or showed more
	trust     Trust // Unproven, Proven or Hoarder
	admitted  bool  // one of the unproven of its group that are believed
	liar      bool
	auditFail bool

	// What it wants.
	interested bool
	uploadOnly bool
	unchoked   bool

	// Its place among others.
	good     bool // a taker that has shown nothing bad
	isBarren bool // a taker that is barren
	supplier bool // complete, and believed
	id       Peer
	taker    int           // 1 + its place in Picker.takers
	at       [queues]int32 // 1 + its places in the queues
	salt     float64       // settles ties
	favour   float64       // a factor of its key for what is needed

	// What it is given.
	loans     []loan
	open      int           // loans not withdrawn
	remaining int64         // bytes of open loans not yet sent,
	inFlight  int64         // and those of them that move
	stranger  bool          // good, and has not passed anything on yet
	lent      time.Duration // when it was offered something last
	revealed  int           // pieces shown to it in this connection
	delay     time.Duration // how long it usually takes to ask for what it is offered
	moved     time.Duration // when it was sent something last
	pending   int           // requests not answered yet, as far as we know
	stirred   time.Duration // when it asked for something, or was sent it, last
	lags      bool          // it does not read what it was sent
	behind    bool          // what it was lent went to others meanwhile
	flipped   time.Duration // when it was choked or unchoked last
	shunned   time.Duration // until when it is made no offers, since it took none
	shuns     int           // of those in a row
	refused   int           // requests in a row for what it was not offered
	meter     meter
	pace      pace
	sent      int64

	relay     relay
	audit     *audit
	rechoking rechoking
	patience  time.Duration // how long it stays without being asked for anything; 0 for ever
	audited   time.Duration // until when an audit holds
	missed    int           // offers in a row of which it took nothing, though it says it has the piece
	strikes   int           // impossible claims
	gave      bitset        // pieces we gave it, kept while only those count
	group     *group
	joined    time.Duration

	// What it left behind in an earlier connection.
	home   home
	parts  []part    // what it was sent of pieces it did not finish
	owed   []waiting // what it had to pass on, until it has told its pieces
	mixing mixing
	again  []uint32 // of that, pieces it came back without: they come before others
}

const (
	never       = time.Duration(-1 << 62)
	readyAfter  = 300 * time.Millisecond
	refusalsMax = 50
	maxPeers    = 1<<16 - 1
)

func (q *peer) has(i uint32) bool { return q.complete || q.have.has(i) }

func (p *Picker) peer(id Peer) *peer {
	if int(id) >= len(p.peers) {
		return nil
	}
	return p.peers[id]
}

// enter makes q a peer that has told its pieces: those of b, beside what it told before.
func (p *Picker) enter(q *peer, b bitset) {
	if !q.ready {
		q.ready, q.member, p.entered = true, true, true
		q.fed, q.grew = p.starveClock, p.now
		q.lapse.since = p.now
		p.members++
	}
	p.unweigh(q)
	strikes := 0
	for w, word := range b {
		for fresh := word &^ q.have.word(w); fresh != 0; fresh &= fresh - 1 {
			i := uint32(w<<6 + bits.TrailingZeros64(fresh))
			if p.impossible(i) {
				strikes++
			}
			if k, lent := q.index[i]; lent {
				p.endLoan(q, k)
			}
			p.own(q, i)
		}
	}
	q.came, q.lapse.had = q.nHave, q.nHave
	p.resume(q)
	if q.nHave == len(p.pieces) {
		q.claimed, q.complete, q.have = true, true, nil
		p.completed++
	} else {
		p.strike(q, strikes)
	}
	p.judge(q)
	p.touch(q)
	p.greet(q)
}

// claimAll makes q a peer that came with everything.
func (p *Picker) claimAll(q *peer) {
	if q.complete {
		return
	}
	if q.member {
		p.leaveMembers(q)
	}
	p.unweigh(q)
	for len(q.loans) > 0 {
		p.endLoan(q, len(q.loans)-1)
	}
	q.ready, q.claimed, q.complete = true, true, true
	q.have, q.nHave = nil, len(p.pieces)
	p.judge(q)
	p.touch(q)
}

// own notes that q, a member, has piece i.
func (p *Picker) own(q *peer, i uint32) {
	if q.have == nil {
		q.have = newBitset(len(p.pieces))
	}
	q.have.set(i)
	if q.mixing.pieces.has(i) {
		q.mixing.pieces.clear(i)
		q.mixing.lacks--
	}
	q.nHave++
	p.pieces[i].claims++
	p.claims++
}

// leaveMembers takes what q, a member, has out of the counts of claims.
func (p *Picker) leaveMembers(q *peer) {
	q.member = false
	p.members--
	p.claims -= q.nHave
	if q.complete {
		p.completed--
		for i := range p.pieces {
			p.pieces[i].claims--
		}
		return
	}
	for w, word := range q.have {
		for ; word != 0; word &= word - 1 {
			p.pieces[w<<6+bits.TrailingZeros64(word)].claims--
		}
	}
}

// gain notes that q, a member, got piece i: by its own word, or because all of it was sent.
func (p *Picker) gain(q *peer, i uint32) {
	ours, untouched := false, true
	_, lent := q.index[i]
	if lent {
		ours, untouched = p.receive(q, q.index[i])
	}
	if !ours && untouched && p.impossible(i) {
		p.strike(q, 1)
		p.judge(q)
	}
	if !ours {
		q.audit.fresh, q.audit.claimed = i, true
		if untouched {
			p.serves(q, i)
		}
	}
	if lent && untouched && q.sent == 0 {
		q.missed++
		p.judge(q)
		p.touch(q)
	}
	first := ours && p.onlyOurs(i)
	p.own(q, i)
	p.haves++
	q.grew = p.now
	if q.weight == given && ours {
		if q.gave == nil {
			q.gave = newBitset(len(p.pieces))
		}
		q.gave.set(i)
	}
	if q.weight == all || q.weight == given && ours {
		p.countOne(q, i, true)
	} else {
		p.grow(i)
	}
	if !ours {
		q.fed = p.starveClock
		q.gained++
	}
	if untouched && p.pieces[i].watched && q.weight != nothing {
		p.passedOn(i)
	}
	if first {
		p.await(q, i)
	}
	switch n := len(p.pieces); {
	case q.nHave == n:
		q.complete, q.have = true, nil
		p.completed++
		p.judge(q)
		p.touch(q)
	case q.nHave*levels/n != (q.nHave-1)*levels/n || q.strikes > 0:
		p.touch(q)
	}
}

// part takes q out of every count.
func (p *Picker) part(q *peer) {
	for len(q.loans) > 0 {
		p.endLoan(q, len(q.loans)-1)
	}
	p.stopWaiting(q)
	p.unweigh(q)
	if q.admitted {
		q.group.admitted--
	}
	if q.member {
		p.leaveMembers(q)
	}
	if p.lone == q {
		p.lone = nil
	}
	q.ready = false
	p.touch(q)
	p.leaveGroup(q.group)
}
