package swarm

import (
	"math/bits"
	"slices"
	"time"
)

// Availability returns for each piece how many connected peers say that they have it, ourselves not counted; nil when the Swarm
// does not run. It costs the loop a copy of each peer's bitfield: for people to look at. Who may call it is as for Peers.
func (s *Swarm) Availability() []uint32 {
	q := &holdingsQuery{reply: make(chan holdings, 1)}
	select {
	case <-s.running:
	default:
		return nil
	}
	if !s.post(q) {
		return nil
	}
	select {
	case h := <-q.reply:
		return h.perPiece(s.numPieces)
	case <-s.done:
		return nil
	}
}

type holdingsQuery struct{ reply chan holdings }

func (q *holdingsQuery) apply(l *loop, _ time.Time) {
	var h holdings
	for p := range l.peers {
		switch {
		case p.have == nil || p.have.None():
		case p.have.All():
			h.complete++
		default:
			h.partial = append(h.partial, slices.Clone(p.have.Bytes()))
		}
	}
	q.reply <- h
}

// holdings is what all peers have: how many have everything, and the bitfields of those who have some.
type holdings struct {
	complete uint32
	partial  [][]byte
}

func (h holdings) perPiece(numPieces uint32) []uint32 {
	counts := make([]uint32, numPieces)
	for i := range counts {
		counts[i] = h.complete
	}
	for _, bitfield := range h.partial {
		for at, b := range bitfield {
			for b != 0 { // "The high bit in the first byte corresponds to piece index 0" (BEP 3)
				bit := bits.LeadingZeros8(b)
				counts[at*8+bit]++
				b &^= 0x80 >> bit
			}
		}
	}
	return counts
}
