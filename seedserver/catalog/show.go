package catalog

import (
	"fmt"
	"time"
)

// change of what readers see.
type shown struct {
	gone   []string       // paths; what is below them is gone too
	fresh  []Entry        // in no order
	access map[string]any // of the directories among fresh, by path; nil for none
	totals Totals
}

// news reports whether there is something for takeShown.
func (c *core) news() bool { return len(c.dirty) > 0 || len(c.gone) > 0 }

// takeShown returns what readers are to see differently since the last call.
func (c *core) takeShown() shown {
	var s shown
	for _, n := range c.gone {
		c.count(n, numStates)
		s.gone = append(s.gone, n.path)
	}
	c.gone = nil
	s.fresh = make([]Entry, 0, len(c.dirty))
	s.access = map[string]any{}
	for n := range c.dirty {
		e := c.entry(n)
		s.fresh = append(s.fresh, e)
		if e.Dir && c.cfg.Access != nil {
			s.access[e.Path] = c.accessOf(n)
		}
		c.count(n, e.State)
	}
	c.dirty = map[*node]bool{} // not cleared: it would stay as large as after the first scan
	c.sum.Scanned = c.booted
	c.sum.Files, c.sum.Bytes = int(c.root.files), c.root.bytes
	c.sum.Torrents = c.seeded
	c.sum.Queue, c.sum.QueueBytes = c.queue.len(), c.queue.left()
	s.totals = c.sum
	return s
}

// count keeps Totals.States and Directories: n is in state s now. What is in a
// unit counts as inherited, which is not in Totals, unless it is left out.
func (c *core) count(n *node, s State) {
	if n.counted < numStates {
		c.sum.States[n.counted]--
	}
	n.counted = min(s, numStates)
	if n.counted < numStates {
		c.sum.States[n.counted]++
	}
	c.sum.Directories = c.sum.States[Directory]
}

// inherited stands in the view for the state of the unit around an entry, so
// that a unit's progress need not be told to each of its files.
const inherited = numStates

// entry returns what readers see of n.
func (c *core) entry(n *node) Entry {
	e := Entry{
		Path: n.path, Name: n.name(), Dir: n.kind == directory, Hidden: n.verdict.hidden,
		Size: n.bytes, Files: int(n.files), ModTime: time.Unix(0, n.stamp.ModTime), Description: n.description(),
	}
	if e.Dir {
		e.Unit = n.item != nil
	} else {
		e.Size, e.Files = n.stamp.Size, 0
	}
	if n.parent != nil && n.parent.unit != nil {
		e.InUnit, e.In = true, n.parent.unit.node.path
	}
	switch {
	case !n.verdict.in():
		e.State, e.Reason = n.verdict.state, n.verdict.reason
	case n.item != nil:
		c.describe(n.item, &e)
	case e.InUnit:
		e.State = inherited
	default:
		e.State = Directory
	}
	switch {
	case n.problem != "":
		e.Reason = n.problem
	case n.omitted > 0:
		e.Reason = fmt.Sprintf("%d entries left out: more than %d files", n.omitted, c.cfg.maxFiles())
	}
	return e
}

// description returns what is said about n.
func (n *node) description() (d Description) {
	if n.rules.set != nil {
		d = n.rules.set.Description
	}
	if n.parent != nil && n.parent.rules.set != nil {
		d = d.Or(n.parent.rules.set.Meta[n.name()])
	}
	return d
}

// describe sets the state of e to that of it.
func (c *core) describe(it *item, e *Entry) {
	again := ""
	if it.torrent != nil && it.phase != held {
		again = "checked again after a change of name or attributes"
	}
	switch it.phase {
	case settling, checking, vanished:
		e.State, e.Reason, e.Until = Settling, settlingReason(it, again), it.due
	case queued:
		e.State, e.Reason = Hashing, "waits for its turn"
	case hashing:
		e.State, e.Progress, e.Reason = Hashing, it.progress, ""
	case empty:
		e.State, e.Reason = Empty, "no bytes, no torrent"
	case unwanted:
		e.State, e.Reason = LeftOut, it.reason
	case failed:
		e.State, e.Reason, e.Until = Failed, it.reason, it.due
	case held:
		describeHeld(it, e)
	}
}

func settlingReason(it *item, again string) string {
	switch {
	case it.busy:
		return "open for writing"
	case it.blind:
		return "cannot see writers here, waits for a longer quiet"
	case again != "":
		return again
	}
	return "written a moment ago"
}

func describeHeld(it *item, e *Entry) {
	t := it.torrent
	switch {
	case t.problem != "":
		e.State, e.Reason = Failed, t.problem
		if it.way != nil {
			e.Until = it.due
		}
	case !t.answered:
		e.State, e.Progress, e.Reason = Hashing, 1, "about to be seeded"
	default:
		e.State, e.Progress, e.InfoHash, e.Private = Published, 1, t.hash, it.version.Private
	}
}
