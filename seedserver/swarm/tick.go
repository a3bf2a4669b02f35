package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/choke"
)

const (
	keepAliveAfter = 90 * time.Second  // of our silence; "generally sent once every two minutes" (BEP 3)
	silentTimeout  = 150 * time.Second // of the peer's
	staleTimeout   = 60 * time.Second  // without a sign of life, or of interest, until a peer may have to make room

	newLateAfter = time.Second     // of a stranger, whose writes are short
	lateAfter    = 2 * time.Second // of one write, until the peer is one that does not read

	minNap    = time.Millisecond // the loop does not wake more often by itself
	busyTick  = time.Second      // how often rates are taken while something is sent
	quietTick = 10 * time.Second // and while nothing is
	sweepTime = 10 * time.Second // how often each peer's timeouts are looked at
)

// arm sets the timer for the next tick. Without peers and candidates there is none: an idle torrent costs no time at all.
func (l *loop) arm(now time.Time) {
	if len(l.peers) == 0 {
		l.dismissWriters()
	}
	next := l.dialDue
	if len(l.peers) > 0 || l.owesReport() {
		next = earlier(next, earlier(l.tickDue(), l.policy.next(now)))
	}
	if len(l.spares) > 0 {
		next = earlier(next, l.spares[0].until)
	}
	if next.IsZero() {
		return
	}
	if soonest := now.Add(minNap); next.Before(soonest) {
		next = soonest
	}
	if l.due.IsZero() || next.Before(l.due) {
		l.due = next
		l.timer.Reset(next.Sub(now))
	}
}

// earlier returns the earlier of two times; the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// tickDue returns when tick has something to do.
func (l *loop) tickDue() time.Time {
	due := l.ticked.Add(quietTick)
	if l.busy || l.untold {
		due = l.ticked.Add(busyTick)
	}
	if d := l.policy.deadline(); !d.IsZero() && d.Before(due) {
		due = d
	}
	return due
}

// tick takes rates, lets the policy look at the time, and sweeps now and then.
func (l *loop) tick(now time.Time) {
	elapsed := now.Sub(l.ticked)
	l.ticked = now
	uploaded := l.swarm.payload()
	backlogged := l.countSent(now, elapsed)
	if l.pending > 0 {
		for p := range l.peers {
			l.expireAsked(now, p)
		}
	}
	l.busy = uploaded != l.counted || backlogged > 0 || l.pending > 0
	if !l.busy {
		l.dismissWriters()
	}
	l.rate.add(uploaded-l.counted, elapsed)
	l.counted = uploaded
	l.downRate.add(l.payloadIn-l.countedIn, elapsed)
	l.countedIn = l.payloadIn
	l.policy.advance(now, choke.Load{Rate: l.rate.perSecond(), Backlogged: backlogged})
	l.reportSent()
	l.reportLeft()
	if now.Sub(l.swept) >= sweepTime {
		l.swept = now
		for p := range l.peers {
			l.sweep(now, p)
		}
	}
	l.tellPeers(now)
}

// late reports whether p does not take what it is sent: a write has waited for it longer than for any peer of use.
func (p *peer) late(now time.Time) bool {
	began, after := time.Duration(p.writing.Load()), lateAfter
	if p.uploaded.Load() < provenTaking {
		after = newLateAfter
	}
	return began > 0 && now.Sub(p.swarm.epoch)-began > after
}

// countSent takes the rate of each peer, and returns how many would take more than they get.
func (l *loop) countSent(now time.Time, elapsed time.Duration) (backlogged int) {
	for p := range l.peers {
		uploaded := p.uploaded.Load()
		sent := uploaded - p.counted
		p.counted = uploaded
		p.rate.add(sent, elapsed)
		p.downRate.add(p.downloaded-p.downCounted, elapsed)
		p.downCounted = p.downloaded
		if sent > 0 {
			l.policy.sent(p, sent)
		}
		l.meet(p)
		late := p.late(now)
		if late != p.lag {
			p.lag = late
			l.policy.lags(now, p, late)
			if late {
				l.disappoints(p)
			}
		}
		if queued, _ := p.out.idle(); p.unchoked && queued > 0 && !late {
			backlogged++
		}
	}
	return backlogged
}

// sweep looks at p's timeouts.
func (l *loop) sweep(now time.Time, p *peer) {
	p.noise, p.refused = 0, p.refused-p.refused/3
	p.floods.Store(p.refused > floodAfter)
	_, idle := p.out.idle()
	if idle {
		p.out.forget()
	}
	silence := now.Sub(l.swarm.epoch) - time.Duration(p.wrote.Load())
	switch {
	case l.swarm.cfg.Admit != nil && !l.swarm.cfg.Admit(p.addr.Addr(), p.id):
		l.drop(now, p, errNotAdmitted)
	case now.Sub(p.heard) >= silentTimeout:
		l.drop(now, p, errSilent)
	case idle && !p.seedSince.IsZero() && !l.policy.keepsSeeds() && now.Sub(p.seedSince) >= l.swarm.cfg.seedGrace():
		l.drop(now, p, errSeed)
	case silence >= keepAliveAfter: // its blocks may be waiting for the limiter
		l.push(now, p, peerwire.Append(l.frames[:0], peerwire.KeepAlive{}))
	}
}
