package piecepicker

import "time"

// What is needed.
//
// A piece is needed while nobody holds it whom we believe (it is unsent, or lost), or while it has few holders and does not
// spread (stalled), and it is on offer to nobody. Needed pieces lie in tiers, the most urgent first.

// A tier is how urgently a piece is needed: by 4 copies sent + holders, in steps of four.
type tier uint8

const (
	unsent tier = iota // never sent
	tierOnce
	tierTwice
	tierOften
	noTier // not needed
)

// reclass puts piece i into its tier. It is called whenever its holders, offers or copies change what it is.
func (p *Picker) reclass(i uint32) {
	pc := &p.pieces[i]
	p.move(i, p.tierOf(i, pc))
}

func (p *Picker) tierOf(i uint32, pc *piece) tier {
	switch {
	case pc.offers > 0:
		return noTier
	case !p.everSent.has(i) && (pc.live == 0 || !p.otherServes):
		return unsent // whoever says so: no copy of it exists but ours
	case pc.live == 0:
		return min(max(tier(pc.sent), tierOnce), tierOften)
	case pc.stalled:
		return min(max(tier((4*int(pc.sent)+int(pc.live))/4), tierOnce), tierOften)
	}
	return noTier
}

func (p *Picker) move(i uint32, to tier) {
	pc := &p.pieces[i]
	if pc.tier == to {
		return
	}
	if pc.tier != noTier {
		list := p.need[pc.tier]
		last := list[len(list)-1]
		list[pc.place] = last
		p.pieces[last].place = pc.place
		p.need[pc.tier] = list[:len(list)-1]
	}
	if pc.tier = to; to != noTier {
		pc.place = uint32(len(p.need[to]))
		p.need[to] = append(p.need[to], i)
		p.needStuck = false
	}
}

// needed returns how many pieces are to be sent now.
func (p *Picker) needed() int {
	n := 0
	for t := range p.need {
		n += len(p.need[t])
	}
	return n - p.held()
}

// held returns how many unsent pieces the release gate keeps back: no more than it was closed for, if some come back from
// whom they were lent to.
func (p *Picker) held() int {
	if !p.gate.closed {
		return 0
	}
	return min(len(p.need[unsent]), p.gate.size)
}

// neededBy returns the most urgent piece that q lacks, at random among equals.
func (p *Picker) neededBy(q *peer) (uint32, bool) {
	const tries = 16
	for t := range p.need {
		list := p.need[t]
		if len(list) == 0 || tier(t) == unsent && len(list) <= p.held() {
			continue
		}
		at := p.rng.IntN(len(list))
		for range min(tries, len(list)) {
			if i := list[at]; p.offerable(q, i) {
				return i, true
			}
			if at++; at == len(list) {
				at = 0
			}
		}
		if len(list) <= tries {
			continue
		}
		if i, ok := q.have.missing(list[at], len(p.pieces), func(i uint32) bool {
			return p.pieces[i].tier == tier(t) && p.offerable(q, i)
		}, 4*tries); ok {
			return i, true
		}
	}
	return 0, false
}

// why returns the code of a needed piece, and 0 for one that is not needed.
func (pc *piece) why() Code {
	switch {
	case pc.tier == noTier:
		return 0
	case pc.tier == unsent:
		return Unsent
	case pc.live == 0:
		return Lost
	}
	return Stalled
}

// lack returns how many members say they do not have the piece.
func (p *Picker) lack(pc *piece) int { return p.members - int(pc.claims) }

// stallScan looks at a share of the pieces for such that do not spread: nobody proven holds them, or they are among the
// rarest, and their holders have not changed for a time in which, at the swarm's pace, ten would have come. Pieces that are
// common stop growing for minutes in any healthy swarm that prefers rare ones, and so do most where two seeds serve all.
func (p *Picker) stallScan() {
	n := len(p.pieces)
	if n == 0 || p.members == 0 || p.carried && len(p.starving) == 0 {
		return
	}
	minLive, _ := p.least()
	todo := float64(p.members)*float64(n) - float64(p.claims)
	for range min(n, n/stallShare+1) {
		i := p.stallNext
		if p.stallNext++; int(p.stallNext) == n {
			p.stallNext = 0
		}
		pc := &p.pieces[i]
		if pc.live == 0 || pc.offers > 0 || pc.stalled || pc.proven > 0 && int(pc.live) > min(3, minLive+1) {
			continue
		}
		lack := p.lack(pc)
		if lack <= 0 {
			continue
		}
		limit := stallMax
		if p.haveRate > 0 {
			limit = clamp(seconds(10*todo/(p.haveRate*float64(lack))), stallMin, stallMax)
		}
		if p.age(pc) > limit {
			pc.stalled = true
			p.reclass(i)
		}
	}
}

const (
	stallShare = 16 // of the pieces, this part is looked at in a sweep
	stallMin   = 60 * time.Second
	stallMax   = 600 * time.Second
)

// age returns for how long the piece has had the same holders.
func (p *Picker) age(pc *piece) time.Duration { return p.now - time.Duration(pc.grown)*time.Second }

// grow notes that the holders of piece i changed.
func (p *Picker) grow(i uint32) {
	pc := &p.pieces[i]
	pc.grown = uint32(p.now / time.Second)
	if pc.stalled {
		pc.stalled = false
		p.reclass(i)
	}
}
