package piecepicker

import (
	"math"
	"time"
)

// How fast.
//
// What is needed goes out at full rate. Else the rate halves with each further copy believed to be out (conservative mode;
// in others more slowly, or not at all), to next to nothing when others carry it, and several verified copies put the picker to
// sleep. Starving peers that pass on
// nothing share a quarter of the rate. A budget lowers all of it, but never takes away the floor: one and a half pieces for
// every peer that arrives, without which a swarm in which everybody leaves when complete can lose a piece for good.

const (
	rescueShare = 0.25
	floorShare  = 1.5 // pieces per arriving peer
	trickle     = 10 * time.Minute
	leastRate   = 128 << 10 // bytes per second an unlimited line is taken to have at least
	peakHalf    = time.Hour // in which what an unlimited line was seen to carry counts half

	sleepAt     = 5.0 // copies
	wakeAt      = 2.0
	sleepGroups = 3
	sleepAfter  = 15 * time.Minute
	arrivalTime = time.Hour

	needPaces, rescuePaces, assistPaces = 4.0, 0.5, 0.2 // of the pace of a budget
	budgetStop                          = 1.1
)

// alpha returns how many halvings a copy is worth.
func (m Mode) alpha() float64 {
	switch m {
	case Generous:
		return 0
	case Balanced:
		return 0.25
	}
	return 1
}

// availability returns how many copies are believed to be out: the holders of the rarest piece, and the share of pieces that
// have more.
func (p *Picker) availability() float64 {
	if len(p.pieces) == 0 {
		return 0
	}
	holders, pieces := p.least()
	if p.partial() {
		holders, pieces = 0, max(p.unsentLeft, int(p.rarity.end(0)))
	}
	return float64(holders) + float64(len(p.pieces)-pieces)/float64(len(p.pieces))
}

// copyOut reports whether a whole copy is out.
func (p *Picker) copyOut() bool {
	holders, _ := p.least()
	return holders > 0 && !p.partial()
}

// fullRate returns what the torrent may send at most, in bytes per second: of an unlimited one, what it was seen to send.
func (p *Picker) fullRate() float64 {
	if p.limits.MaxRate > 0 {
		return float64(p.limits.MaxRate)
	}
	return max(p.peak, leastRate)
}

// floor returns what need may always have: without it pieces are lost faster than they can be replaced.
func (p *Picker) floor() float64 {
	return max(floorShare*p.arrivals, 1/trickle.Seconds()) * float64(p.cfg.PieceLength)
}

// throttled returns the rate of assistance at a availability.
func (p *Picker) throttled(a float64) float64 {
	if p.asleep || len(p.takers) == 0 {
		return 0
	}
	full := p.fullRate()
	trickling := min(full, float64(p.cfg.PieceLength)/trickle.Seconds())
	if p.carried {
		return trickling
	}
	return max(trickling, full*math.Exp2(-p.cfg.Mode.alpha()*max(0, a-1)))
}

// spent reports how far the budget is used up: whether only the floor is left, and whether not even that.
func (l Limits) over() bool { return l.Spent >= 1 }
func (l Limits) out() bool  { return l.Spent >= budgetStop }

// rate returns what a class may send, and whether that is less than the whole.
func (p *Picker) rate(c Class) (rate float64, limited bool) {
	full := p.fullRate()
	pace := float64(p.limits.Pace)
	switch {
	case p.limits.out():
		return 0, true
	case p.limits.over():
		if c == Need {
			return min(full, p.floor()), true
		}
		return 0, true
	}
	rate, paces := full, 0.0
	switch c {
	case Need:
		paces = needPaces
	case Rescue:
		rate, limited, paces = rescueShare*full, true, rescuePaces
	case Assist:
		rate, paces = p.throttled(p.availability()), assistPaces
		limited = rate < full
	}
	if pace > 0 && paces*pace < rate {
		rate, limited = paces*pace, true
		if c == Need {
			rate = min(full, max(rate, p.floor()))
		}
	}
	return rate, limited
}

// accrue adds to each class's credit what it may send in the time since the last call. Two pieces is the most that is saved.
func (p *Picker) accrue() {
	dt := (p.now - p.accrued).Seconds()
	if dt <= 0 {
		return
	}
	p.accrued = p.now
	most := 2 * float64(p.cfg.PieceLength)
	for c := Need; c <= Assist; c++ {
		rate, _ := p.rate(c)
		p.credits[c] = min(most, p.credits[c]+rate*dt)
	}
	if !p.copyOut() {
		p.credits[Assist] = min(0, p.credits[Assist]) // there is nothing to assist with before a copy is out
	}
}

// charged reports whether an offer of the class to q is charged to the credit of the class.
func (p *Picker) charged(c Class, q *peer) bool {
	if c == Rescue && q.trust == Proven {
		return p.limits.Pace > 0 || p.limits.over()
	}
	_, limited := p.rate(c)
	return limited
}

// affords reports whether a piece of the class may be offered to q now. A starving peer that passes pieces on is not limited.
func (p *Picker) affords(c Class, q *peer) bool {
	if !p.charged(c, q) {
		return true
	}
	rate, _ := p.rate(c)
	return rate > 0 && p.credits[c] >= float64(p.cfg.PieceLength)
}

// spend takes an offer of n bytes off the credit of its class, and refund gives back what of it was not sent.
func (p *Picker) spend(c Class, n int64) { p.credits[c] -= float64(n) }

func (p *Picker) refund(c Class, n int64) {
	p.credits[c] = min(p.credits[c]+float64(n), 2*float64(p.cfg.PieceLength))
}

// affordable returns when a piece of the class may be offered, and false if time alone does not help.
func (p *Picker) affordable(c Class) (time.Duration, bool) {
	rate, limited := p.rate(c)
	short := float64(p.cfg.PieceLength) - p.credits[c]
	if !limited || rate <= 0 || short <= 0 {
		return 0, false
	}
	return p.now + seconds(short/rate), true
}

// doze decides about sleep. It takes a quarter of an hour of several copies to fall asleep, and less to wake.
func (p *Picker) doze() {
	a := p.availability()
	needy := p.needed() > 0 || len(p.starving) > 0 || p.cfg.Mode == Generous
	if p.asleep {
		p.asleep = a >= wakeAt && !needy
		p.plentiful = p.now
		return
	}
	if a < sleepAt || p.believedGroups < sleepGroups || needy {
		p.plentiful = p.now
	}
	p.asleep = p.now-p.plentiful >= sleepAfter
}

// arrive counts a new peer.
func (p *Picker) arrive() {
	p.fade()
	p.arrivals += 1 / arrivalTime.Seconds()
}

// fade lets the arrivals of the last hour, and the best rate seen, become old.
func (p *Picker) fade() {
	dt := (p.now - p.faded).Seconds()
	p.faded = p.now
	p.arrivals *= math.Exp(-dt / arrivalTime.Seconds())
	p.peak = max(p.meter.rate, p.peak*math.Exp2(-dt/peakHalf.Seconds()))
}
