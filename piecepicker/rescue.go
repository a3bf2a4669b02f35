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
	case q.trust == Proven && p.now < p.crowded:
		after = q.lull()
	case q.trust == Proven:
		after = min(after, starveLulls*q.lull())
	}
	return p.starveClock-q.fed > after
}

// findStarving lists who is starving: the proven first, hoarders last, and among equals who lacks least.
func (p *Picker) findStarving() {
	p.starving = p.starving[:0]
	spread := p.spread()
	for _, q := range p.takers {
		if q.nHave >= spread {
			q.fed = p.starveClock // nobody we believe has what it lacks
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
			p.lend(q, i, Rescue, Starving)
			return true
		}
	}
	return false
}

const rescueTries = 64

const (
	helpShare = 8    // of what was sent, what is for laggards among liars is an eighth at most
	helpBelow = 0.75 // of all pieces: who has more is complete soon without
)

// help offers the rarest piece to the good peer with the fewest, while liars are there and a copy is out. In a leech whose upload slots
// liars had first nobody has one for its first round of choking, and it gives nothing, and so gets nothing of others: when
// everything is out it is what the others wait for.
func (p *Picker) help() bool {
	q := p.queues[assistQueue].top()
	if q == nil || p.now >= p.crowded || p.asleep || p.carried || !p.copyOut() || p.helped >= p.sent/helpShare ||
		float64(q.nHave) > helpBelow*float64(len(p.pieces)) || !p.affords(Need, q) {
		return false
	}
	i, ok := p.rarest(q)
	if ok {
		p.helped += p.size(i)
		p.lend(q, i, Need, Behind)
	}
	return ok
}
