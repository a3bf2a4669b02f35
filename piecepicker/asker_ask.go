package piecepicker

import (
	"math/bits"
	"time"
)

const (
	randomFirst = 4 // pieces begun at random: a newcomer needs something to give sooner than it needs the rarest
	rarestTries = 64
	// In the endgame a peer is asked for what others owe too, a few blocks at a time and when it owes almost nothing itself.
	endgameOwed  = 2
	endgameBatch = 8
	// What peers owe that send something all the time comes sooner than it could be asked for again.
	endgameSilence = 300 * time.Millisecond
	roomSilence    = 3 * time.Second
	// A piece of which one peer is asked everything is taken from one that never sent a block in this time.
	loneSilence = time.Second
)

// Ask appends up to n blocks to ask of a peer that unchoked us, and takes them for requested: parts of pieces that were begun
// first, then the rarest piece it has; and when there is nothing left to begin, what others were asked for and did not send.
// It appends none when the peer has nothing that is wanted, or is snubbed and owes a block.
func (a *Asker) Ask(now time.Time, id Peer, n int, dst []Block) []Block {
	q := a.peers[id]
	if q == nil || n <= 0 || !a.Wants(id) {
		return dst
	}
	if q.snubbed {
		n = min(n, 1-q.asked.len())
	}
	if q.asked.len() == 0 {
		q.heard = now
	}
	places := a.pick(now, q, n)
	for _, at := range places {
		dst = append(dst, a.block(at))
	}
	return dst
}

// pick takes up to n places for requested and returns them; the slice is valid until the next call.
func (a *Asker) pick(now time.Time, q *supplier, n int) []place {
	got := a.scratch[:0]
	defer func() { a.scratch = got[:0] }()
	if q.current != nil && !q.current.over {
		got = a.pickPart(q, q.current, n, got)
	}
	if a.free > 0 {
		for _, p := range a.parts {
			if len(got) >= n || a.free == 0 {
				break
			}
			got = a.pickPart(q, p, n, got)
		}
	}
	for len(got) < n && a.mayStart() {
		i, ok := a.rarest(q)
		if !ok {
			break
		}
		got = a.pickPart(q, a.start(i), n, got)
	}
	if len(got) == 0 && !q.snubbed && q.asked.len() <= endgameOwed {
		switch {
		case a.free == 0 && len(a.scarce.order) == 0:
			got = a.pickOwed(now.Add(-endgameSilence), q, min(n, endgameBatch), got)
		case !a.mayStart():
			got = a.pickOwed(now.Add(-roomSilence), q, min(n, endgameBatch), got)
		}
		if len(got) == 0 {
			got = a.pickLone(now.Add(-loneSilence), q, n, got)
		}
	}
	return got
}

// pickPart takes free blocks of one part, until n are there.
func (a *Asker) pickPart(q *supplier, p *begun, n int, got []place) []place {
	if p.free == 0 || !q.has(p.index) || p.lone && p.owner != 0 && p.owner != q.id {
		return got
	}
	if p.lone {
		p.owner = q.id
	}
	for ; len(got) < n && p.free > 0 && p.cursor < len(p.blocks); p.cursor++ {
		if p.blocks[p.cursor].state == blockFree {
			got = append(got, place{p.index, uint32(p.cursor)})
			a.ask(q, p, uint32(p.cursor))
		}
	}
	return got
}

// pickOwed takes blocks that others were asked for who sent nothing since a time, the oldest pieces first, and those that fewest were asked for.
func (a *Asker) pickOwed(since time.Time, q *supplier, n int, got []place) []place {
	for askers := 1; askers < maxAskers; askers++ {
		for _, p := range a.parts {
			if p.left == 0 || p.lone || !q.has(p.index) {
				continue
			}
			for i := range p.blocks {
				b := &p.blocks[i]
				if b.state != blockRequested || b.count() != askers || b.askedOf(q.id) || !a.silent(b, since) {
					continue
				}
				got = append(got, place{p.index, uint32(i)})
				a.ask(q, p, uint32(i))
				if len(got) >= n {
					return got
				}
			}
		}
		if len(got) > 0 {
			return got
		}
	}
	return got
}

// pickLone gives q a piece whose only peer was asked before a time and never sent a block of anything. Several are not asked for such a piece,
// as it must be known who sent what; so all of it changes hands, and only to a peer that does send, lest it goes around.
func (a *Asker) pickLone(since time.Time, q *supplier, n int, got []place) []place {
	if !q.proven {
		return got
	}
	for _, p := range a.parts {
		owner := a.peers[p.owner]
		if !p.lone || owner == nil || owner.proven || owner.heard.After(since) || !q.has(p.index) {
			continue
		}
		a.takeBack(owner, true)
		return a.pickPart(q, p, n, got)
	}
	return got
}

// silent reports whether none of those who were asked for a block sent anything since a time.
func (a *Asker) silent(b *block, since time.Time) bool {
	for _, id := range b.askers {
		if q := a.peers[id]; q != nil && q.heard.After(since) {
			return false
		}
	}
	return true
}

func (b *block) count() (n int) {
	for _, id := range b.askers {
		if id != 0 {
			n++
		}
	}
	return n
}

func (b *block) askedOf(id Peer) bool {
	for _, other := range b.askers {
		if other == id {
			return true
		}
	}
	return false
}

// rarest returns the piece to begin with q: the rarest that it has, or any of the first few.
func (a *Asker) rarest(q *supplier) (uint32, bool) {
	s := &a.scarce
	n := len(s.order)
	if n == 0 {
		return 0, false
	}
	if a.numPieces-a.missing+len(a.parts) < randomFirst {
		for range randomFirst {
			if i := s.order[a.rng.IntN(n)]; q.has(i) {
				return i, true
			}
		}
	}
	for _, i := range s.order[:min(n, rarestTries)] {
		if q.has(i) {
			return i, true
		}
	}
	return a.rarestOf(q)
}

// rarestOf looks through what q has, for the rarest of it.
func (a *Asker) rarestOf(q *supplier) (best uint32, found bool) {
	for w, word := range q.have {
		for word &^= a.have.word(w); word != 0; word &= word - 1 {
			i := uint32(w<<6 + bits.TrailingZeros64(word))
			if !a.scarce.contains(i) {
				continue
			}
			if !found || a.scarce.rank[i] < a.scarce.rank[best] {
				best, found = i, true
			}
		}
	}
	return best, found
}
