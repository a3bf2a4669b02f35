package catalog

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// claimByPath gives it what an earlier run saved under its path, and reports
// whether there was something.
func (c *core) claimByPath(it *item, now time.Time) bool {
	r := c.records[it.node.path]
	if r == nil {
		return false
	}
	c.unclaim(r)
	c.setSaved(it, r.Path)
	v := c.recorded(r, it)
	if v == nil {
		c.retireRecord(r, now, "changed")
		return true
	}
	if r.Stamp.ChangeTime == v.Stamp.ChangeTime {
		c.stop(it)
		c.join(it, now, v, true)
		return true
	}
	c.join(it, now, v, false)
	c.settle(it, now, true)
	return true
}

// claimByIdentity gives it what an earlier run saved of the same file under
// another path, where nothing is now.
func (c *core) claimByIdentity(it *item, now time.Time) {
	r := c.recordsID[it.node.stamp.id()]
	if r == nil || it.unit != r.Unit || it.torrent != nil || it.saved != "" {
		return
	}
	c.unclaim(r)
	c.setSaved(it, r.Path)
	v := c.recorded(r, it)
	if v == nil {
		c.retireRecord(r, now, "renamed")
		return
	}
	c.join(it, now, v, false)
	c.settle(it, now, true)
}

// recorded returns the version that r and it are of, or nil if r is not of the
// bytes of it or not of this configuration.
func (c *core) recorded(r *Record, it *item) *Version {
	files, _ := it.files(false)
	stamp := it.stamp(files)
	switch {
	case r.Unit != it.unit || !r.Stamp.sameFile(stamp):
		return nil
	case r.Private != c.private(it.node) || r.PieceLength <= 0 || c.cfg.PieceLength != 0 && r.PieceLength != c.cfg.PieceLength:
		return nil
	case r.Path == it.node.path && r.Name != c.torrentName(it.node):
		return nil
	}
	v := &Version{Record: *r}
	v.Path, v.Stamp = it.node.path, stamp
	if it.unit {
		v.Members = files
	}
	return v
}

// below returns the path of a file in directory n relative to n.
func below(n *node, path string) string {
	if n.path == "" {
		return path
	}
	return path[len(n.path)+1:]
}

// remember keeps r until something claims it.
func (c *core) remember(r *Record) {
	c.records[r.Path] = r
	if id := r.Stamp.id(); id.ino != 0 {
		c.recordsID[id] = r
	}
}

// unclaim undoes remember.
func (c *core) unclaim(r *Record) {
	delete(c.records, r.Path)
	if id := r.Stamp.id(); c.recordsID[id] == r {
		delete(c.recordsID, id)
	}
}

func (c *core) retireRecord(r *Record, now time.Time, reason string) {
	c.orders = append(c.orders, order{kind: orderWrite, change: Change{
		Retired: reason, At: now, Record: Record{Path: r.Path, Unit: r.Unit, InfoHash: r.InfoHash},
	}})
}

// finishBoot compares the records with the tree, which has now been seen whole.
func (c *core) finishBoot(now time.Time) {
	c.booted = true
	c.mark(c.root)
	arrivals := slices.DeleteFunc(c.arrivals, func(it *item) bool { return it.node == nil || it.torrent != nil })
	c.arrivals = nil
	for _, it := range arrivals {
		if !it.unit {
			continue
		}
		c.restAtBoot(it, now)
		c.claimByPath(it, now)
	}
	for _, it := range arrivals {
		c.claimByIdentity(it, now)
	}
	left := c.records
	c.records, c.recordsID = map[string]*Record{}, map[identity]*Record{} // the old ones are as large as at the start
	for path, r := range left {
		if c.isUnreadable(path) {
			c.remember(r)
		} else {
			c.retireRecord(r, now, "removed while the server was not running")
		}
	}
}

// restAtBoot takes the newest modification time of a unit for its last change.
func (c *core) restAtBoot(it *item, now time.Time) {
	files, _ := it.files(true)
	var newest int64
	for _, f := range files {
		newest = max(newest, f.Stamp.ModTime)
	}
	if t := time.Unix(0, newest); t.Before(now) {
		it.quiet = evenly(now, t)
	}
	c.timers.set(it, it.quiet.Add(c.settleTime(it)))
}

// isUnreadable reports whether path is in a directory that cannot be read now.
func (c *core) isUnreadable(path string) bool {
	n := c.root
	for name := range strings.SplitSeq(path, "/") {
		if n.problem != "" {
			return true
		}
		if n = n.children[name]; n == nil {
			return false
		}
	}
	return false
}

// unitStamp folds the stamps of a unit's files into one, as Record says.
func unitStamp(n *node, files []FileStamp) Stamp {
	content, attributes := sha256.New(), sha256.New()
	s := Stamp{Dev: n.stamp.Dev, Ino: n.stamp.Ino}
	var b []byte
	for _, f := range files {
		s.Size += f.Stamp.Size
		b = append(b[:0], below(n, f.Path)...)
		b = append(b, 0)
		b = binary.BigEndian.AppendUint64(b, f.Stamp.Dev)
		b = binary.BigEndian.AppendUint64(b, f.Stamp.Ino)
		b = binary.BigEndian.AppendUint64(b, uint64(f.Stamp.Size))
		b = binary.BigEndian.AppendUint64(b, uint64(f.Stamp.ModTime))
		content.Write(b)
		attributes.Write(binary.BigEndian.AppendUint64(b, uint64(f.Stamp.ChangeTime)))
	}
	s.ModTime = int64(binary.BigEndian.Uint64(content.Sum(nil)))
	s.ChangeTime = int64(binary.BigEndian.Uint64(attributes.Sum(nil)))
	return s
}
