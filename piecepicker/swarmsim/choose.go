package swarmsim

import (
	"math"
	"math/bits"
)

const (
	randomFirst = 4 // pieces that are taken at random, before the rarest
)

// assign gives l something to take, and reports whether there is.
func (s *swarm) assign(l *link) bool {
	if l.work != nil {
		return true
	}
	if !l.open || l.wants == 0 {
		return false
	}
	pt := s.choose(l.owner, l.source())
	if pt == nil {
		return false
	}
	if l.to == nil {
		class, ok := s.server.Requested(s.clock(), l.owner.num, pt.piece)
		if !ok {
			s.refused++
			return false
		}
		l.class = class
	}
	if pt.links == 0 && pt.left == s.cfg.PieceLength && l.owner.partial(pt.piece) == nil {
		l.owner.partials = append(l.owner.partials, pt)
	}
	pt.links++
	l.work = pt
	return true
}

// choose returns what p takes from who has src: the rarest piece, and a begun one that nobody is bringing before others as
// rare, or before all when there are many; else a share of what others are bringing.
func (s *swarm) choose(p *peer, src bitset) *partial {
	var begun, shared *partial
	for _, pt := range p.partials {
		switch {
		case !src.has(pt.piece):
		case pt.links > 0 && (shared == nil || pt.left > shared.left):
			shared = pt
		case pt.links == 0 && (begun == nil || p.avail[pt.piece] < p.avail[begun.piece]):
			begun = pt
		}
	}
	if begun != nil && 2*len(p.partials) > 3*len(p.links) {
		return begun
	}
	i, ok := s.rarest(p, src)
	switch {
	case begun != nil && (!ok || p.avail[begun.piece] <= p.avail[i]):
		return begun
	case ok:
		return &partial{piece: i, left: s.cfg.PieceLength}
	}
	return shared
}

// rarest returns the piece of src that p neither has nor has begun and that fewest of its neighbours have, at random among
// equals.
func (s *swarm) rarest(p *peer, src bitset) (uint32, bool) {
	salt := s.rng.Uint32()
	best, found := uint64(math.MaxUint64), uint32(0)
	for w, word := range src {
		for word &^= p.have[w]; word != 0; word &= word - 1 {
			i := uint32(w<<6 + bits.TrailingZeros64(word))
			n := uint64(p.avail[i])
			if p.nHave < randomFirst {
				n = 0
			}
			key := n<<32 | uint64((i+salt)*2654435761^salt)
			if key < best && p.partial(i) == nil {
				best, found = key, i
			}
		}
	}
	return found, best != math.MaxUint64
}
