package swarm

import (
	"context"
	"slices"
	"sync"
)

// In line for a Limiter.
//
// Whoever comes from ten thousand addresses, asks, and takes nothing or is gone after the first piece, uses up a limit that the others
// share. So writers stand in two lanes: those of strangers, who have shown nothing yet, and those of the others. How many bytes the
// strangers may have for one of the others follows from how many wait on each side, and from how many strangers turned out well of
// late: all of them, and everybody is served as if there were one lane; none, and strangers have strangersLeast in all. Where nobody
// else waits, either lane has everything.
const (
	linePlaces     = 2       // writers that wait in the Limiter itself; it has its own fairness, between torrents
	strangersLeast = 1. / 15 // bytes of strangers for each of the others, while both wait
	faithStep      = 1. / 16 // what one stranger that turned out well or not changes
)

// A line is who waits for the Limiter of one class.
type line struct {
	mu    sync.Mutex
	in    int // writers in the Limiter
	now   float64
	lanes [2]lane // of the known, and of strangers
	doubt float64 // the part of the strangers that did not turn out well
}

// A lane is a queue, first come first served.
type lane struct {
	waiting []*turn
	next    float64 // place of its first: bytes sent, times what they cost
}

type turn struct {
	bytes int
	came  chan struct{}
}

// enter returns when it is the turn of bytes of a stranger, or of somebody else; leave must follow. It fails with the cause of ctx.
func (l *line) enter(ctx context.Context, stranger bool, bytes int) error {
	l.mu.Lock()
	if l.in < linePlaces {
		l.in++
		l.mu.Unlock()
		return nil
	}
	at := &l.lanes[0]
	if stranger {
		at = &l.lanes[1]
	}
	if len(at.waiting) == 0 {
		at.next = max(at.next, l.now) // a lane has no claim to what it did not use
	}
	t := &turn{bytes: bytes, came: make(chan struct{})}
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

// cancel withdraws t, or passes its turn on if it came at the same moment.
func (l *line) cancel(at *lane, t *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := slices.Index(at.waiting, t); k >= 0 {
		at.waiting = slices.Delete(at.waiting, k, k+1)
		return
	}
	l.pass()
}

// leave ends a turn.
func (l *line) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pass()
}

// pass gives a turn to the next. Called with mu held.
func (l *line) pass() {
	known, strangers := &l.lanes[0], &l.lanes[1]
	at, cost := known, 1.
	switch {
	case len(known.waiting) == 0 && len(strangers.waiting) == 0:
		l.in--
		return
	case len(known.waiting) == 0:
		at = strangers
	case len(strangers.waiting) > 0 && strangers.next < known.next:
		at = strangers
		cost = 1 / max(strangersLeast, (1-l.doubt)*float64(len(strangers.waiting))/float64(len(known.waiting)))
	}
	t := at.waiting[0]
	at.waiting = slices.Delete(at.waiting, 0, 1)
	l.now = at.next
	at.next += cost * float64(t.bytes)
	close(t.came)
}

// pace waits until so many bytes of a class may leave.
func (s *Swarm) pace(ctx context.Context, class Class, stranger bool, bytes int) error {
	l := &s.lines[class]
	if err := l.enter(ctx, stranger, bytes); err != nil {
		return err
	}
	defer l.leave()
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
