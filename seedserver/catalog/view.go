package catalog

import (
	"slices"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// view is what readers see: the entries of each directory, sorted by name. The
// loop changes it, never while it does anything else.
type view struct {
	mu     sync.RWMutex
	root   Entry
	dirs   map[string]*dirView // of directories that are let in
	totals Totals

	access     map[string]any                 // of directories that have rules of access
	places     map[metainfo.InfoHash][]string // of published private torrents, and perhaps former ones
	placesKept int                            // after the last time that places were looked through
}

func newView() *view {
	return &view{
		root: Entry{Dir: true, State: Directory},
		dirs: map[string]*dirView{"": {}},

		access: map[string]any{},
		places: map[metainfo.InfoHash][]string{},
	}
}

// apply brings the view up to date.
func (v *view) apply(s shown) {
	gone := map[string]map[string]bool{}
	for _, path := range s.gone {
		dir, name := split(path)
		if gone[dir] == nil {
			gone[dir] = map[string]bool{}
		}
		gone[dir][name] = true
	}
	fresh := map[string][]Entry{}
	for _, e := range s.fresh {
		if e.Path != "" {
			dir, _ := split(e.Path)
			fresh[dir] = append(fresh[dir], e)
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.totals = s.totals
	v.applyAccess(s)
	for dir, names := range gone {
		for name := range names {
			delete(v.dirs, join(dir, name))
		}
		if d, ok := v.dirs[dir]; ok {
			d.rows = slices.DeleteFunc(d.rows, func(r row) bool { return names[r.name()] })
		}
	}
	for _, e := range s.fresh {
		switch {
		case e.Path == "":
			v.root = e
		case e.Dir && e.listed():
			if _, ok := v.dirs[e.Path]; !ok {
				v.dirs[e.Path] = &dirView{}
			}
		case e.Dir:
			delete(v.dirs, e.Path)
		}
	}
	for dir, entries := range fresh {
		if d, ok := v.dirs[dir]; ok {
			d.merge(entries)
		}
	}
	v.applyPlaces(s)
}

// listed reports whether what is in the directory e is shown: a unit that is
// left out for its size is, a directory that is left out is not.
func (e *Entry) listed() bool { return e.Unit || e.State != LeftOut && e.State != Temporary }

// lookup returns the entry at path.
func (v *view) lookup(path string) (Entry, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	e, ok := v.stored(path)
	if ok && e.State == inherited {
		unit, _ := v.stored(e.In)
		e.inherit(unit)
	}
	return e, ok
}

// stored returns the entry at path as the loop gave it.
func (v *view) stored(path string) (Entry, bool) {
	if path == "" {
		return v.root, true
	}
	dir, name := split(path)
	if d, ok := v.dirs[dir]; ok {
		if i, ok := d.search(name); ok {
			return d.entry(i), true
		}
	}
	return Entry{}, false
}

// inherit takes over the state of the unit around e.
func (e *Entry) inherit(unit Entry) {
	e.State, e.Progress, e.Reason, e.Until = unit.State, unit.Progress, unit.Reason, unit.Until
	e.InfoHash, e.Private = unit.InfoHash, unit.Private
}

// list returns the entries directly in dir.
func (v *view) list(dir string) ([]Entry, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	d, ok := v.dirs[dir]
	if !ok {
		return nil, false
	}
	var unit Entry
	if d.inUnit {
		unit, _ = v.stored(d.in)
	}
	list := make([]Entry, len(d.rows))
	for i := range list {
		list[i] = d.entry(i)
		if list[i].State == inherited {
			list[i].inherit(unit)
		}
	}
	return list, true
}

// eachRun is how many entries are copied while the loop waits.
const eachRun = 128

// each calls visit with the entries directly in dir, while the loop may go on.
func (v *view) each(dir string, visit func(e *Entry)) bool {
	run := make([]Entry, 0, eachRun)
	for last := ""; ; last = run[len(run)-1].Name {
		var ok bool
		if run, ok = v.run(dir, last, run[:0]); !ok {
			return last != ""
		}
		for i := range run {
			visit(&run[i])
		}
		if len(run) < cap(run) {
			return true
		}
	}
}

// run fills list with the entries directly in dir whose names come after last.
func (v *view) run(dir, last string, list []Entry) ([]Entry, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	d, ok := v.dirs[dir]
	if !ok {
		return list, false
	}
	from, found := d.search(last)
	if found {
		from++
	}
	for i := from; i < len(d.rows) && len(list) < cap(list); i++ {
		list = append(list, d.entry(i))
		if e := &list[len(list)-1]; e.State == inherited {
			unit, _ := v.stored(d.in)
			e.inherit(unit)
		}
	}
	return list, true
}

func (v *view) sum() Totals {
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.totals
}
