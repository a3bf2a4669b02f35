package piecepicker

import "net/netip"

// A Digest stands for the bytes of one block: any hash that a peer cannot find collisions of.
type Digest [20]byte

// A Culprit is a peer that sent a block with the wrong bytes. It may have left.
type Culprit struct {
	Peer Peer
	Addr netip.AddrPort
}

// Bounds of what is remembered of copies that failed.
const (
	maxFailures = 64  // pieces
	maxCopies   = 4   // of one piece
	maxGone     = 512 // peers
)

// A failure is a piece of which copies failed.
type failure struct{ copies []badCopy }

type badCopy struct {
	digests []Digest
	by      []Culprit // who sent each block
}

// Suspect reports whether a copy of the piece failed before: then Verified and Corrupt should be given the digests of its
// blocks, in order, each of [BlockSize] bytes but the last.
func (a *Asker) Suspect(i uint32) bool { return a.failed[i] != nil }

// Corrupt notes that a full piece does not have its hash. Its blocks are free again, and asked of one peer at a time. A peer
// that sent all of it is a liar; of several, who lied is known when the piece is verified at last, if digests were given.
func (a *Asker) Corrupt(i uint32, digests []Digest) (liars []Culprit) {
	p := a.byIndex[i]
	if p == nil || p.left > 0 {
		return nil
	}
	a.stats.Corrupt += p.size
	a.stats.Received -= p.size
	senders := make([]Culprit, len(p.blocks))
	alone := true
	for k := range p.blocks {
		senders[k] = a.culprit(p.blocks[k].askers[0])
		alone = alone && senders[k].Peer == senders[0].Peer
	}
	a.end(p)
	a.scarce.insert(i)
	f := a.failed[i]
	if f == nil && len(a.failed) < maxFailures {
		f = &failure{}
		a.failed[i] = f
	}
	if alone {
		return senders[:1]
	}
	if f != nil && len(f.copies) < maxCopies && len(digests) == len(senders) {
		f.copies = append(f.copies, badCopy{digests: digests, by: senders})
	}
	return nil
}

// convict compares the copies of a piece that failed with the one that did not.
func (a *Asker) convict(i uint32, digests []Digest) (liars []Culprit) {
	f := a.failed[i]
	if f == nil {
		return nil
	}
	seen := map[Peer]bool{}
	for _, c := range f.copies {
		if len(c.digests) != len(digests) {
			continue
		}
		for k, d := range c.digests {
			if by := c.by[k]; d != digests[k] && !seen[by.Peer] {
				seen[by.Peer] = true
				liars = append(liars, by)
			}
		}
	}
	return liars
}

func (a *Asker) culprit(id Peer) Culprit {
	if q := a.peers[id]; q != nil {
		return Culprit{id, q.addr}
	}
	for _, c := range a.gone {
		if c.Peer == id {
			return c
		}
	}
	return Culprit{Peer: id}
}
