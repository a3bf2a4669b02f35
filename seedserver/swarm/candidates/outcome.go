package candidates

import (
	"net/netip"
	"time"
)

const (
	firstRetry = time.Minute // after the first failure
	maxRetry   = time.Hour
	seedRetry  = 30 * time.Minute // after the connection of one complete
	briefStay  = time.Minute      // a connection that did not last as long was none
	missRetry  = 5 * time.Second  // instead of firstRetry, for who is missed: a server that is started anew takes seconds
)

// Connected notes that a candidate's dial came to a handshake, or that who listens at addr is connected by its own dial: it is not
// dialled until it left.
func (p *Pool) Connected(addr netip.AddrPort) {
	e := p.entries[plain(addr)]
	if e == nil || e.state == connected {
		return
	}
	if e.state == dialling {
		p.networks[e.place].failed = 0
		if e.informant != nil {
			e.informant.right++
		}
	}
	p.set(e, connected)
}

// Failed notes that a dial came to nothing. The next one is due after a minute, then after twice the time of before.
func (p *Pool) Failed(now time.Time, addr netip.AddrPort) {
	e := p.entries[plain(addr)]
	if e == nil || e.state != dialling {
		return
	}
	p.networks[e.place].failed++
	if e.informant != nil {
		e.informant.wrong++
	}
	p.backOff(now, e)
}

// backOff makes e idle for a time that doubles, within a fifth, so that what failed together does not come again together.
func (p *Pool) backOff(now time.Time, e *entry) {
	p.set(e, idle)
	first := firstRetry
	if e.missed {
		first = missRetry
	}
	wait := min(first<<min(e.failures, 16), maxRetry)
	e.failures++
	e.due = now.Add(wait + time.Duration(p.rng.Int64N(int64(wait/5))))
}

// Put puts a candidate that Next returned back: it may not be dialled before a time.
func (p *Pool) Put(addr netip.AddrPort, until time.Time) {
	if e := p.entries[plain(addr)]; e != nil && e.state == dialling {
		p.set(e, idle)
		e.due = until
	}
}

// A Stay is what there is to say of a connection that ended.
type Stay struct {
	Lasted time.Duration
	Seed   bool // it was complete
	Missed bool // it gave us what we lack more of
}

// Left notes that the connection to who listens at addr ended.
func (p *Pool) Left(now time.Time, addr netip.AddrPort, was Stay) {
	e := p.entries[plain(addr)]
	if e == nil || e.state != connected {
		return
	}
	e.Seed, e.known, e.missed = was.Seed, true, was.Missed
	if was.Lasted >= briefStay {
		e.failures = 0
	}
	switch {
	case was.Seed && !was.Missed:
		p.set(e, idle)
		e.due = now.Add(seedRetry)
	case was.Lasted < briefStay || was.Missed:
		p.backOff(now, e)
	default:
		p.set(e, idle)
		e.due = now.Add(firstRetry)
	}
}

// Own forgets a candidate that is ourselves.
func (p *Pool) Own(addr netip.AddrPort) {
	if e := p.entries[plain(addr)]; e != nil {
		p.remove(e)
	}
}

// Bounds of what is remembered of informants.
const (
	maxInformants = 512 // more than can have addresses here at a time
	maxWrong      = 10  // wrong addresses until it matters how many were right
)

// An informant is somebody who tells addresses of others.
type informant struct {
	entries      int // that are kept
	right, wrong int // dials that came to a handshake, and to nothing
}

// mayTell reports whether another address of i is taken.
func (i *informant) mayTell() bool {
	return i.entries < MaxPerInformant && (i.wrong < maxWrong || i.right*4 >= i.wrong)
}

func (p *Pool) informant(from netip.Addr) *informant {
	i := p.informants[from]
	if i == nil {
		i = &informant{}
		p.informants[from] = i
	}
	return i
}

// forgetInformants keeps their number within bounds. Those that were caught go last: who has nothing here now is forgotten first.
func (p *Pool) forgetInformants() {
	for worst := 0; len(p.informants) > maxInformants; worst += maxWrong {
		for from, i := range p.informants {
			if i.entries == 0 && i.wrong <= worst {
				delete(p.informants, from)
			}
			if len(p.informants) <= maxInformants {
				break
			}
		}
	}
}
