package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// dirView is what readers see in one directory.
type dirView struct {
	in     string // the path of the unit that all of it is inside of, if inUnit
	inUnit bool
	rows   []row // sorted by name
}

// row is an [Entry] as the view keeps it. There is one for every file, so what
// all in a directory share is said there, and what few have is apart.
type row struct {
	path     string
	size     int64
	modTime  int64 // nanoseconds since 1970
	infohash metainfo.InfoHash
	files    int32
	state    State

	dir, unit, hidden, private bool

	rare *rare // nil for none
}

// rare is what is only to be said of an entry that is on its way, or left out,
// or described.
type rare struct {
	description Description
	progress    float64
	reason      string
	until       time.Time
}

// rowOf returns what is kept of e: all but what its directory knows.
func rowOf(e *Entry) row {
	r := row{
		path: e.Path, size: e.Size, modTime: e.ModTime.UnixNano(), infohash: e.InfoHash, files: int32(e.Files), state: e.State,
		dir: e.Dir, unit: e.Unit, hidden: e.Hidden, private: e.Private,
	}
	more := rare{description: e.Description, progress: e.Progress, reason: e.Reason, until: e.Until}
	if e.State == Published {
		more.progress = 0 // that goes without saying
	}
	if more != (rare{}) {
		r.rare = &more
	}
	return r
}

func (r *row) name() string {
	_, name := split(r.path)
	return name
}

// entry returns the entry of row i.
func (d *dirView) entry(i int) Entry {
	r := &d.rows[i]
	e := Entry{
		Path: r.path, Name: r.name(), Dir: r.dir, Unit: r.unit, In: d.in, InUnit: d.inUnit, Hidden: r.hidden,
		Size: r.size, Files: int(r.files), ModTime: time.Unix(0, r.modTime), State: r.state, InfoHash: r.infohash, Private: r.private,
	}
	if more := r.rare; more != nil {
		e.Description, e.Progress, e.Reason, e.Until = more.description, more.progress, more.reason, more.until
	}
	if r.state == Published {
		e.Progress = 1
	}
	return e
}

// merge puts entries in, in place of those of the same name. There is at least
// one.
func (d *dirView) merge(entries []Entry) {
	d.in, d.inUnit = entries[0].In, entries[0].InUnit
	var added []row
	for i := range entries {
		e := &entries[i]
		if k, ok := d.search(e.Name); ok {
			d.rows[k] = rowOf(e)
		} else {
			added = append(added, rowOf(e))
		}
	}
	if len(added) == 0 {
		return
	}
	slices.SortFunc(added, func(a, b row) int { return strings.Compare(a.path, b.path) })
	i, j := len(d.rows)-1, len(added)-1
	list := append(d.rows, added...)
	for k := len(list) - 1; j >= 0; k-- { // from behind, so that nothing is overwritten
		if i >= 0 && list[i].path > added[j].path {
			list[k] = list[i]
			i--
		} else {
			list[k] = added[j]
			j--
		}
	}
	d.rows = list
}

// search returns the place of name among the rows, and whether it is there.
func (d *dirView) search(name string) (int, bool) {
	return slices.BinarySearchFunc(d.rows, name, func(r row, name string) int { return strings.Compare(r.name(), name) })
}
