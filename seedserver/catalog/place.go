package catalog

import "time"

// place decides anew what n is: left out, a directory, a unit, a file of its
// own or one of a unit. h is what an event told of it.
func (c *core) place(n *node, now time.Time, h hint) {
	was := n.verdict
	n.verdict = c.judge(n)
	c.mark(n)
	switch n.kind {
	case directory:
		c.placeDirectory(n, now)
	case regular:
		c.placeFile(n, now, h, was)
	}
}

// placeAll places n and all below it, after rules changed.
func (c *core) placeAll(n *node, now time.Time) {
	c.place(n, now, 0)
	c.placeChildren(n, now)
}

func (c *core) placeChildren(n *node, now time.Time) {
	for _, child := range n.children {
		if child.kind == directory {
			c.placeAll(child, now)
		} else {
			c.place(child, now, 0)
		}
	}
}

func (c *core) placeDirectory(n *node, now time.Time) {
	if !n.verdict.in() {
		if n.item != nil {
			c.discard(n.item, now, "left out")
		}
		n.unit = nil
		c.empty(now, n)
		return
	}
	var unit *item
	fresh := false
	switch {
	case n.parent != nil && n.parent.unit != nil:
		unit = n.parent.unit
		if n.item != nil {
			c.discard(n.item, now, "part of another unit now")
		}
	case c.isUnit(n):
		if unit = n.item; unit == nil {
			unit, fresh = c.newItem(n, now, true), true
		}
	case n.item != nil:
		c.discard(n.item, now, "no unit any more")
	}
	if n.unit != unit {
		n.unit = unit
		c.placeChildren(n, now)
	}
	if fresh { // and its children are its own by now
		c.arrive(unit, now)
	}
	if !n.scanned {
		c.requestScan(n.path, nil, false)
	}
}

func (c *core) placeFile(n *node, now time.Time, h hint, was verdict) {
	in, unit := n.verdict.in(), n.parent.unit
	if n.item != nil && (!in || unit != nil) {
		reason := "left out"
		if in {
			reason = "part of a unit now"
		}
		c.discard(n.item, now, reason)
	}
	had := n.files == 1
	if in {
		c.account(n, 1, n.stamp.Size)
	} else {
		c.account(n, 0, 0)
	}
	switch {
	case unit != nil:
		if in != had || n.verdict.state == Temporary && was != n.verdict {
			c.disturb(unit, now, "changed", n.arrivedWhole(now, h, c.cfg.settle()))
		}
	case in && n.item == nil:
		n.item = c.newItem(n, now, n.arrivedWhole(now, h, c.cfg.settle()))
		c.arrive(n.item, now)
	}
}

// watchedBy returns the item whose settling depends on n, or nil: a unit waits
// for temporary files too.
func (n *node) watchedBy() *item {
	if n.kind == regular && (n.verdict.in() || n.verdict.state == Temporary) {
		return n.owner()
	}
	return nil
}

// arrivedWhole reports whether the file was written before it came to its
// place: a rename was seen, or its inode was changed after its bytes (a rename,
// link, or copied attributes), or for a while nothing at all. An event of a
// write tells otherwise.
func (n *node) arrivedWhole(now time.Time, h hint, settle time.Duration) bool {
	switch {
	case h&wrote != 0 || n.kind != regular:
		return false
	case h&renamed != 0:
		return true
	case n.stamp.ChangeTime == 0 || n.stamp.Size == 0:
		return false
	}
	return n.stamp.ChangeTime > n.stamp.ModTime || n.stamp.ChangeTime < now.Add(-settle).UnixNano()
}
