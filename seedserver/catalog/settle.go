package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// writers is what the system tells about who has a file open for writing.
type writers uint8

const (
	nobody writers = iota
	somebody
	cannotSee
)

// checkJob asks whether files are as last seen, and whether anybody writes them.
type checkJob struct {
	it    *item
	seq   uint64
	files []FileStamp
}

// checked answers a checkJob.
type checked struct {
	job *checkJob
	// changed are the files that are not there or have another stamp.
	changed []string
	writers writers
	err     error // why a file cannot be opened
}

// hashJob asks for the torrent of an item.
type hashJob struct {
	it    *item
	seq   uint64
	path  string
	name  string
	unit  bool
	stamp Stamp // as in Record
	files []FileStamp
	// pieceLength is 0 for a new torrent.
	pieceLength int64
	large       bool
	private     bool
}

// hashed answers a hashJob.
type hashed struct {
	job     *hashJob
	version *Version // without Published
	info    []byte   // its info dict
	changed []string // as in checked; then version is nil
	err     error
}

// files returns the files that it is made of, in the order of its torrent, and
// with them, if watched, those it waits for without containing them. It reports
// false if a directory has not been seen yet.
func (it *item) files(watched bool) ([]FileStamp, bool) {
	if !it.unit {
		return []FileStamp{it.node.fileStamp()}, true
	}
	list := make([]FileStamp, 0, it.node.files)
	complete := it.node.collect(&list, watched)
	slices.SortFunc(list, func(a, b FileStamp) int { return strings.Compare(a.Path, b.Path) })
	return list, complete
}

func (n *node) fileStamp() FileStamp {
	return FileStamp{Path: n.path, Stamp: n.stamp}
}

// collect appends the files below directory n that are let in, and if watched
// the temporary ones.
func (n *node) collect(list *[]FileStamp, watched bool) (complete bool) {
	complete = n.scanned
	for _, child := range n.children {
		switch {
		case child.usable():
			complete = child.collect(list, watched) && complete
		case child.kind == regular && (child.verdict.in() || watched && child.verdict.state == Temporary):
			*list = append(*list, child.fileStamp())
		}
	}
	return complete
}

// startCheck asks whether an item that was quiet for long enough is at rest.
func (c *core) startCheck(it *item) {
	files, complete := it.files(true)
	if !complete {
		c.timers.set(it, it.seen.Add(c.settleTime(it)))
		it.seen = it.due
		return
	}
	it.phase = checking
	c.checks = append(c.checks, &checkJob{it: it, seq: it.seq, files: files})
}

// checkTaken says that the first of checks is being done.
func (c *core) checkTaken() {
	c.checks[0] = nil
	c.checks = c.checks[1:]
}

// checkDone takes the answer to a checkJob.
func (c *core) checkDone(now time.Time, r checked) {
	it := r.job.it
	if it.seq != r.job.seq || it.phase != checking {
		return
	}
	it.phase = settling
	c.mark(it.node)
	switch restful := it.quiet.Add(c.settleTime(it)); {
	case len(r.changed) > 0:
		c.lookAgain(it, now, r.changed)
	case r.err != nil:
		c.fail(it, now, plainError(r.err))
	case r.writers == somebody:
		it.busy = true
		c.timers.set(it, now.Add(c.cfg.settleRenamed()))
	case now.Before(restful):
		c.timers.set(it, restful)
	case r.writers == cannotSee && now.Before(it.seen.Add(c.cfg.settleBlind())):
		it.busy, it.blind = false, true
		c.timers.set(it, it.seen.Add(c.cfg.settleBlind()))
	default:
		c.settled(it)
	}
}

// lookAgain starts anew because files are not as they were; a scan will tell
// what became of them.
func (c *core) lookAgain(it *item, now time.Time, changed []string) {
	for _, path := range changed {
		dir, name := split(path)
		c.touch(now, dir, name, 0)
	}
	c.settle(it, now, false)
}

