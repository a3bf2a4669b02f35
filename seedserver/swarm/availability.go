package swarm

import (
	"math/bits"
	"slices"
	"time"
)

// Availability returns for each piece how many connected peers say that they have it, ourselves not counted; nil when the Swarm
// does not run. It costs the loop a copy of each peer's bitfield: for people to look at. Who may call it is as for Peers.
func (s *Swarm) Availability() []uint32 {
	h, ok := ask(s, func(l *loop, _ time.Time) holdings { return l.holdings() })
	if !ok {
		return nil
	}
	return h.perPiece(s.numPieces)
}

func (l *loop) holdings() (h holdings) {
	for p := range l.peers {
		switch {
		case p.have == nil || p.have.None():
		case p.have.All():
			h.complete++
		default:
			h.partial = append(h.partial, slices.Clone(p.have.Bytes()))
		}
	}
	return h
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

// Copies returns how many copies of the torrent the connected peers hold together, ourselves not counted: whole ones, and the
// share of the pieces of which there is one more; 0 when the Swarm does not run. It costs what Availability costs.
func (s *Swarm) Copies() float64 {
	counts := s.Availability()
	if len(counts) == 0 {
		return 0
	}
	least, above := slices.Min(counts), 0
	for _, n := range counts {
		if n > least {
			above++
		}
	}
	return float64(least) + float64(above)/float64(len(counts))
}
