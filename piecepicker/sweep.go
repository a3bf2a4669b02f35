package piecepicker

import (
	"slices"
	"time"
)

const (
	sweepEvery   = time.Second
	startWithin  = 20 * time.Second // after an offer, and
	wantWithin   = 10 * time.Second // if it does not even make the peer interested
	coldAfter    = time.Second      // then what is not asked for is not on its way any more
	chokeAfter   = 30 * time.Second
	flipEvery    = 10 * time.Second // aria2 takes quick changes for flooding
	shunFor      = time.Minute
	shunMost     = time.Hour
	paceOver     = 30 * time.Second
	paceLeast    = 1 << 10 // bytes per second
	paceOfMedian = 0.05
	paceCrowd    = 3 // peers that have a median worth the name
	haveRateTime = 33 * time.Second
	recordSweeps = 64
)

// pace is how much a peer took in the current step of paceOver.
type pace struct {
	since time.Duration
	sent  int64
}

// sweep does what only the clock brings about: once a second, and more often while the gate is closed.
func (p *Picker) sweep() {
	dt := p.now - p.swept
	p.swept = p.now
	if !p.gate.closed {
		p.starveClock += dt
	}
	p.meter.roll(p.now)
	p.fade()
	p.haveRate += (float64(p.haves)/max(dt.Seconds(), 1e-3) - p.haveRate) * min(1, dt.Seconds()/haveRateTime.Seconds())
	p.haves = 0
	slow := p.slowPace()
	p.watchCrowd()
	busy := p.busy()
	p.countTried()
	p.listen()
	for _, q := range p.peers {
		if q != nil && q.ready {
			p.sweepPeer(q, dt, slow, busy)
		}
	}
	p.superviseAll()
	p.stallScan()
	p.openGate()
	p.findStarving()
	p.findHarmed()
	p.watchCarriers()
	p.doze()
	p.widen()
	p.keep()
	p.needStuck = false
	if p.sweeps++; p.sweeps%recordSweeps == 0 {
		p.expireRecords()
	}
}

// countTried counts the takers that have shown something.
func (p *Picker) countTried() {
	p.proven, p.tried, p.goodTried = 0, 0, 0
	for _, q := range p.takers {
		if q.good && q.trust == Proven {
			p.proven++
		}
		if p.untried(q) {
			continue
		}
		p.tried++
		if q.good {
			p.goodTried++
		}
	}
}

func (p *Picker) sweepPeer(q *peer, dt time.Duration, slow float64, busy bool) {
	q.meter.roll(p.now)
	q.watchFlow(dt)
	p.observe(q)
	if q.audited != 0 && q.audited <= p.now {
		q.audited = 0
		p.judge(q)
	}
	if q.trust == Unproven && (!q.admitted || !q.asTried && p.outvoted(0)) {
		p.judge(q)
	}
	if len(q.loans) > 0 {
		p.settle(q, false)
		p.checkPace(q, slow)
		p.checkStart(q)
		p.checkBlocked(q, busy)
	}
	if q.mixing.out > 0 || q.mixing.lacks > 0 {
		p.checkMixed(q)
	}
	p.checkLag(q)
	if len(q.relay.waiting) > 0 {
		p.overdue(q)
	}
	p.rechoke(q)
	if q.unchoked && p.now-max(q.lent, q.moved) >= chokeAfter && q.open == 0 && p.now-q.flipped >= flipEvery {
		q.unchoked, q.flipped, q.pending = false, p.now, 0
		p.tell(Decision{Kind: KindChoke, Peer: q.id, Reason: Reason{Code: Idle, After: chokeAfter}})
	}
	p.touch(q)
}

// checkStart withdraws what q does not ask for, though it is not busy with anything else we gave it, or has passed it over
// for much that came later. Who is not busy at all is offered nothing for a while.
func (p *Picker) checkStart(q *peer) {
	within := startWithin
	if !q.interested {
		within = wantWithin
	}
	cold := min(coldAfter, p.blockedAfter(q))
	if p.begins() {
		cold = coldAfter / 2 // one of many newcomers may take it
	}
	shun := false
	for k := range q.loans {
		ln := &q.loans[k]
		if ln.withdrawn || ln.asked || ln.done {
			continue
		}
		if p.now-ln.made > cold && !ln.cold {
			ln.cold = true
			p.fly(q, -ln.left)
			if p.tried > 0 && p.untried(q) {
				p.wasted = p.now + keptFor
			}
		}
		idle := p.now-max(ln.made, q.moved) > within
		if idle || q.sent > ln.passed && len(p.takers) > 1 {
			p.withdraw(q, ln, NotStarted, p.now-ln.made)
		}
		shun = shun || idle
	}
	if shun {
		p.shun(q)
	}
}

// flippable reports whether q is unchoked, or may be.
func (p *Picker) flippable(q *peer) bool { return q.unchoked || p.now-q.flipped >= flipEvery }

// shun makes q no offers for a while, longer each time.
func (p *Picker) shun(q *peer) {
	q.shunned = p.now + min(shunFor<<min(q.shuns, 10), shunMost)
	q.shuns++
	p.judge(q)
	p.touch(q)
}

// checkPace withdraws what q takes too slowly: less than slow bytes per second over half a minute.
func (p *Picker) checkPace(q *peer, slow float64) {
	asked := slices.ContainsFunc(q.loans, func(ln loan) bool { return ln.asked && !ln.done && !ln.withdrawn })
	if !asked {
		q.pace = pace{since: p.now, sent: q.sent}
		return
	}
	dt := p.now - q.pace.since
	if dt < paceOver {
		return
	}
	took := float64(q.sent-q.pace.sent) / dt.Seconds()
	q.pace = pace{since: p.now, sent: q.sent}
	if took >= slow {
		return
	}
	for k := range q.loans {
		if ln := &q.loans[k]; ln.asked && !ln.done && !ln.withdrawn {
			p.withdraw(q, ln, Slow, paceOver)
		}
	}
	q.relay.window = max(windowFloor, q.relay.window/2)
	p.shun(q)
}

// slowPace returns the rate below which a peer is too slow: a twentieth of the median of those who take pieces, or what that
// was when there were some, and at least 1 KiB/s; but never more than a quarter of an even share, for then it is we who are slow.
func (p *Picker) slowPace() float64 {
	p.rates = p.rates[:0]
	for _, q := range p.takers {
		if q.open > 0 {
			p.rates = append(p.rates, q.meter.rate)
		}
	}
	if len(p.rates) >= paceCrowd {
		slices.Sort(p.rates)
		p.median = p.rates[len(p.rates)/2]
	}
	return min(max(paceLeast, paceOfMedian*p.median), p.fullRate()/float64(4*max(1, len(p.rates))))
}
