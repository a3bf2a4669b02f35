package piecepicker

import "math/rand/v2"

// scarcity keeps the pieces that nobody was asked for yet ordered by how many incomplete peers have them, in one array cut into
// buckets: one more or one less moves a piece over one border. Complete peers have every piece and change no order, so they are
// left out. Pieces as rare as each other stand in an order drawn at the start, so that two downloads differ.
type scarcity struct {
	order []uint32 // pieces, rarest first
	first []uint32 // first[v] is where in order the pieces of v peers begin; first[0] is 0
	rank  []uint32 // of each piece its place in order, or outside
	count []uint16 // of each piece how many peers have it; all pieces, in order or not
}

const outside = ^uint32(0)

// newScarcity returns the order of n pieces without those of skip.
func newScarcity(n int, skip bitset, rng *rand.Rand) scarcity {
	s := scarcity{first: make([]uint32, 1, 16), rank: make([]uint32, n), count: make([]uint16, n)}
	for i := range uint32(n) {
		if !skip.has(i) {
			s.order = append(s.order, i)
		}
		s.rank[i] = outside
	}
	rng.Shuffle(len(s.order), func(a, b int) { s.order[a], s.order[b] = s.order[b], s.order[a] })
	for at, i := range s.order {
		s.rank[i] = uint32(at)
	}
	return s
}

func (s *scarcity) contains(i uint32) bool { return s.rank[i] != outside }

// end returns where the bucket of v peers ends.
func (s *scarcity) end(v int) uint32 {
	if v+1 < len(s.first) {
		return s.first[v+1]
	}
	return uint32(len(s.order))
}

// put writes piece i to a place in order.
func (s *scarcity) put(i, at uint32) { s.order[at], s.rank[i] = i, at }

// more notes one more peer that has piece i.
func (s *scarcity) more(i uint32) {
	v := int(s.count[i])
	s.count[i]++
	if v+1 == len(s.first) {
		s.first = append(s.first, uint32(len(s.order)))
	}
	if !s.contains(i) {
		return
	}
	s.first[v+1]--
	s.swap(i, s.first[v+1])
}

// less notes one peer less.
func (s *scarcity) less(i uint32) {
	v := int(s.count[i])
	s.count[i]--
	if !s.contains(i) {
		return
	}
	s.swap(i, s.first[v])
	s.first[v]++
}

func (s *scarcity) swap(i, to uint32) {
	from, other := s.rank[i], s.order[to]
	s.put(other, from)
	s.put(i, to)
}

// remove takes piece i out of the order: each bucket behind it gives its last place to the hole.
func (s *scarcity) remove(i uint32) {
	hole := s.rank[i]
	for v := int(s.count[i]); v < len(s.first); v++ {
		if last := s.end(v) - 1; last > hole {
			s.put(s.order[last], hole)
			hole = last
		}
		if v+1 < len(s.first) {
			s.first[v+1]--
		}
	}
	s.order = s.order[:len(s.order)-1]
	s.rank[i] = outside
}

// insert puts piece i back.
func (s *scarcity) insert(i uint32) {
	hole := uint32(len(s.order))
	s.order = append(s.order, i)
	for v := len(s.first) - 1; v > int(s.count[i]); v-- {
		if at := s.first[v]; at < hole {
			s.put(s.order[at], hole)
			hole = at
		}
		s.first[v]++
	}
	s.put(i, hole)
}
