package piecepicker

import "time"

// Whom leeches unchoke.
//
// A free upload slot goes at once to whoever says that it is interested, and stays there for 10 to 15 s, whatever is done with it.
// Liars say so first: honest leeches want nothing before the other has something. So liars have all slots of a newcomer, and it
// passes on nothing of what we lend it.
//
// We say so, too, as soon as a leech comes, and have a slot there. Where there are liars, we lose interest once a second, and are
// interested again. Clients with the choker of the reference implementation, libtorrent among them, choose anew when one
// that is unchoked loses interest: first who gave them something since they chose last, then who was sent something, and so an idle
// liar makes way for another peer. A client that does not take the slot from us chooses by the clock alone, and is left in peace.

const (
	greeting     = 5 * time.Second  // in which a newcomer is shown interest, for the sake of its slots
	crowdLeast   = 4                // liars, and peers that claim what they did not show, that take slots worth the name
	crowdKept    = time.Minute      // after they were seen last
	rechokeMost  = 60               // times a second, of one peer
	rechokeAfter = 20 * time.Second // without a slot of it, the slot is not waited for any more
)

// rechoking is what we do about the slots of one peer.
type rechoking struct {
	interested bool          // for the sake of its slots
	slot       time.Duration // when it had unchoked us last, or was first shown interest
	times      int           // interest was lost, and shown again
	last       time.Duration // when that was last
	heeds      bool          // it choked us for it
}

// suspicious reports whether q takes slots and is not known to pass anything on.
func (q *peer) suspicious(now time.Duration) bool {
	return q.ready && (q.liar || q.claimed && q.audited <= now || q.aloof())
}

// watchCrowd notes whether liars are there. It is called in each sweep.
func (p *Picker) watchCrowd() {
	n := 0
	for _, q := range p.peers {
		if q != nil && q.suspicious(p.now) {
			n++
		}
	}
	if n >= crowdLeast {
		p.crowded = p.now + crowdKept
	}
}

// greet shows q interest, if its slots may matter, or none any more.
func (p *Picker) greet(q *peer) {
	r := &q.rechoking
	wants := (q.taker != 0 || q.complete && q.relay.served > 0) && !q.suspicious(p.now) && len(p.takers) > 1 && r.times < rechokeMost &&
		(p.now-q.joined < greeting || p.now < p.crowded && p.now-r.slot < rechokeAfter)
	if wants && !r.interested {
		r.slot = p.now
	}
	p.show(q, q.audit.interested, wants, Rechoke)
}

// rechoke has q choose anew whom it unchokes, if liars may have its slots and we have one.
func (p *Picker) rechoke(q *peer) {
	p.greet(q)
	r := &q.rechoking
	if !q.audit.open || !r.interested {
		return
	}
	r.slot = p.now
	if p.now >= p.crowded || q.audit.asked || p.now-r.last < sweepEvery || r.times > 0 && !r.heeds {
		return
	}
	r.times++
	r.last = p.now
	p.tell(Decision{Kind: KindDisinterest, Peer: q.id, Reason: Reason{Code: Rechoke}})
	p.tell(Decision{Kind: KindInterest, Peer: q.id, Reason: Reason{Code: Rechoke}})
}

// heeded notes that q choked us, because we lost interest or not.
func (p *Picker) heeded(q *peer) {
	if r := &q.rechoking; r.times > 0 && p.now-r.last < sweepEvery {
		r.heeds = true
	}
}

// show makes q know whether we are interested: for an audit, or for the sake of its slots.
func (p *Picker) show(q *peer, audit, slots bool, why Code) {
	was := q.audit.interested || q.rechoking.interested
	q.audit.interested, q.rechoking.interested = audit, slots
	is := audit || slots
	if is == was {
		return
	}
	kind := KindInterest
	if !is {
		kind = KindDisinterest
	}
	p.tell(Decision{Kind: kind, Peer: q.id, Reason: Reason{Code: why}})
}
