package catalog

import (
	"log/slog"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// core decides. It has no goroutine, clock, file or lock: what was seen comes
// in through its methods with the time, and what is to be done piles up in
// scans, checks, the queue, orders, cancelled, notes and dirty, from where the
// driver takes it.
type core struct {
	cfg   *Config
	name  string // of the root, for a unit that is all of it
	rules *ruleset
	units []pattern
	shut  any // the rule of a directory of which nobody may see anything

	root   *node
	size   int // nodes
	byID   map[identity]*node
	limbo  map[identity]*item // vanished a moment ago, perhaps renamed
	timers timers
	queue  hashQueue
	demand uint64 // counts demands

	torrents map[metainfo.InfoHash]*torrent
	seeded   int              // torrents that are published
	savedBy  map[string]*item // by the path of the entry in the Store

	touched  map[string]map[string]hint // by directory and name
	touchDue time.Time
	rulesDue map[*node]bool
	rescanAt time.Time
	every    time.Duration // between two scans; 0 for never
	full     bool          // the warning about MaxFiles is out

	records   map[string]*Record   // not yet claimed, by path
	recordsID map[identity]*Record // the same by identity
	booted    bool
	arrivals  []*item // before booted: those without a record of their path

	scans     []*scanJob
	scanOf    map[string]*scanJob // those in scans that list, by directory
	unseen    int                 // asked for and not answered
	checks    []*checkJob
	orders    []order
	cancelled []*item
	notes     []note

	dirty map[*node]bool // to be shown anew
	gone  []*node        // no longer to be shown
	sum   Totals
}

// note is a line for the log.
type note struct {
	level slog.Level
	text  string
	args  []any
}

// hint is what an event tells beyond "look here".
type hint uint8

const (
	renamed hint = 1 << iota // created right after another name vanished
	wrote
)

// touchDelay is how long events of the same name are gathered.
const touchDelay = 50 * time.Millisecond

// newCore returns the core of an empty tree that asks for its first scan. The
// patterns of cfg have been compiled by the caller. records are what the Store
// has.
func newCore(cfg *Config, name string, rules *ruleset, units []pattern, records []Record, now time.Time) *core {
	c := &core{
		cfg: cfg, name: name, rules: rules, units: units,
		byID:      map[identity]*node{},
		limbo:     map[identity]*item{},
		queue:     newHashQueue(cfg.hashers()),
		torrents:  map[metainfo.InfoHash]*torrent{},
		savedBy:   map[string]*item{},
		touched:   map[string]map[string]hint{},
		rulesDue:  map[*node]bool{},
		records:   map[string]*Record{},
		recordsID: map[identity]*Record{},
		scanOf:    map[string]*scanJob{},
		dirty:     map[*node]bool{},
		every:     cfg.rescan(),
	}
	for i := range records {
		c.remember(&records[i])
	}
	if cfg.Access != nil {
		c.shut, _ = cfg.Access("", false)
	}
	c.root = newNode(nil, "", directory, Stamp{})
	c.size = 1
	c.place(c.root, now, 0)
	c.scheduleRescan(now)
	return c
}

// deadline returns when advance has something to do, or the zero time.
func (c *core) deadline() time.Time {
	d := earlier(c.touchDue, c.rescanAt)
	for n := range c.rulesDue {
		d = earlier(d, n.rules.due)
	}
	if c.booted {
		d = earlier(d, c.timers.next())
	}
	return d
}

// earlier returns the first of two times, of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// advance does what is due.
func (c *core) advance(now time.Time) {
	if !c.touchDue.IsZero() && !c.touchDue.After(now) {
		c.lookAtTouched()
	}
	if !c.rescanAt.IsZero() && !c.rescanAt.After(now) {
		c.rescan(now)
	}
	for n := range c.rulesDue {
		if !n.rules.due.After(now) {
			delete(c.rulesDue, n)
			c.requestScan(n.path, map[string]hint{rulesName: 0}, false)
		}
	}
	if !c.booted {
		return
	}
	for it := c.timers.pop(now); it != nil; it = c.timers.pop(now) {
		c.itemDue(it, now)
	}
}

// itemDue does what an item waited for.
func (c *core) itemDue(it *item, now time.Time) {
	switch it.phase {
	case settling:
		c.startCheck(it)
	case failed:
		c.settle(it, now, true)
	case held:
		it.torrent.problem = ""
		c.reconcile(it.torrent, now, "")
	case vanished:
		c.expire(it, now)
	}
}

// touch says that something happened to name in dir.
func (c *core) touch(now time.Time, dir, name string, h hint) {
	names := c.touched[dir]
	if names == nil {
		names = map[string]hint{}
		c.touched[dir] = names
	}
	names[name] |= h
	if c.touchDue.IsZero() {
		c.touchDue = now.Add(touchDelay)
	}
}

// lookAtTouched asks for a look at everything that was touched.
func (c *core) lookAtTouched() {
	for dir, names := range c.touched {
		if n := c.find(dir); n != nil && n.usable() {
			c.requestScan(dir, names, false)
		}
	}
	clear(c.touched)
	c.touchDue = time.Time{}
}

// rescan asks for a look at everything.
func (c *core) rescan(now time.Time) {
	c.requestScan("", nil, true)
	c.scheduleRescan(now)
}

func (c *core) scheduleRescan(now time.Time) {
	if c.every > 0 {
		c.rescanAt = now.Add(c.every)
	}
}

// unwatched says that not every directory can be watched: scans make up for it.
func (c *core) unwatched(now time.Time, err error) {
	if c.every > 0 && c.every <= pollInterval || c.cfg.Poll {
		return
	}
	c.every = pollInterval
	c.scheduleRescan(now)
	c.note(slog.LevelWarn, "cannot watch every directory, scanning instead; on Linux raise fs.inotify.max_user_watches", "every", c.every, "err", err)
}

// demandPath puts the file at path, or the unit it is in, to the head of the
// queue.
func (c *core) demandPath(path string) {
	n := c.find(path)
	if n == nil || !n.verdict.in() {
		return
	}
	it := n.owner()
	if it == nil || it.phase > hashing || it.demanded != 0 {
		return
	}
	c.demand++
	it.demanded = c.demand
	if it.phase == queued {
		c.queue.moved(it)
	}
}

// recheck checks everything that holds the torrent h.
func (c *core) recheck(now time.Time, h metainfo.InfoHash) {
	t := c.torrents[h]
	if t == nil {
		return
	}
	for _, it := range append([]*item(nil), t.holders...) {
		c.requestLook(now, it)
		c.suspect(it)
		c.settle(it, now, true)
	}
}

// requestLook asks for a scan of what it is made of.
func (c *core) requestLook(now time.Time, it *item) {
	if it.unit {
		c.requestScan(it.node.path, nil, true)
		return
	}
	dir, name := split(it.node.path)
	c.touch(now, dir, name, 0)
}

// mark says that n is to be shown anew.
func (c *core) mark(n *node) {
	if n != nil {
		c.dirty[n] = true
	}
}

// forget says that n is not to be shown any more.
func (c *core) forget(n *node) {
	delete(c.dirty, n)
	delete(c.rulesDue, n)
	c.gone = append(c.gone, n)
}

func (c *core) note(level slog.Level, text string, args ...any) {
	c.notes = append(c.notes, note{level, text, args})
}
