package piecepicker

import "time"

// A Fate is what became of a block that a peer sent.
type Fate uint8

const (
	// Useful is a block that we lacked: keep its bytes.
	Useful Fate = iota
	// Duplicate is a block that we asked for and had meanwhile: drop its bytes, blame nobody.
	Duplicate
	// Unasked is a block that was never asked of this peer: drop its bytes.
	Unasked
)

// String returns the name in lower case.
func (f Fate) String() string { return name(fateNames[:], f) }

var fateNames = [...]string{"useful", "duplicate", "unasked"}

// A Receipt says what is to be done with a block, and about it.
type Receipt struct {
	Fate Fate
	// Full says that all blocks of the piece are there: hash it, then call [Asker.Verified], [Asker.Corrupt] or [Asker.Failed].
	Full bool
	// Cancel are the other peers that were asked for the block. The slice is valid until the next call of Received.
	Cancel []Peer
}

// Received notes a block that a peer sent.
func (a *Asker) Received(now time.Time, id Peer, b Block) Receipt {
	q := a.peers[id]
	at, ok := a.place(b)
	if q == nil || !ok {
		return Receipt{Fate: Unasked}
	}
	if !q.asked.remove(at) && !q.forgive(at) {
		return Receipt{Fate: Unasked}
	}
	q.heard, q.snubbed, q.proven = now, false, true
	p := a.byIndex[at.index]
	if p == nil || p.blocks[at.number].state == blockReceived || p.lone && p.owner != id {
		// The owner of a piece that failed before sends all of it, or there is nothing to learn from the next failure.
		a.stats.Duplicate += int64(b.Length)
		if p != nil {
			a.unask(q, at)
		}
		return Receipt{Fate: Duplicate}
	}
	a.stats.Received += int64(b.Length)
	return a.accept(q, p, at)
}

func (a *Asker) accept(q *supplier, p *begun, at place) Receipt {
	bl := &p.blocks[at.number]
	a.others = a.others[:0]
	for _, other := range bl.askers {
		if other == 0 || other == q.id {
			continue
		}
		if o := a.peers[other]; o != nil && o.asked.remove(at) {
			o.remember(at)
			a.others = append(a.others, other)
		}
	}
	if bl.state == blockFree {
		p.free--
		a.free--
	}
	*bl = block{state: blockReceived, askers: [maxAskers]Peer{q.id}}
	p.left--
	return Receipt{Full: p.left == 0, Cancel: a.others}
}

// Rejected notes that a peer will not send a block it was asked for (BEP 6), and reports whether it was.
func (a *Asker) Rejected(id Peer, b Block) bool {
	q := a.peers[id]
	at, ok := a.place(b)
	if q == nil || !ok {
		return false
	}
	if !q.asked.remove(at) {
		return q.forgive(at)
	}
	a.unask(q, at)
	if p := a.byIndex[at.index]; p != nil && p.owner == id {
		p.owner = 0
	}
	return true
}

// Verified notes that a piece has its hash and is kept. digests, if [Asker.Suspect] asked for them, tell which blocks of the
// copies that failed were wrong: it returns the peers that sent those.
func (a *Asker) Verified(i uint32, digests []Digest) (liars []Culprit) {
	p := a.byIndex[i]
	if p == nil || p.left > 0 {
		return nil
	}
	a.end(p)
	a.have.set(i)
	a.missing--
	for _, q := range a.list {
		if !q.complete && q.have.has(i) {
			q.useful--
		}
	}
	liars = a.convict(i, digests)
	delete(a.failed, i)
	return liars
}

// Failed notes that a piece that is full could not be kept, through nobody's fault: its blocks are asked for again.
func (a *Asker) Failed(i uint32) {
	if p := a.byIndex[i]; p != nil && p.left == 0 {
		a.end(p)
		a.scarce.insert(i)
	}
}
