package piecepicker

import (
	"math"
	"slices"
	"time"
)

// The release gate.
//
// The last pieces of the first copy are kept back until the slow leeches have nearly all of what is out. Without it the fast
// ones are complete at once, leave, and take their uplinks with them.

const (
	gateShare   = 0.02
	gatePieces  = 4                // at least,
	gateRatio   = 8                // and one for so many leeches
	gateLeeches = 5                // fewer are not kept waiting
	gateUnknown = 0.2              // nor are they if more of them than this were served and have shown nothing, or bad things
	gateSlowest = 0.05             // of the leeches need not have caught up
	gateCaught  = 0.97             // of what is out
	gateLeast   = 10 * time.Minute // it is never closed for longer than this, or than four copies take
	gateEvery   = 250 * time.Millisecond
)

type gate struct {
	closed bool
	done   bool // was opened, and is not closed again
	since  time.Duration
	size   int // pieces it keeps back
}

// gateSize returns how many pieces the gate keeps back. A few would be with a few leeches for long, while all others wait for just
// these: with one for each eight, all have something to pass on when it was passed on three times.
func (p *Picker) gateSize() int {
	share := p.cfg.Gate
	if share == 0 && p.cfg.Mode == Conservative {
		share = gateShare
	}
	if share <= 0 {
		return 0
	}
	return max(gatePieces, len(p.takers)/gateRatio, int(math.Ceil(share*float64(len(p.pieces)))))
}

// closeGate decides, once, whether to keep back the last unsent pieces. It is called before one is offered.
func (p *Picker) closeGate() {
	g, size := &p.gate, p.gateSize()
	if g.closed || g.done || len(p.need[unsent]) > size {
		return
	}
	g.done = size == 0 || 4*size > len(p.pieces) || !p.gateHelps()
	g.closed, g.since, g.size = !g.done, p.now, size
}

// openGate opens the gate when its purpose is served.
func (p *Picker) openGate() {
	g := &p.gate
	if !g.closed {
		return
	}
	most := max(gateLeast, seconds(4*float64(p.cfg.Length)/p.fullRate()))
	if !p.gateHelps() || p.now-g.since > most || p.caughtUp() {
		g.closed, g.done = false, true
		p.needStuck = false
	}
}

// gateHelps reports whether the swarm is one that gains by waiting. Among liars it does not: they owe blocks of many pieces to each
// leech, and that asks others for the same blocks only when nothing is left that it asked nobody for, such as what is kept back. Who
// was given nothing could show nothing, and is not held to be unknown: in a large swarm the first copy goes to a few.
func (p *Picker) gateHelps() bool {
	if len(p.takers) < gateLeeches || p.otherOrigin || p.now < p.crowded {
		return false
	}
	unknown := 0
	for _, q := range p.takers {
		if !q.good || q.trust != Proven && q.relay.served > 0 {
			unknown++
		}
	}
	return float64(unknown) <= gateUnknown*float64(len(p.takers))
}

// caughtUp reports whether all but the slowest of those who were there when the gate was closed have nearly all of what is
// out. Who gets nothing new is not waited for.
func (p *Picker) caughtUp() bool {
	enough := int(gateCaught * float64(p.spread()))
	p.counts = p.counts[:0]
	for _, q := range p.takers {
		if q.good && q.joined < p.gate.since && !q.stuck {
			p.counts = append(p.counts, q.nHave)
		}
	}
	if len(p.counts) == 0 {
		return true
	}
	slices.Sort(p.counts)
	return p.counts[int(gateSlowest*float64(len(p.counts)))] >= enough
}
