package catalog

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// event is something that was seen.
type event func(c *core, now time.Time)

// loop owns the core. Workers wait for it; it waits for nobody: what it has for
// them it offers, and goes on while they are busy.
type loop struct {
	core  *core
	view  *view
	log   *slog.Logger
	inbox chan event

	scans   chan *scanJob
	checks  chan *checkJob
	batches chan []order

	hasher  *hasher
	workers sync.WaitGroup
	running map[*item]context.CancelFunc // what is being hashed

	orders []order   // not yet taken by the outlet
	shown  time.Time // when the view was last brought up to date
}

// showEvery is the least time between two updates of the view.
const showEvery = 40 * time.Millisecond

// post hands e to the loop. It gives up when Run ends, since then nobody needs
// to know.
func (l *loop) post(ctx context.Context, e event) {
	select {
	case l.inbox <- e:
	case <-ctx.Done():
	}
}

// run is the loop, until ctx ends and all hashing has.
func (l *loop) run(ctx context.Context, r *requests) {
	defer l.workers.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		scan, scans := offer(l.core.scans, l.scans)
		check, checks := offer(l.core.checks, l.checks)
		if scan != nil {
			l.core.prepare(scan)
		}
		var batches chan []order
		if len(l.orders) > 0 {
			batches = l.batches
		}
		select {
		case <-ctx.Done():
			return
		case scans <- scan:
			l.core.scanTaken()
		case checks <- check:
			l.core.checkTaken()
		case batches <- l.orders:
			l.orders = nil
		case e := <-l.inbox:
			e(l.core, time.Now())
		case <-r.wake:
			r.take(l.core, time.Now())
		case <-timer.C:
		}
		l.afterwards(ctx, time.Now())
		timer.Reset(l.wait(time.Now()))
	}
}

// offer returns the first of list and the channel it goes to, which is nil,
// never ready, when there is none.
func offer[T any](list []*T, to chan *T) (*T, chan *T) {
	if len(list) == 0 {
		return nil, nil
	}
	return list[0], to
}

// afterwards does what follows from an event.
func (l *loop) afterwards(ctx context.Context, now time.Time) {
	c := l.core
	c.advance(now)
	for _, it := range c.cancelled {
		if cancel := l.running[it]; cancel != nil {
			cancel()
			delete(l.running, it)
		}
	}
	c.cancelled = c.cancelled[:0]
	for job := c.nextHash(); job != nil; job = c.nextHash() {
		c.startHash(job)
		l.hash(ctx, job)
	}
	l.orders = append(l.orders, c.orders...)
	c.orders = nil
	for _, n := range c.notes {
		l.log.Log(ctx, n.level, n.text, n.args...)
	}
	c.notes = c.notes[:0]
	if c.news() && now.Sub(l.shown) >= showEvery {
		l.show(now)
	}
}

func (l *loop) show(now time.Time) {
	l.view.apply(l.core.takeShown())
	l.shown = now
}

// wait returns the time until something is due by itself.
func (l *loop) wait(now time.Time) time.Duration {
	due := l.core.deadline()
	if l.core.news() {
		due = earlier(due, l.shown.Add(showEvery))
	}
	if due.IsZero() {
		return time.Hour
	}
	return max(0, due.Sub(now))
}

// hash begins a hashJob. There are never more at once than the queue has slots,
// but for those that are cancelled and about to end.
func (l *loop) hash(run context.Context, job *hashJob) {
	ctx, cancel := context.WithCancel(run)
	l.running[job.it] = cancel
	l.workers.Go(func() {
		defer cancel()
		r := l.hasher.hash(ctx, job, func(part float64) {
			l.post(ctx, func(c *core, _ time.Time) { c.progressed(job, part) })
		})
		l.post(run, func(c *core, now time.Time) {
			if c.hashDone(now, r) {
				delete(l.running, job.it)
			}
		})
	})
}

// requests are what readers ask of the loop. To ask never blocks.
type requests struct {
	mu       sync.Mutex
	demanded []string
	rechecks []event
	known    map[string]bool // in demanded
	wake     chan struct{}
}

func newRequests() *requests {
	return &requests{known: map[string]bool{}, wake: make(chan struct{}, 1)}
}

// demand asks for path.
func (r *requests) demand(path string) {
	r.mu.Lock()
	if !r.known[path] {
		r.known[path] = true
		r.demanded = append(r.demanded, path)
	}
	r.mu.Unlock()
	r.ring()
}

// recheck asks for e, a call of core.recheck.
func (r *requests) recheck(e event) {
	r.mu.Lock()
	r.rechecks = append(r.rechecks, e)
	r.mu.Unlock()
	r.ring()
}

func (r *requests) ring() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// take carries out what was asked.
func (r *requests) take(c *core, now time.Time) {
	r.mu.Lock()
	demanded, rechecks := r.demanded, r.rechecks
	r.demanded, r.rechecks = nil, nil
	clear(r.known)
	r.mu.Unlock()
	for _, e := range rechecks {
		e(c, now)
	}
	for _, path := range demanded {
		c.demandPath(path)
	}
}
