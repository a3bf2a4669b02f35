package swarm

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// In line for a Limiter.
//
// Whoever comes from ten thousand addresses, asks, and takes nothing or is gone after the first piece, uses up a limit that the others
// share. So writers stand in two lanes: those of strangers, who have shown nothing yet, and those of the others. How many bytes the
// strangers may have for one of the others follows from how many there are on each side, and from how many strangers turned out well of
// late: all of them, and everybody is served as if there were one lane; none, and strangers have strangersLeast in all. Where nobody
// else is there, either lane has everything.
//
// One of the others who was just sent something is not in line for a moment, and comes back. That moment is not the strangers': they
// wait for it, for lineReturn at most, if they have had their share.
//
// While most strangers do not turn out well, the lane of strangers is no queue. Who has begun to take goes before the others, so that
// an honest one among them has a piece to pass on soon, and not when all of them have one; the others go at random, so that
// none has to wait for all who came before.
const (
	linePlaces     = 2       // writers that wait in the Limiter itself; it has its own fairness, between torrents
	strangersLeast = 1. / 15 // bytes of strangers for each of the others, while both are there
	faithStep      = 1. / 16 // what one stranger that turned out well or not changes
	mostly         = .5      // doubt beyond which strangers are served one after the other

	lineReturn = 5 * time.Millisecond
)

// A line is who waits for the Limiter of one class.
type line struct {
	mu    sync.Mutex
	now   float64     // place of the last who went into the Limiter
	lanes [2]lane     // of the known, and of strangers
	left  time.Time   // when one of the known left the Limiter last
	timer *time.Timer // for strangers that wait for one of the known to return
	doubt float64     // the part of the strangers that did not turn out well
}

// A lane is those who wait, first come first served but for what is said above.
type lane struct {
	waiting []*turn
	in      int     // writers in the Limiter
	next    float64 // place of its next: bytes sent, times what they cost
}

// size is how many there are, in the lane or beyond it.
func (a *lane) size() int { return len(a.waiting) + a.in }

type turn struct {
	bytes int
	begun int64 // bytes of the first that it is sent, if it has begun to take them
	came  chan struct{}
}

// enter returns when it is the turn of bytes of a stranger, who took so many before, or of somebody else; leave must follow. It fails
// with the cause of ctx.
func (l *line) enter(ctx context.Context, stranger bool, taken int64, bytes int) error {
	l.mu.Lock()
	at := l.lane(stranger)
	if len(at.waiting) == 0 && l.hasPlace() && (!stranger || l.strangersMay()) {
		l.admit(at, bytes)
		l.pump()
		l.mu.Unlock()
		return nil
	}
	t := &turn{bytes: bytes, came: make(chan struct{})}
	if taken < provenTaking {
		t.begun = taken
	}
	at.waiting = append(at.waiting, t)
	l.mu.Unlock()
	select {
	case <-t.came:
		return nil
	case <-ctx.Done():
		l.cancel(at, t)
		return context.Cause(ctx)
	}
}

func (l *line) lane(stranger bool) *lane {
	if stranger {
		return &l.lanes[1]
	}
	return &l.lanes[0]
}

func (l *line) hasPlace() bool { return l.lanes[0].in+l.lanes[1].in < linePlaces }

// cancel withdraws t, or passes its turn on if it came at the same moment.
func (l *line) cancel(at *lane, t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := slices.Index(at.waiting, t); k >= 0 {
		at.waiting = slices.Delete(at.waiting, k, k+1)
		return
	}
	at.in--
	l.pump()
}

// leave ends a turn.
func (l *line) leave(stranger bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lane(stranger).in--
	if !stranger {
		l.left = time.Now()
	}
	l.pump()
}

