package piecepicker

import "time"

// Who carries it.
//
// Two seeds beside us that have shown the file are what a swarm needs to go on without us: what one loses the other has. While they
// are there, and most leeches are seen to get pieces from others, assistance is at its floor, one piece in ten minutes; and while
// nobody starves, pieces that do not spread yet are left to them. That a seed serves is not shown by an audit, but by leeches.

const (
	carryCopies = 2.0 // audited whole copies, in conservative mode; as many more as the mode is more generous
	carryAfter  = 30 * time.Second
)

// watchCarriers decides whether others carry the torrent. It takes half a minute to be sure, and none to doubt.
func (p *Picker) watchCarriers() {
	copies := 0
	for _, q := range p.peers {
		if q != nil && q.supplier && q.audited > p.now {
			copies++
		}
	}
	if p.cfg.Mode.alpha()*float64(copies) < carryCopies || p.needed() > 0 || 2*len(p.starving) > len(p.takers) {
		p.uncarried = p.now
	}
	p.carried = p.now-p.uncarried >= carryAfter
}
