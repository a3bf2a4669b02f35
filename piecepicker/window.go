package piecepicker

import "time"

// How much may be on its way at a time.
//
// Few pieces on their way are finished sooner, and passed on sooner; too few leave the line idle. So much is offered as the
// line carries in a second. While it carries less than it may and peers wait, the window widens by half, and stays so if that
// brought more.

const (
	windowTime   = time.Second
	windowPieces = 4
	windowStart  = 1 << 20 // bytes, of an unlimited line
	widenEvery   = 2 * time.Second
	widenRest    = 20 * time.Second
	widenMost    = 1 << 12
	worthwhile   = 1.1 // times the rate before
	nearlyFull   = 0.9
)

type widening struct {
	factor  float64       // 1 and more
	before  float64       // the rate when it was raised last
	raised  time.Duration // when that was
	rest    time.Duration // until when it is not raised
	trying  bool          // it was raised and what that brings is not known
	blocked bool          // something was not offered because of the window
}

// line returns what the line carries, or a little more than what it was seen to carry last.
func (p *Picker) line() float64 {
	if p.limits.MaxRate > 0 {
		return float64(p.limits.MaxRate)
	}
	return 1.25 * p.meter.rate
}

// windowSize returns how many bytes may be on offer and not yet sent.
func (p *Picker) windowSize() int64 {
	least := windowPieces * p.cfg.PieceLength
	if p.limits.MaxRate <= 0 {
		least = max(least, windowStart)
	}
	return int64(p.widening.factor * max(float64(least), p.line()*windowTime.Seconds()))
}

// queued returns how many bytes are on their way before what is offered now: all of them, but for what a peer was lent ahead
// while it was alone and would not have been lent beside others. The line is shared by those who wait for it, so that whoever
// comes then need not wait until that has left.
func (p *Picker) queued() int64 {
	if p.lone == nil || p.alone() == p.lone {
		return p.inFlight
	}
	return p.inFlight - max(0, p.lone.inFlight-p.lookAhead(p.lone))
}

// room reports whether one more piece may be offered. What is on its way to strangers leaves in the gaps of what the others take, and is
// in their way no more than they would be to each other: for them there is room without it, and p.knownOnly is set.
func (p *Picker) room() bool {
	queued, window := p.queued(), p.windowSize()-p.cfg.PieceLength
	if p.knownOnly = false; queued <= 0 || queued <= window {
		return true
	}
	p.widening.blocked = true
	p.knownOnly = p.strangeFlight > 0 && queued-p.strangeFlight <= window && p.knownWait()
	return p.knownOnly
}

// widen adjusts the window. It is called in each sweep.
func (p *Picker) widen() {
	w := &p.widening
	blocked := w.blocked
	w.blocked = false
	if w.trying {
		if p.now-w.raised < widenEvery {
			return
		}
		w.trying = false
		if p.meter.rate < worthwhile*w.before {
			w.factor = max(1, w.factor/1.5)
			w.rest = p.now + widenRest
		}
	}
	full := p.limits.MaxRate > 0 && p.meter.rate >= nearlyFull*float64(p.limits.MaxRate)
	if !blocked || full || p.now < w.rest || w.factor > widenMost || p.now-w.raised < widenEvery {
		return
	}
	w.factor *= 1.5
	w.before, w.raised, w.trying = p.meter.rate, p.now, true
}

// A meter measures a rate.
type meter struct {
	rate  float64 // bytes per second
	since time.Duration
	bytes int64
}

const (
	meterStep = 250 * time.Millisecond
	meterIdle = time.Second
)

func (m *meter) add(now time.Duration, n int64) {
	if m.bytes == 0 && now-m.since >= meterIdle {
		m.since, m.rate = now, 0
	}
	m.bytes += n
	m.roll(now)
}

// roll ends a step if it is over.
func (m *meter) roll(now time.Duration) {
	dt := now - m.since
	if dt < meterStep || m.bytes == 0 && dt < meterIdle {
		return
	}
	step := float64(m.bytes) / dt.Seconds()
	if m.rate == 0 {
		m.rate = step
	}
	m.rate += (step - m.rate) / 2
	m.since, m.bytes = now, 0
}