// pump gives turns to those who are next. Called with mu held.
func (l *line) pump() {
	known, strangers := &l.lanes[0], &l.lanes[1]
	for l.hasPlace() {
		var t *turn
		at := strangers
		switch {
		case len(strangers.waiting) > 0 && l.strangersMay():
			k := l.nextStranger()
			t = strangers.waiting[k]
			strangers.waiting = slices.Delete(strangers.waiting, k, k+1)
		case len(known.waiting) > 0:
			at, t = known, known.waiting[0]
			known.waiting = slices.Delete(known.waiting, 0, 1)
		default:
			return
		}
		l.admit(at, t.bytes)
		close(t.came)
	}
}

// admit notes that bytes of a lane go into the Limiter. Called with mu held.
func (l *line) admit(at *lane, bytes int) {
	cost := 1.
	if known := l.lanes[0].size(); at == &l.lanes[1] && (known > 0 || l.returns() > 0) {
		faith := 1 - l.doubt
		cost = 1 / max(strangersLeast, faith*faith*float64(at.size()+1)/float64(max(known, 1)))
	}
	l.now = max(l.now, at.next) // a lane has no claim to what it did not use
	at.next = l.now + cost*float64(bytes)
	at.in++
}

// strangersMay reports whether it is the turn of strangers, of whom somebody is there. Called with mu held.
func (l *line) strangersMay() bool {
	known, strangers := &l.lanes[0], &l.lanes[1]
	wait := l.returns()
	if known.size() == 0 && wait <= 0 {
		return true
	}
	if max(l.now, strangers.next) <= max(l.now, known.next) {
		return true
	}
	if known.size() == 0 {
		l.wake(wait)
	}
	return false
}

// returns is how long one of the known may be waited for, who was just there. Called with mu held.
func (l *line) returns() time.Duration {
	if l.left.IsZero() {
		return 0
	}
	return lineReturn - time.Since(l.left)
}

// wake has strangers looked after in that time. Called with mu held.
func (l *line) wake(after time.Duration) {
	if l.timer != nil {
		l.timer.Reset(after)
		return
	}
	l.timer = time.AfterFunc(after, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pump()
	})
}

// nextStranger returns the place of the stranger whose turn it is. Called with mu held.
func (l *line) nextStranger() int {
	waiting := l.lanes[1].waiting
	if l.doubt < mostly {
		return 0
	}
	first := rand.IntN(len(waiting))
	for k, t := range waiting {
		if t.begun > waiting[first].begun {
			first = k
		}
	}
	return first
}

// pace waits until so many bytes of a class may leave, for a stranger, who took so many before, or for somebody else.
func (s *Swarm) pace(ctx context.Context, class Class, stranger bool, taken int64, bytes int) error {
	l := &s.lines[class]
	if err := l.enter(ctx, stranger, taken, bytes); err != nil {
		return err
	}
	defer l.leave(stranger)
	return s.limiters[class].Wait(ctx, bytes)
}

// stranger reports whether p has shown nothing yet: that it passes on what it is given, where that is known, else that it takes more
// than lies in buffers.
func (p *peer) stranger() bool {
	if p.swarm.tells {
		return !p.passesOn.Load()
	}
	return p.uploaded.Load() < provenTaking
}

// meet follows whether p, which was a stranger, is one no more.
func (l *loop) meet(p *peer) {
	if !p.met && !p.stranger() {
		p.met = true
		l.swarm.learn(true)
	}
}

// disappoints notes that p, if it is a stranger and had a part of the line, does not read what it is sent, or is gone.
func (l *loop) disappoints(p *peer) {
	if !p.met && !p.doubted && p.paid.Load() {
		p.doubted = true
		l.swarm.learn(false)
	}
}

// learn notes how a stranger turned out.
func (s *Swarm) learn(well bool) {
	for class := range s.lines {
		s.lines[class].learn(well)
	}
}

// learn notes how a stranger turned out.
func (l *line) learn(well bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if well {
		l.doubt -= faithStep * l.doubt
	} else {
		l.doubt += faithStep * (1 - l.doubt)
	}
}
