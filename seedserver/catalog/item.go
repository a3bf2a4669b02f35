package catalog

import "time"

// phase is where an item is on its way.
type phase uint8

const (
	settling phase = iota // until due
	checking              // the driver looks whether it is at rest
	queued                // waits for its hashing
	hashing
	held     // has a torrent
	empty    // has no bytes
	unwanted // a unit that the rules above it leave out, by its size
	failed   // until due
	vanished // until due; no node
)

// item is what can be a torrent: a file outside of units, or a unit.
type item struct {
	node  *node // nil when it is in no tree
	unit  bool
	phase phase
	// seq is another one after each change: answers to older questions are void.
	seq  uint64
	*way // nil while it rests, holding its torrent

	torrent *torrent // of version; nil without
	version *Version // the last one that was hashed
	// saved is the path of its entry in the Store, "" without. The root as a
	// unit is saved as "" too, and never renamed.
	saved string
}

// way is what only an item needs that is on its way. Nearly all are not.
type way struct {
	quiet time.Time // the last sign of a change, at start its modification time
	seen  time.Time // the same, but of what this run has seen itself
	short bool      // it was renamed, not written: it settles sooner
	blind bool      // the system does not tell who writes it
	busy  bool      // somebody has it open for writing
	// moved says that a unit came from another path and is being seen there:
	// files that turn up are no change.
	moved bool
	due   time.Time // zero when it waits for no time
	timer int       // its place in timers

	demanded uint64 // when it was asked for; 0 if never
	order    uint64 // its turn in the queue
	queued   int64  // bytes, as the queue counts it
	place    int    // in the queue
	progress float64
	failures int
	reason   string // of unwanted and failed

	last Stamp // when it vanished
}

// setOut says that it goes on its way, if it rested.
func (it *item) setOut() {
	if it.way == nil {
		it.way = &way{}
	}
}

// newItem returns an item for n that starts to settle. short says that it was
// not written but renamed.
func (c *core) newItem(n *node, now time.Time, short bool) *item {
	it := &item{node: n, unit: n.kind == directory, way: &way{quiet: now, seen: now, short: short}}
	n.item = it
	if !c.booted {
		it.quiet, it.short = now, false
		if modified := time.Unix(0, n.stamp.ModTime); !it.unit && modified.Before(now) {
			it.quiet = evenly(now, modified)
		}
	}
	return it
}

// evenly returns t, which the wall clock told, with the monotonic reading of now:
// how long it is ago does not change when the wall clock is set.
func evenly(now, t time.Time) time.Time { return now.Add(t.Sub(now)) }

// settle starts the way of it anew.
func (c *core) settle(it *item, now time.Time, short bool) {
	c.stop(it)
	it.setOut()
	it.phase = settling
	it.quiet, it.seen, it.short = now, now, short
	it.blind, it.busy, it.progress, it.reason = false, false, 0, ""
	c.timers.set(it, it.quiet.Add(c.settleTime(it)))
	c.mark(it.node)
}

func (c *core) settleTime(it *item) time.Duration {
	if it.short {
		return c.cfg.settleRenamed()
	}
	return c.cfg.settle()
}

// stop voids all that is under way for it.
func (c *core) stop(it *item) {
	it.seq++
	switch it.phase {
	case hashing:
		c.cancelled = append(c.cancelled, it)
		c.queue.remove(it)
	case queued:
		c.queue.remove(it)
	}
	c.timers.set(it, time.Time{})
}

// disturb says that the bytes of it changed: what was published is retired.
func (c *core) disturb(it *item, now time.Time, reason string, short bool) {
	it.setOut()
	if !it.moved {
		c.release(it, now, reason)
	}
	it.failures = 0
	c.settle(it, now, short)
}

// reconsider says that of it something else changed than bytes: what is
// published pauses until it was hashed again.
func (c *core) reconsider(it *item, now time.Time) {
	it.setOut()
	c.suspect(it)
	it.failures = 0
	c.settle(it, now, it.torrent != nil || it.short)
}

// discard ends an item whose node stays in the tree as something else.
func (c *core) discard(it *item, now time.Time, reason string) {
	c.stop(it)
	c.release(it, now, reason)
	c.setSaved(it, "")
	it.node.item = nil
	it.node = nil
}

// fail notes why it cannot go on; it is tried again later.
func (c *core) fail(it *item, now time.Time, reason string) {
	c.stop(it)
	it.phase, it.reason = failed, reason
	c.timers.set(it, now.Add(retryAfter(it.failures)))
	it.failures++
	c.mark(it.node)
}

// retryAfter returns the wait after so many failures before.
func retryAfter(failures int) time.Duration {
	const first, most = 15 * time.Second, 10 * time.Minute
	return min(most, first<<min(failures, 10))
}

// vanish ends the item of a node that is not there any more. If it is known to
// the Store it waits for a while for its file to appear under another name.
func (c *core) vanish(it *item, now time.Time) {
	n := it.node
	c.stop(it)
	it.setOut()
	n.item, it.node = nil, nil
	it.last = n.stamp
	if it.torrent == nil && it.saved == "" {
		return
	}
	c.suspect(it)
	id := it.last.id()
	if other := c.limbo[id]; other != nil {
		c.expire(other, now)
	}
	for heir := c.byID[id]; heir != nil && id.ino != 0; heir = heir.sibling {
		if heir != n && c.inherit(heir.item, it, now) {
			return
		}
	}
	it.phase = vanished
	if id.ino == 0 {
		c.expire(it, now)
		return
	}
	c.limbo[id] = it
	c.timers.set(it, now.Add(c.cfg.settleRenamed()))
}

// expire ends an item that did not appear again.
func (c *core) expire(it *item, now time.Time) {
	c.timers.set(it, time.Time{})
	if id := it.last.id(); c.limbo[id] == it {
		delete(c.limbo, id)
	}
	c.release(it, now, "removed")
	c.setSaved(it, "")
}

// setSaved notes under which path the Store has the entry of it.
func (c *core) setSaved(it *item, path string) {
	if c.savedBy[it.saved] == it {
		delete(c.savedBy, it.saved)
	}
	it.saved = path
	if path != "" {
		c.savedBy[path] = it
	}
}

// inherit gives what old was to heir, if that is the same file under a new name
// and has no history of its own. It reports whether it did.
func (c *core) inherit(heir, old *item, now time.Time) bool {
	if heir == nil || heir.unit != old.unit || heir.torrent != nil || heir.saved != "" {
		return false
	}
	c.timers.set(old, time.Time{})
	if id := old.last.id(); c.limbo[id] == old {
		delete(c.limbo, id)
	}
	if !old.unit && !old.last.sameContent(heir.node.stamp) || old.version != nil && old.version.Private != c.private(heir.node) {
		c.release(old, now, "changed")
		c.setSaved(heir, old.saved)
		return true
	}
	c.setSaved(heir, old.saved)
	heir.version, heir.torrent = old.version, old.torrent
	if old.torrent != nil {
		old.torrent.replace(old, heir)
	}
	old.torrent, old.version = nil, nil
	heir.moved = heir.unit
	c.settle(heir, now, true)
	return true
}

// arrive starts the way of a new item.
func (c *core) arrive(it *item, now time.Time) {
	c.timers.set(it, it.quiet.Add(c.settleTime(it)))
	if old := c.limbo[it.node.stamp.id()]; old != nil && c.inherit(it, old, now) {
		return
	}
	if !c.booted && it.unit {
		c.arrivals = append(c.arrivals, it)
		return
	}
	if !it.unit && !c.claimByPath(it, now) && !c.booted {
		c.arrivals = append(c.arrivals, it)
	}
}
