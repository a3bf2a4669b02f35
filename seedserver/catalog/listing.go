package catalog

import (
	"log/slog"
	"time"
)

// scanJob asks for a look at a directory.
type scanJob struct {
	dir string
	// unwatch asks to end the watch of dir instead of all else.
	unwatch bool
	// whole asks for all names, else only those in names are looked at.
	whole bool
	names map[string]hint
	// deep asks for the directories below too, once this one is seen.
	deep bool
	// rules is the stamp of the .seedserver.toml that the core knows.
	rules Stamp
}

// found is one name in a directory.
type found struct {
	name  string
	kind  kind
	stamp Stamp
}

// listing answers a scanJob.
type listing struct {
	job *scanJob
	// found is in any order. Names of the job that are not in it do not exist.
	found []found
	// gone says that the directory does not exist, err that it could not be
	// read; then nothing else is set.
	gone bool
	err  error
	// partial says that there are more names than were read.
	partial bool
	// rules is the .seedserver.toml if it was looked at and its stamp is not
	// the job's.
	rules *rulesFile
}

// rulesFile is a .seedserver.toml that was read. The zero value says that there
// is none.
type rulesFile struct {
	stamp   Stamp
	set     *ruleset
	warning string
	err     error
}

// requestScan asks for a look at names in dir, nil being all.
func (c *core) requestScan(dir string, names map[string]hint, deep bool) {
	job := c.scanOf[dir]
	if job == nil {
		job = &scanJob{dir: dir, names: map[string]hint{}}
		c.scanOf[dir] = job
		c.scans = append(c.scans, job)
		c.unseen++
	}
	job.deep = job.deep || deep
	job.whole = job.whole || names == nil
	for name, h := range names {
		job.names[name] |= h
	}
	if n := c.find(dir); n != nil && len(job.names) > 64 && len(job.names) > len(n.children)/2 {
		job.whole = true // one listing is cheaper
	}
}

// prepare makes the first of scans ready to be done.
func (c *core) prepare(job *scanJob) {
	if n := c.find(job.dir); n != nil {
		job.rules = n.rules.stamp
	}
}

// scanTaken says that the first of scans is being done.
func (c *core) scanTaken() {
	job := c.scans[0]
	c.scans[0] = nil
	c.scans = c.scans[1:]
	if c.scanOf[job.dir] == job {
		delete(c.scanOf, job.dir)
	}
}

// listed takes the answer to a scanJob.
func (c *core) listed(now time.Time, l listing) {
	c.unseen--
	if n := c.find(l.job.dir); n != nil && n.usable() {
		c.apply(now, n, l)
	}
	if !c.booted && c.unseen == 0 {
		c.finishBoot(now)
	}
}

// apply brings directory n up to what l saw.
func (c *core) apply(now time.Time, n *node, l listing) {
	switch {
	case l.gone && n.parent != nil:
		c.remove(now, n)
		return
	case l.gone || l.err != nil:
		c.unreadable(n, l)
		return
	case n.problem != "":
		n.problem = ""
		c.mark(n)
	}
	first := !n.scanned
	n.scanned = n.scanned || l.job.whole
	if first {
		c.mark(n)
	}
	if l.rules != nil {
		c.rulesSeen(now, n, l.rules, first)
	}
	seen := make(map[string]bool, len(l.found))
	omitted := 0
	for _, f := range l.found {
		seen[f.name] = true
		if !c.upsert(now, n, f, l.job.names[f.name]) {
			omitted++
		}
	}
	if l.job.whole {
		for name, child := range n.children {
			switch {
			case seen[name]:
			case l.partial:
				c.touch(now, n.path, name, 0)
			default:
				c.remove(now, child)
			}
		}
		c.setOmitted(n, omitted)
	} else {
		for name := range l.job.names {
			if child := n.children[name]; child != nil && !seen[name] {
				c.remove(now, child)
			}
		}
		c.setOmitted(n, n.omitted+omitted)
	}
	if l.job.deep {
		for _, child := range n.children {
			if child.usable() {
				c.requestScan(child.path, nil, true)
			}
		}
	}
}

// unreadable notes that n cannot be listed now. What was known of it stays:
// a disk that hangs for a moment retires nothing.
func (c *core) unreadable(n *node, l listing) {
	problem := "cannot be read"
	if l.err != nil {
		problem = "cannot be read: " + plainError(l.err)
	}
	if n.problem != problem {
		n.problem = problem
		c.mark(n)
		c.note(slog.LevelWarn, "directory cannot be read", "path", n.path, "err", l.err)
	}
}

func (c *core) setOmitted(n *node, omitted int) {
	if n.omitted == omitted {
		return
	}
	n.omitted = omitted
	c.mark(n)
	if omitted > 0 && !c.full {
		c.full = true
		c.note(slog.LevelWarn, "too many files: the rest is left out", "limit", c.cfg.maxFiles(), "path", n.path)
	}
}

