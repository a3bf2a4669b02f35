package piecepicker

import (
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// PeerJoined notes a peer that has nothing yet and may be asked when it unchokes us, and returns its number: never one that
// was given before.
func (a *Asker) PeerJoined(now time.Time, addr netip.AddrPort) Peer {
	a.last++
	q := &supplier{id: a.last, at: len(a.list), addr: addr, heard: now}
	a.peers[q.id] = q
	a.list = append(a.list, q)
	return a.last
}

// PeerLeft forgets a peer; what it was asked for is free.
func (a *Asker) PeerLeft(id Peer) {
	q := a.peers[id]
	if q == nil {
		return
	}
	a.takeBack(q, false)
	a.setNothing(q)
	delete(a.peers, id)
	last := a.list[len(a.list)-1]
	last.at, a.list[q.at] = q.at, last
	a.list = a.list[:len(a.list)-1]
	if len(a.gone) >= maxGone {
		a.gone = append(a.gone[:0], a.gone[maxGone/2:]...)
	}
	a.gone = append(a.gone, Culprit{id, q.addr})
}

// PeerHas notes one more piece of a peer.
func (a *Asker) PeerHas(id Peer, i uint32) {
	q := a.peers[id]
	if q == nil || int64(i) >= int64(a.numPieces) || q.has(i) {
		return
	}
	if q.have == nil {
		q.have = newBitset(a.numPieces)
	}
	q.have.set(i)
	q.held++
	a.scarce.more(i)
	if !a.have.has(i) {
		q.useful++
	}
	if q.held == a.numPieces {
		a.setAll(q)
	}
}

// PeerLost notes that a peer has a piece no longer (BEP 54).
func (a *Asker) PeerLost(id Peer, i uint32) {
	q := a.peers[id]
	if q == nil || int64(i) >= int64(a.numPieces) || !q.has(i) {
		return
	}
	if q.complete {
		all := newBitset(a.numPieces)
		for k := range uint32(a.numPieces) {
			all.set(k)
		}
		a.setBits(q, all)
	}
	q.have.clear(i)
	q.held--
	a.scarce.less(i)
	if !a.have.has(i) {
		q.useful--
	}
}

// PeerBitfield notes all that a peer has: the bytes of a BITFIELD, which are not kept.
func (a *Asker) PeerBitfield(id Peer, wire []byte) {
	if q := a.peers[id]; q != nil && a.numPieces > 0 {
		b := fromWire(wire, a.numPieces)
		if b.count() == a.numPieces {
			a.setAll(q)
			return
		}
		a.setBits(q, append(b, newBitset(a.numPieces)[len(b):]...))
	}
}

// PeerHasAll notes that a peer is complete (BEP 6).
func (a *Asker) PeerHasAll(id Peer) {
	if q := a.peers[id]; q != nil {
		a.setAll(q)
	}
}

// PeerHasNone notes that a peer has nothing (BEP 6).
func (a *Asker) PeerHasNone(id Peer) {
	if q := a.peers[id]; q != nil {
		a.setNothing(q)
	}
}

func (a *Asker) setAll(q *supplier) {
	if !q.complete {
		a.setNothing(q)
		q.complete = true
		a.seeds++
	}
}

func (a *Asker) setNothing(q *supplier) {
	if q.complete {
		a.seeds--
	}
	each(q.have, a.scarce.less)
	q.complete, q.have, q.held, q.useful = false, nil, 0, 0
}

func (a *Asker) setBits(q *supplier, b bitset) {
	a.setNothing(q)
	q.have, q.held = b, b.count()
	each(b, func(i uint32) {
		a.scarce.more(i)
		if !a.have.has(i) {
			q.useful++
		}
	})
}

// each calls f for every piece of a set.
func each(b bitset, f func(i uint32)) {
	for w, word := range b {
		for ; word != 0; word &= word - 1 {
			f(uint32(w<<6 + bits.TrailingZeros64(word)))
		}
	}
}

// PeerChoked notes that a peer will not answer what it was asked for (BEP 3). With the fast extension every request is rejected
// or answered, and [Asker.Rejected] is what counts.
func (a *Asker) PeerChoked(id Peer) {
	if q := a.peers[id]; q != nil {
		a.takeBack(q, true)
	}
}

// takeBack frees all that q was asked for. If late, it may still come.
func (a *Asker) takeBack(q *supplier, late bool) {
	for _, at := range q.asked.all() {
		a.unask(q, at)
		if late {
			q.remember(at)
		}
	}
	q.asked.clear()
	q.current = nil
	for _, p := range a.parts {
		if p.owner == q.id {
			p.owner = 0
		}
	}
}

// maxLate is how many blocks a peer may still send that we asked for and took back.
const maxLate = 2048

func (q *supplier) remember(at place) {
	if len(q.late) >= maxLate {
		q.late = append(q.late[:0], q.late[maxLate/2:]...)
	}
	q.late = append(q.late, at)
}

func (q *supplier) forgive(at place) bool {
	i := slices.Index(q.late, at)
	if i < 0 {
		return false
	}
	q.late = slices.Delete(q.late, i, i+1)
	return true
}
