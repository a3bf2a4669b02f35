package piecepicker

// A piece is the state of one piece. There may be 100,000: it is 24 bytes.
type piece struct {
	rank    uint32 // its place in rarity.order
	place   uint32 // its place in the list of its tier
	grown   uint32 // when its holders last changed, in seconds of the picker's clock
	kept    uint32 // until when it is for those who took a piece before; the same
	live    uint16 // connected peers believed to have it
	proven  uint16 // of those, peers that passed on pieces or were audited
	claims  uint16 // connected members that say they have it
	offers  uint16 // peers it is on offer to
	sent    uint8  // whole copies sent, counted to 255
	tier    tier
	stalled bool // has holders and does not spread
	watched bool // sent, and not yet seen at a second peer: see relay.go
}

// rarity keeps all pieces ordered by how many peers hold them, in one array cut into buckets. One more or one less holder
// moves a piece over one border: it changes places with the piece at the border, and the border moves by one.
type rarity struct {
	order []uint32 // pieces, rarest first
	first []uint32 // first[v] is where in order the pieces with v holders begin; first[0] is 0
}

func newRarity(n int) rarity {
	r := rarity{order: make([]uint32, n), first: make([]uint32, 1, 64)}
	for i := range r.order {
		r.order[i] = uint32(i)
	}
	return r
}

// end returns where the bucket of v holders ends.
func (r *rarity) end(v int) uint32 {
	if v+1 < len(r.first) {
		return r.first[v+1]
	}
	return uint32(len(r.order))
}

// least returns the holders of the rarest piece, and how many pieces have just as few.
func (p *Picker) least() (holders, pieces int) {
	if len(p.pieces) == 0 {
		return 0, 0
	}
	v := int(p.pieces[p.rarity.order[0]].live)
	return v, int(p.rarity.end(v))
}

// spread returns how many pieces have a holder.
func (p *Picker) spread() int { return len(p.pieces) - int(p.rarity.end(0)) }

func (p *Picker) addHolder(i uint32) {
	r, pc := &p.rarity, &p.pieces[i]
	v := int(pc.live)
	if v+1 == len(r.first) {
		r.first = append(r.first, uint32(len(r.order)))
	}
	r.first[v+1]--
	p.exchange(pc, i, r.first[v+1])
	pc.live++
	if v == 0 {
		p.reclass(i)
	}
}

func (p *Picker) dropHolder(i uint32) {
	r, pc := &p.rarity, &p.pieces[i]
	v := pc.live
	p.exchange(pc, i, r.first[v])
	r.first[v]++
	pc.live--
	if v == 1 {
		p.reclass(i)
	}
}

// exchange puts piece i at place to, and the piece that was there where i was.
func (p *Picker) exchange(pc *piece, i, to uint32) {
	from := pc.rank
	if from == to {
		return
	}
	other := p.rarity.order[to]
	p.rarity.order[from], p.rarity.order[to] = other, i
	p.pieces[other].rank, pc.rank = from, to
}

// rarest returns a piece that q lacks and is not offered: among the rarest, at random, and rather one that is on offer to
// nobody. It looks at few pieces: of a peer that lacks little it takes the rarest of the first it finds.
func (p *Picker) rarest(q *peer) (uint32, bool) {
	const tries = 16
	best, found := uint32(0), false
	for from, left := uint32(0), tries; left > 0 && int(from) < len(p.rarity.order); {
		end := p.rarity.end(int(p.pieces[p.rarity.order[from]].live))
		size := end - from
		at := p.rng.Uint32N(size)
		for range min(uint32(left), size) {
			i := p.rarity.order[from+at]
			if p.offerable(q, i) {
				if p.pieces[i].offers == 0 {
					return i, true
				}
				if !found {
					best, found = i, true
				}
			}
			if at++; at == size {
				at = 0
			}
			left--
		}
		from = end
	}
	if found {
		return best, true
	}
	lacks := len(p.pieces) - int(q.nHave)
	q.have.missing(p.rng.Uint32N(uint32(len(p.pieces))), len(p.pieces), func(i uint32) bool {
		if p.offerable(q, i) && (!found || p.rarer(i, best)) {
			best, found = i, true
		}
		return false
	}, min(tries, lacks))
	return best, found
}

func (p *Picker) rarer(a, b uint32) bool {
	x, y := &p.pieces[a], &p.pieces[b]
	return x.live+x.offers < y.live+y.offers
}

// offerable reports whether piece i may be offered to q: q lacks it, it was not revealed to q before, and is not kept for others.
func (p *Picker) offerable(q *peer, i uint32) bool {
	return !q.has(i) && q.loan(i) == nil && !p.keptFrom(q, &p.pieces[i]) && !p.keptBack(q, i)
}
