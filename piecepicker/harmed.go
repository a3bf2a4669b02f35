package piecepicker

import (
	"slices"
	"time"
)

// Harmed peers.
//
// Where peers send junk leeches ban each other for it (see mixed.go), and some are left with few partners or none. While that goes on, those
// who get less than most come first for what is needed, and who will be complete much later than the others gets what it lacks of us, the
// last first, once a copy is out: for an eighth of what was sent at the most. Who gets next to nothing any more is starving, and waits no longer for that than it takes to tell.

const (
	flowTime      = 2 * time.Second
	desertedUsual = 10 // times what it usually waits for a piece, at least
	desertedLeast = time.Second
	harmedTimes   = 2 // as late as most
	harmedAfter   = 2 * time.Second
	favourLeast   = 0.15 // of what most get
	harmedPart    = 8    // of all bytes, one in so many
)

// watchFlow notes how many pieces q gets of others, after dt.
func (q *peer) watchFlow(dt time.Duration) {
	q.flow += (float64(q.gained)/max(dt.Seconds(), 1e-3) - q.flow) * min(1, dt.Seconds()/flowTime.Seconds())
	q.gained = 0
}

// deserted reports whether q gets nothing of others any more.
func (p *Picker) deserted(q *peer) bool {
	usual, ok := q.usual()
	return ok && p.now < p.junk && p.starveClock-q.fed > max(desertedLeast, desertedUsual*usual)
}

// findHarmed lists who will be complete much later than most, the last first. It is called in each sweep.
func (p *Picker) findHarmed() {
	p.harmed, p.rates, p.flow = p.harmed[:0], p.rates[:0], 0
	if p.now >= p.junk || len(p.takers) == 0 {
		return
	}
	for _, q := range p.takers {
		p.rates = append(p.rates, q.flow)
	}
	slices.Sort(p.rates)
	p.flow = p.rates[len(p.rates)/2]
	p.rates = p.rates[:0]
	for range p.completed {
		p.rates = append(p.rates, 0)
	}
	for _, q := range p.takers {
		q.late = float64(len(p.pieces)-q.nHave) / max(q.flow, 1e-3)
		p.rates = append(p.rates, q.late)
	}
	slices.Sort(p.rates)
	late := max(harmedAfter.Seconds(), harmedTimes*p.rates[len(p.rates)/2])
	for _, q := range p.takers {
		if q.late > late && q.trust == Proven {
			p.harmed = append(p.harmed, q)
		}
	}
	slices.SortFunc(p.harmed, func(a, b *peer) int { return int(1e3 * (b.late - a.late)) })
}

// amend offers the rarest piece to the first of the harmed that can take one.
func (p *Picker) amend() bool {
	if len(p.harmed) == 0 || !p.copyOut() || harmedPart*(p.amends+p.cfg.PieceLength) > p.sent {
		return false
	}
	for _, q := range p.harmed[:min(len(p.harmed), rescueTries)] {
		if q.taker == 0 || !p.free(q) || !p.affords(Rescue, q) {
			continue
		}
		if i, ok := p.rarest(q); ok {
			p.amends += p.size(i)
			p.lend(q, i, Rescue, Harmed)
			return true
		}
	}
	return false
}

// favour is a factor of the key of q among those who may be given what is needed: who gets less than most of others comes sooner, if it gets
// anything, since then it passes something on, too.
func (p *Picker) favour(q *peer) float64 {
	if p.now >= p.junk || p.flow == 0 || q.flow < favourLeast*p.flow {
		return 1
	}
	return min(1, q.flow/p.flow*q.flow/p.flow)
}
