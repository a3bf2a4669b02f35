package piecepicker

import "time"

const (
	maxBurst   = 4096            // offers in one Tick
	aloneTime  = 3 * time.Second // some clients ask and report twice a second only: less would hold their rate where it is
	aloneBytes = 4 << 20
	keepMost   = 16 // peers
	keepAfter  = 20 * time.Second
	keepNew    = 3 * time.Second
)

// fill makes offers until nothing more is to be offered now: what is needed, else rescue, else assistance.
func (p *Picker) fill() {
	for range maxBurst {
		if q := p.alone(); q != nil {
			if !p.serveAlone(q) {
				return
			}
			continue
		}
		if !p.room() {
			return
		}
		made := p.serveNeed()
		if p.knownOnly {
			p.knownOnly, p.needStuck = false, false // that nobody took anything says nothing of strangers
			if made == served {
				continue
			}
			return
		}
		switch made {
		case served:
			continue
		case later:
			return
		}
		if !p.rescue() && !p.amend() && !p.assist() {
			return
		}
	}
}

// keep offers a needed piece to those who have had nothing on offer for long, whatever the window says: some clients leave who
// got nothing for a minute. In a large swarm they would be too many. Who was never offered anything does not wait, and who never
// got anything waits a second, if what is on its way before it does not take longer than three: what silent peers were offered
// first must not keep a newcomer waiting.
func (p *Picker) keep() {
	if len(p.takers) > keepMost {
		return
	}
	p.closeGate()
	for _, q := range p.takers {
		wait := keepAfter
		if q.sent == 0 && float64(p.queued()+p.cfg.PieceLength) <= keepNew.Seconds()*p.line() {
			if wait = sweepEvery; q.lent == q.joined {
				wait = 0
			}
		}
		if q.good && q.open == 0 && p.now-max(q.lent, q.joined) >= wait && p.free(q) && p.affords(Need, q) && p.needed() > 0 {
			p.serve(q)
		}
	}
}

// An outcome is what came of an attempt to serve what is needed.
type outcome uint8

const (
	none   outcome = iota // nothing is needed that anybody can take
	served                // an offer was made
	later                 // somebody will be able to take it soon
)

// alone returns the only peer that takes pieces if nobody else could give it any, else nil. It gets everything, at full speed,
// whatever it has shown. Barren ones do not count beside it.
func (p *Picker) alone() *peer {
	switch {
	case p.suppliers > 0:
	case len(p.takers) == 1:
		return p.takers[0]
	case len(p.takers)-p.barren == 1:
		for _, q := range p.takers {
			if !q.isBarren {
				return q
			}
		}
	}
	return nil
}

// serveAlone offers one more piece to q, which is alone, if it has less on offer than it can take in aloneTime.
func (p *Picker) serveAlone(q *peer) bool {
	ahead := max(2*p.cfg.PieceLength, aloneBytes, int64(aloneTime.Seconds()*q.meter.rate))
	if q.open > 0 && q.remaining+p.cfg.PieceLength > ahead || !p.flippable(q) || !p.affords(Need, q) {
		return false
	}
	i, ok := p.neededBy(q)
	if !ok {
		i, ok = p.rarest(q)
	}
	if ok {
		p.lone = q
		p.lend(q, i, Need, Alone)
	}
	return ok
}