// upsert brings one child of dir up to what was found. It reports false if
// there is no room for a new one.
func (c *core) upsert(now time.Time, dir *node, f found, h hint) bool {
	n := dir.children[f.name]
	if n != nil && (n.kind != f.kind || n.kind == directory && n.stamp.id() != f.stamp.id()) {
		c.remove(now, n)
		n = nil
	}
	if n == nil {
		if c.size >= c.cfg.maxFiles() {
			return false
		}
		n = c.attach(dir, f.name, f.kind, f.stamp)
		c.lookForOldName(now, n)
		c.place(n, now, h)
		return true
	}
	was := n.stamp
	if was == f.stamp && h&wrote == 0 {
		return true
	}
	c.unindex(n)
	n.stamp = f.stamp
	c.index(n)
	if n.kind != regular {
		return true
	}
	c.changed(now, n, was, h)
	return true
}

// changed says that a known file's stamp is not was any more, or that an event
// told of a write.
func (c *core) changed(now time.Time, n *node, was Stamp, h hint) {
	before := n.owner()
	member := n.watchedBy() != nil
	c.place(n, now, h)
	it := n.owner()
	if it == nil || it != before || !member {
		return // arrived or left just now
	}
	switch {
	case !was.sameContent(n.stamp):
		c.disturb(it, now, "changed", n.arrivedWhole(now, h, c.cfg.settle()))
	case was != n.stamp:
		c.reconsider(it, now)
	case it.phase == settling || it.phase == checking:
		it.quiet, it.seen = now, now
		it.short = false
	}
}

// lookForOldName asks for a look at the latest other names of a new node's
// file: it may have been renamed, and the event of the old name lost or still to
// come.
func (c *core) lookForOldName(now time.Time, n *node) {
	const most = 8 // a file with thousands of links is not renamed
	other := c.byID[n.stamp.id()]
	for i := 0; i < most && other != nil; i++ {
		if other != n && other.parent != nil {
			c.touch(now, other.parent.path, other.name(), 0)
		}
		other = other.sibling
	}
}

// remove takes n and all below it out of the tree.
func (c *core) remove(now time.Time, n *node) {
	if n.parent == nil {
		return
	}
	if it := n.item; it != nil {
		c.vanish(it, now)
	} else if it := n.watchedBy(); it != nil {
		c.disturb(it, now, "changed", true)
	}
	c.empty(now, n)
	c.detach(n)
}

// empty removes all children of n, and its watch.
func (c *core) empty(now time.Time, n *node) {
	if n.kind != directory {
		return
	}
	for _, child := range n.children {
		c.remove(now, child)
	}
	if !n.scanned {
		return
	}
	n.scanned = false
	delete(c.scanOf, n.path) // what is asked from now on comes after this
	c.scans = append(c.scans, &scanJob{dir: n.path, unwatch: true})
	// The same directory may be watched under its new name already; the end of
	// this watch ended that one too.
	for other := c.byID[n.stamp.id()]; other != nil; other = other.sibling {
		if other != n && other.usable() {
			c.requestScan(other.path, nil, false)
		}
	}
}

// rulesSeen takes a .seedserver.toml. In a new directory it holds at once, so
// that nothing slips through; later it is given time to be written.
func (c *core) rulesSeen(now time.Time, n *node, f *rulesFile, first bool) {
	if first || f.stamp == n.rules.pending && !n.rules.due.IsZero() && !now.Before(n.rules.due) {
		c.obey(now, n, f)
		return
	}
	if n.rules.due.IsZero() || f.stamp != n.rules.pending {
		n.rules.pending = f.stamp
		n.rules.due = now.Add(c.cfg.settleRenamed())
	}
	c.rulesDue[n] = true
}

// obey puts a .seedserver.toml in force. One that cannot be read changes
// nothing, or if none was in force before, lets nothing through.
func (c *core) obey(now time.Time, n *node, f *rulesFile) {
	n.rules.stamp, n.rules.due = f.stamp, time.Time{}
	delete(c.rulesDue, n)
	switch {
	case f.err == nil:
		n.rules.set, n.rules.problem = f.set, ""
		c.readAccess(n)
	case n.rules.set == nil:
		n.rules.problem = rulesName + " cannot be obeyed"
	}
	if f.err != nil {
		c.note(slog.LevelWarn, "rules cannot be obeyed", "path", join(n.path, rulesName), "err", f.err)
	} else if f.warning != "" {
		c.note(slog.LevelWarn, "rules have keys that are not used", "path", join(n.path, rulesName), "warning", f.warning)
	}
	c.placeAll(n, now)
	c.reflag(n, now)
}
