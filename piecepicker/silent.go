package piecepicker

import "time"

// Silence.
//
// Newcomers are slow to begin, and what they were offered is theirs for startWithin. But guests who ask for nothing can be so many that
// the window is full of what they hold, or all that is needed is lent to them, and who would take it waits behind them. So when nobody who
// was offered something takes it, and others were offered nothing yet, these come next: what lies is off what is on its way sooner, and goes
// to others after blockedAfter.

// listen notes for how long nothing has come of what is on offer. It is called in each sweep.
func (p *Picker) listen() {
	awaited := false // by somebody who asked
	p.unserved = 0
	for _, q := range p.takers {
		awaited = awaited || q.pending > 0 && !q.lags
		if q.good && q.revealed == 0 {
			p.unserved++
		}
	}
	if awaited || p.tried > 0 || p.loans == 0 || p.meter.rate > idleLine*p.fullRate() {
		p.heard = p.now
	}
}

// silent reports whether none of those who were offered pieces has taken one yet, the line idles since, and others wait who were offered none.
func (p *Picker) silent() bool {
	return p.tried == 0 && p.unserved > 0 && p.now-p.heard >= p.silentAfter()
}

// silentAfter returns how long they are waited for: longer where a piece takes long, so that one waits for another.
func (p *Picker) silentAfter() time.Duration {
	if p.limits.MaxRate <= 0 {
		return blockedAfter
	}
	return clamp(seconds(2*float64(p.cfg.PieceLength)/float64(p.limits.MaxRate)), blockedAfter, startWithin)
}
