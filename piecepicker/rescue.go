package piecepicker

import (
	"cmp"
	"slices"
	"time"
)

// Rescue.
//
// A peer that got nothing from the swarm for long, though the swarm has what it lacks, is served by us: whatever we believe
// about how many copies are out. What leeches receive cannot be lied about.

const (
	starveAfter = 90 * time.Second
	starveLulls = 3 // who passes pieces on and used to get many need not wait that long; among liars, one lull only
)

// starves reports whether q is starving.
func (p *Picker) starves(q *peer) bool {
	after := starveAfter
	switch {
	case p.stranded(q):
		return true
	case q.trust == Proven && p.deserted(q):
		return true
	case q.trust == Proven && p.now < p.crowded:
		after = q.lull()
	case q.trust == Proven:
		after = min(after, starveLulls*q.lull())
	}
	return p.starveClock-q.fed > after
}

// findStarving lists who is starving: the proven first, hoarders last, and among equals who lacks least.
func (p *Picker) findStarving() {
	p.starving, p.ends = p.starving[:0], false
	spread := p.spread()
	for _, q := range p.takers {
		if q.nHave >= spread {
			q.fed = p.starveClock // nobody we believe has what it lacks
		}
		if _, last := p.ending(q); last || q.mixing.lacks > 0 && p.nearlyMixed(q) {
			p.ends = true
		}
		if p.starves(q) {
			p.starving = append(p.starving, q)
		}
	}
	slices.SortFunc(p.starving, func(a, b *peer) int {
		return cmp.Or(
			cmp.Compare(a.worth(), b.worth()),
			cmp.Compare(b.nHave, a.nHave),
			cmp.Compare(a.salt, b.salt))
	})
}

// worth returns the place of q among the starving: 0 if it passes pieces on, 1 if nothing is known, 2 if it does not.
func (q *peer) worth() int {
	switch {
	case !q.good:
		return 2
	case q.trust == Proven:
		return 0
	}
	return 1
}

// rescue offers the rarest piece to the first of the starving that can take one.
func (p *Picker) rescue() bool {
	for _, q := range p.starving[:min(len(p.starving), rescueTries)] {
		if q.taker == 0 || !p.starves(q) || !p.free(q) || !p.affords(Rescue, q) {
			continue
		}
		if i, ok := p.rarest(q); ok {
			code := Starving
			if p.stranded(q) {
				code = Stranded
			}
			p.lend(q, i, Rescue, code)
			return true
		}
	}
	return false
}

const rescueTries = 64
