package piecepicker

import (
	"cmp"
	"slices"
	"time"
)

// Harmed peers.
//
// Where peers send junk leeches ban each other for it (see mixed.go), and some are left with few partners or none. While that goes on, those
// who get less than most come first for what is needed, and who will be complete much later than the others gets what it lacks of us, the
// last first, once a copy is out: for an eighth of what was sent at the most. Who gets nothing any more is starving, and
// waits no longer for that than it takes to tell.

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

// findHarmed lists who will be complete much later than most, the last first, and says who is favoured. It is called in each sweep.
func (p *Picker) findHarmed() {
	p.harmed = p.harmed[:0]
	junk := p.now < p.junk
	if !junk && !p.favouring || len(p.takers) == 0 {
		return
	}
	p.favouring = junk
	flow := p.middle(func(q *peer) float64 { return q.flow }, 0)
	for k := 0; k < len(p.takers); k++ { // which touch may shorten
		q := p.takers[k]
		q.late = float64(len(p.pieces)-q.nHave) / max(q.flow, 1e-3)
		if f := q.favoured(flow, junk); f != q.favour {
			q.favour = f
			p.touch(q)
		}
	}
	if !junk {
		return
	}
	late := max(harmedAfter.Seconds(), harmedTimes*p.middle(func(q *peer) float64 { return q.late }, p.completed))
	for _, q := range p.takers {
		if q.late > late && q.trust == Proven {
			p.harmed = append(p.harmed, q)
		}
	}
	slices.SortFunc(p.harmed, func(a, b *peer) int { return cmp.Compare(b.late, a.late) })
}

// middle returns the median of a figure of those who take pieces, and of so many zeros.
func (p *Picker) middle(of func(*peer) float64, zeros int) float64 {
	p.rates = p.rates[:0]
	for range zeros {
		p.rates = append(p.rates, 0)
	}
	for _, q := range p.takers {
		p.rates = append(p.rates, of(q))
	}
	slices.Sort(p.rates)
	return p.rates[len(p.rates)/2]
}

// favoured returns the factor of the key of q for what is needed, where most get so many pieces per second of others: who gets less comes
// sooner, if it gets anything, since then it passes something on, too.
func (q *peer) favoured(most float64, junk bool) float64 {
	if !junk || most == 0 || q.flow < favourLeast*most {
		return 1
	}
	share := min(1, q.flow/most)
	return share * share
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