// settled puts an item that is at rest into the queue.
func (c *core) settled(it *item) {
	it.busy, it.blind, it.moved = false, false, false
	size := it.node.bytes
	switch v := c.judgeItem(it, size); {
	case !v.in():
		it.phase, it.reason = unwanted, v.reason
	case size == 0:
		it.phase = empty
	default:
		it.phase = queued
		c.queue.add(it, size)
	}
}

func (c *core) judgeItem(it *item, size int64) verdict {
	if it.unit {
		return c.judgeUnit(it.node, size)
	}
	return accepted // judge did
}

// nextHash returns what is to be hashed now, or nil. startHash says that it is.
func (c *core) nextHash() *hashJob {
	it := c.queue.next()
	if it == nil {
		return nil
	}
	files, _ := it.files(false)
	job := &hashJob{
		it: it, seq: it.seq, path: it.node.path, name: c.torrentName(it.node), unit: it.unit,
		stamp: it.stamp(files), files: files,
		pieceLength: c.cfg.PieceLength, large: it.queued >= largeSize, private: c.private(it.node),
	}
	if it.version != nil {
		job.pieceLength = it.version.PieceLength
	}
	return job
}

func (c *core) startHash(job *hashJob) {
	c.queue.start(job.it)
	job.it.phase = hashing
	c.mark(job.it.node)
}

func (c *core) torrentName(n *node) string {
	if n.parent == nil {
		return c.name
	}
	return n.name()
}

// progressed says how much of an item is hashed.
func (c *core) progressed(job *hashJob, part float64) {
	if it := job.it; it.seq == job.seq && it.phase == hashing {
		it.progress = part
		c.mark(it.node)
	}
}

// hashDone takes the answer to a hashJob, and reports false if the job was
// cancelled.
func (c *core) hashDone(now time.Time, r hashed) bool {
	it := r.job.it
	if it.seq != r.job.seq || it.phase != hashing {
		return false
	}
	c.queue.remove(it)
	it.phase = settling
	c.mark(it.node)
	switch {
	case len(r.changed) > 0:
		c.lookAgain(it, now, r.changed)
	case r.err != nil:
		c.fail(it, now, plainError(r.err))
	case r.version.Private != c.private(it.node): // the rules have changed
		c.settle(it, now, true)
	default:
		r.version.Published = now
		if it.version != nil && it.version.InfoHash == r.version.InfoHash {
			r.version.Published = it.version.Published
		}
		c.hold(it, now, r.version, r.info)
	}
	return true
}

// answered takes the answer of the Publisher to an order. known says whether it
// has the torrent, paused or not.
func (c *core) answered(now time.Time, o order, known bool, err error) {
	t := c.torrents[o.hash]
	if t == nil || t.seq != o.seq {
		return
	}
	if err == nil {
		c.setAnswered(t, true)
		for _, it := range t.holders {
			if it.way != nil && it.due.IsZero() {
				it.way = nil // an earlier answer was an error
			}
		}
		return
	}
	t.problem = "cannot be seeded: " + plainError(err)
	t.told = nothing
	if known {
		t.told = paused
	}
	t.live = nil
	for i, it := range t.holders {
		if i == 0 {
			it.setOut()
			c.timers.set(it, now.Add(retryAfter(it.failures)))
			it.failures++
		}
		c.mark(it.node)
	}
}

// stamp returns the stamp of it as a Record has it.
func (it *item) stamp(files []FileStamp) Stamp {
	if !it.unit {
		return it.node.stamp
	}
	return unitStamp(it.node, files)
}

// versionOf returns the version that a raw info dict describes.
func versionOf(job *hashJob, infoBytes []byte) (*Version, error) {
	info, err := metainfo.ParseInfo(infoBytes)
	if err != nil {
		return nil, err
	}
	v := &Version{Record: Record{
		Path: job.path, Name: job.name, Unit: job.unit, Private: info.Private,
		Stamp: job.stamp, PieceLength: info.PieceLength, InfoHash: hashInfo(infoBytes),
	}}
	if job.unit {
		v.Members = job.files
	}
	return v, nil
}
