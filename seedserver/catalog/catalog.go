package catalog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// Catalog watches one directory. Its methods may be called by many goroutines
// at once; those that answer do not wait for a disk.
type Catalog struct {
	cfg      Config
	root     *os.Root
	top      string // absolute path of root
	rules    *ruleset
	units    []pattern
	view     *view
	requests *requests
}

// New opens cfg.Dir. It starts nothing; [Catalog.Run] does. The error is that
// of opening the directory, or says which pattern of cfg is malformed.
func New(cfg Config) (*Catalog, error) {
	if cfg.Publisher == nil {
		return nil, errors.New("catalog: no publisher")
	}
	rules, err := compileRules(cfg.Rules)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	units, err := compilePatterns(cfg.Units)
	if err != nil {
		return nil, fmt.Errorf("catalog: units: %w", err)
	}
	top, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, fmt.Errorf("catalog: %w", err)
	}
	return &Catalog{cfg: cfg, root: root, top: top, rules: rules, units: units, view: newView(), requests: newRequests()}, nil
}

// Root returns the opened directory. It stays open until Close; paths of a
// [Version] are below it.
func (c *Catalog) Root() *os.Root { return c.root }

// Close releases the directory. Run must have returned.
func (c *Catalog) Close() error { return c.root.Close() }

// Run watches, hashes and tells the Publisher until ctx ends, and returns after
// everything it started has ended. It is called once. The error is
// [context.Cause] of ctx, that of Store.Load, or matches [ErrReplaced].
func (c *Catalog) Run(ctx context.Context) error {
	records, err := c.cfg.store().Load(ctx)
	if err != nil {
		return fmt.Errorf("catalog: loading what was published: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l := c.newLoop(records)
	out := c.newOutlet(ctx, l)
	w := c.startWatcher(ctx, l)

	var helpers sync.WaitGroup
	if w != nil {
		helpers.Go(func() { c.watch(ctx, l, w) })
	}
	helpers.Go(func() { out.run(ctx, l.batches) })
	helpers.Go(func() { c.scan(ctx, cancel, l, w) })
	for range checkers {
		helpers.Go(func() { c.check(ctx, l) })
	}
	l.run(ctx, c.requests)
	helpers.Wait()
	out.finish(ctx, l.orders)
	return context.Cause(ctx)
}

// checkers is how many files are checked at once: one that hangs, on a network
// file system, leaves the others.
const checkers = 2

func (c *Catalog) newLoop(records []Record) *loop {
	log := c.cfg.logger()
	return &loop{
		core:    newCore(&c.cfg, filepath.Base(c.top), c.rules, c.units, records, time.Now()),
		view:    c.view,
		log:     log,
		inbox:   make(chan event, 64),
		scans:   make(chan *scanJob),
		checks:  make(chan *checkJob),
		batches: make(chan []order),
		hasher:  &hasher{root: c.root, store: c.cfg.store(), wait: c.cfg.Wait, around: c.cfg.Around, log: log},
		running: map[*item]context.CancelFunc{},
	}
}

func (c *Catalog) newOutlet(ctx context.Context, l *loop) *outlet {
	return &outlet{
		publisher: c.cfg.Publisher, store: c.cfg.store(), saved: c.cfg.Saved, log: l.log,
		known: map[metainfo.InfoHash]bool{},
		answer: func(o order, known bool, err error) {
			l.post(ctx, func(c *core, now time.Time) { c.answered(now, o, known, err) })
		},
	}
}

// startWatcher returns the source of events, or nil when there is to be none.
func (c *Catalog) startWatcher(ctx context.Context, l *loop) *watcher {
	if c.cfg.Poll {
		return nil
	}
	w, err := newWatcher(c.top)
	if err != nil {
		l.core.unwatched(time.Now(), err)
		return nil
	}
	return w
}

// watch hands events to the loop.
func (c *Catalog) watch(ctx context.Context, l *loop, w *watcher) {
	touched := func(t touches) {
		l.post(ctx, func(c *core, now time.Time) {
			for dir, names := range t {
				for name, h := range names {
					c.touch(now, dir, name, h)
				}
			}
		})
	}
	lost := func(err error) {
		if !errors.Is(err, fsnotify.ErrEventOverflow) {
			l.log.Warn("events of the file system were lost, scanning", "err", err)
		}
		l.post(ctx, func(c *core, now time.Time) { c.rescan(now) })
	}
	w.run(ctx, touched, lost)
}

// scan lists directories for the loop.
func (c *Catalog) scan(ctx context.Context, cancel context.CancelCauseFunc, l *loop, w *watcher) {
	s := &scanner{root: c.root, maxNames: c.cfg.maxFiles(), watch: w.add}
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-l.scans:
			if job.unwatch {
				w.remove(job.dir)
				continue
			}
			if job.dir == "" && !sameDirectory(c.root, c.top) {
				cancel(fmt.Errorf("%w: %s", ErrReplaced, c.top))
				return
			}
			listing := s.list(ctx, job)
			failure := w.failure()
			l.post(ctx, func(c *core, now time.Time) {
				if failure != nil {
					c.unwatched(now, failure)
				}
				c.listed(now, listing)
			})
		}
	}
}

// check checks files for the loop.
func (c *Catalog) check(ctx context.Context, l *loop) {
	s := &scanner{root: c.root}
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-l.checks:
			r := s.check(job)
			l.post(ctx, func(c *core, now time.Time) { c.checkDone(now, r) })
		}
	}
}

// Lookup returns what is known about path, "" being the root. Paths have no
// slash at either end and no "." or ".." elements.
func (c *Catalog) Lookup(path string) (Entry, bool) { return c.view.lookup(path) }

// List returns what is directly in dir, sorted by the bytes of the names, and
// reports whether there is such a directory. The slice is the caller's.
func (c *Catalog) List(dir string) ([]Entry, bool) { return c.view.list(dir) }

// Each calls visit with what is directly in dir, sorted by the bytes of the
// names, and reports whether there is such a directory. It costs no memory for
// each of them, which [Catalog.List] does. What comes or goes meanwhile may be
// visited or not. The entry is good until visit returns.
func (c *Catalog) Each(dir string, visit func(e *Entry)) bool { return c.view.each(dir, visit) }

// Totals counts the catalog.
func (c *Catalog) Totals() Totals { return c.view.sum() }

// Demand says that somebody asked for path: the file, or the unit it is in, is
// hashed before all that nobody asked for. A path that is not on its way is
// ignored.
func (c *Catalog) Demand(path string) {
	if e, ok := c.view.lookup(path); ok && (e.State == Settling || e.State == Hashing) {
		c.requests.demand(path)
	}
}

// Recheck says that somebody saw that the bytes of h may not be what was
// published: sending pauses and they are checked. An infohash that is not
// published is ignored.
func (c *Catalog) Recheck(h metainfo.InfoHash) {
	c.requests.recheck(func(c *core, now time.Time) { c.recheck(now, h) })
}
