package piecepicker

import (
	"slices"
	"time"
)

// PeerJoined notes a peer whose handshake is done and returns its number, or 0 when there are 65,535 already. It is made
// an offer as soon as it has told its pieces, or after 300 ms.
func (p *Picker) PeerJoined(now time.Time, info PeerInfo) Peer {
	p.at(now)
	id, ok := p.number()
	if !ok {
		return 0
	}
	addr := info.Addr.Unmap()
	q := &peer{
		id: id, home: homeOf(addr), group: p.groupOf(addr), uploadOnly: info.UploadOnly,
		joined: p.now, flipped: never, lent: p.now, moved: never, trust: Unproven, audit: &audit{since: never}, patience: info.Patience,
		relay: relay{window: windowFirst}, salt: 1e-3 * p.rng.Float64(), favour: 1,
	}
	q.meter.since = p.now
	q.group.peers++
	p.peers[id] = q
	if p.connected++; p.connected == 1 {
		p.wake()
	}
	if rec := p.records[q.home]; rec == nil {
		p.arrive()
	}
	p.recall(q)
	p.entering = append(p.entering, id)
	return id
}

// PeerBitfield notes the pieces the peer came with, one bit each, the first in the highest bit of the first byte (BEP 3).
// bits is not kept; what is too short is filled with zeros, what is too long is cut.
func (p *Picker) PeerBitfield(now time.Time, id Peer, bits []byte) {
	q := p.peerAt(now, id)
	if q == nil || q.complete {
		return
	}
	b := fromWire(bits, len(p.pieces))
	if b.count() == len(p.pieces) {
		p.claimAll(q)
		return
	}
	p.enter(q, b)
}

// PeerHaveAll notes that the peer says it came with all pieces (BEP 6).
func (p *Picker) PeerHaveAll(now time.Time, id Peer) {
	if q := p.peerAt(now, id); q != nil {
		p.claimAll(q)
	}
}

// PeerHaveNone notes that the peer came with nothing (BEP 6).
func (p *Picker) PeerHaveNone(now time.Time, id Peer) {
	if q := p.peerAt(now, id); q != nil && !q.ready {
		p.enter(q, nil)
	}
}

// PeerHas notes a HAVE.
func (p *Picker) PeerHas(now time.Time, id Peer, piece uint32) {
	q := p.peerAt(now, id)
	if q == nil || int64(piece) >= int64(len(p.pieces)) {
		return
	}
	if !q.ready {
		p.enter(q, nil)
	}
	if !q.has(piece) {
		p.gain(q, piece)
	}
}

// PeerInterested notes INTERESTED or NOT INTERESTED.
func (p *Picker) PeerInterested(now time.Time, id Peer, interested bool) {
	q := p.peerAt(now, id)
	if q == nil || q.interested == interested {
		return
	}
	q.interested = interested
	if interested {
		q.shunned = 0
		p.touch(q)
		return
	}
	p.settle(q, true)
}

// PeerUploadOnly notes that the peer wants nothing, or wants something again (BEP 21). It is made no offers meanwhile.
func (p *Picker) PeerUploadOnly(now time.Time, id Peer, only bool) {
	if q := p.peerAt(now, id); q != nil {
		q.uploadOnly = only
		p.touch(q)
	}
}

// Requested notes that the peer asked for a block of the piece, and reports whether to answer and out of which class's
// rate. If not, reject the request (BEP 6) or, without the fast extension, ignore it.
func (p *Picker) Requested(now time.Time, id Peer, piece uint32) (Class, bool) {
	q := p.peerAt(now, id)
	if q == nil {
		return 0, false
	}
	ln := q.loan(piece)
	if ln == nil {
		p.refuse(q, piece)
		return 0, false
	}
	q.refused = 0
	if !q.unchoked {
		return 0, false
	}
	if !ln.asked && !ln.withdrawn && q.pending == 0 {
		q.prompt(p.now - ln.made)
	}
	q.asks(p.now)
	if !ln.asked || ln.cold {
		ln.asked = true
		p.warm(q, ln)
		q.shuns, q.shunned = 0, 0
		p.touch(q)
	}
	if ln.withdrawn && p.pieces[piece].tier != noTier && !q.uploadOnly && !q.lags {
		p.open(q, ln) // it is needed, and here is somebody who takes it
	}
	return ln.class, true
}

// Cancelled notes that the peer took back a request that was to be answered.
func (p *Picker) Cancelled(now time.Time, id Peer) {
	if q := p.peerAt(now, id); q != nil {
		q.answered(p.now, 1)
	}
}

// refuse counts a request for what was not revealed. What q has already may be asked for twice by accident.
func (p *Picker) refuse(q *peer, piece uint32) {
	if int64(piece) < int64(len(p.pieces)) && (q.has(piece) || q.mixing.pieces.has(piece)) {
		return
	}
	if q.refused++; q.refused == refusalsMax {
		p.tell(Decision{Kind: KindDrop, Peer: q.id, Reason: Reason{Code: Unrevealed, Count: refusalsMax}})
	}
}

// BlockSent notes that n bytes of the piece from begin on were sent to the peer.
func (p *Picker) BlockSent(now time.Time, id Peer, piece, begin uint32, n int) {
	q := p.peerAt(now, id)
	if q == nil || n <= 0 {
		return
	}
	q.moved = p.now
	q.answered(p.now, n)
	if q.sent += int64(n); q.sent == int64(n) {
		p.judge(q) // it takes something
		p.touch(q)
	}
	p.sent += int64(n)
	q.meter.add(p.now, int64(n))
	p.meter.add(p.now, int64(n))
	p.peak = max(p.peak, p.meter.rate)
	if ln := q.loan(piece); ln != nil {
		p.progress(q, ln, int64(begin), int64(n))
	}
	if q.taker != 0 && p.queuedForNeed(q) != p.free(q) {
		p.touch(q) // its rate changed
	}
}

// Leaving notes that n bytes of the piece are on their way to the peer, of which BlockSent will tell when all that leaves with them is sent. It is of
// use before [Picker.PeerHas]: the peer may have the piece by then, and would seem to have it from others.
func (p *Picker) Leaving(now time.Time, id Peer, piece uint32, n int) {
	if q := p.peerAt(now, id); q != nil && n > 0 {
		if ln := q.loan(piece); ln != nil {
			ln.leaving = min(int64(n), ln.left)
		}
	}
}

// Audited notes that the peer was found to have what it says, or to send bytes that are not ours, in another way than by what
// the picker asked for.
func (p *Picker) Audited(now time.Time, id Peer, ok bool) {
	if q := p.peerAt(now, id); q != nil {
		p.verdict(q, ok)
	}
}

// PeerLeft notes that the connection is closed. The number may be given to the next peer; decisions about this one that
// were not yet returned are forgotten.
func (p *Picker) PeerLeft(now time.Time, id Peer) {
	q := p.peerAt(now, id)
	if q == nil {
		return
	}
	p.endAudit(q)
	p.remember(q)
	p.part(q)
	p.peers[id] = nil
	p.vacant = append(p.vacant, id)
	p.connected--
	p.entering = slices.DeleteFunc(p.entering, func(e Peer) bool { return e == id })
	p.orders = slices.DeleteFunc(p.orders, func(d Decision) bool { return d.Peer == id })
}
