package catalog

import (
	"slices"
	"strings"
	"sync"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// view is what readers see: the entries of each directory, sorted by name. The
// loop changes it, never while it does anything else.
type view struct {
	mu     sync.RWMutex
	root   Entry
	dirs   map[string][]Entry // of directories that are let in
	totals Totals

	access     map[string]any                 // of directories that have rules of access
	places     map[metainfo.InfoHash][]string // of published private torrents, and perhaps former ones
	placesKept int                            // after the last time that places were looked through
}

func newView() *view {
	return &view{
		root: Entry{Dir: true, State: Directory},
		dirs: map[string][]Entry{"": nil},

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
		if list, ok := v.dirs[dir]; ok {
			v.dirs[dir] = slices.DeleteFunc(list, func(e Entry) bool { return names[e.Name] })
		}
	}
	for _, e := range s.fresh {
		switch {
		case e.Path == "":
			v.root = e
		case e.Dir && e.listed():
			if _, ok := v.dirs[e.Path]; !ok {
				v.dirs[e.Path] = nil
			}
		case e.Dir:
			delete(v.dirs, e.Path)
		}
	}
	for dir, entries := range fresh {
		if _, ok := v.dirs[dir]; ok {
			v.dirs[dir] = merge(v.dirs[dir], entries)
		}
	}
	v.applyPlaces(s)
}

// listed reports whether what is in the directory e is shown: a unit that is
// left out for its size is, a directory that is left out is not.
func (e *Entry) listed() bool { return e.Unit || e.State != LeftOut && e.State != Temporary }

// merge puts entries into a sorted list, in place of those of the same name.
func merge(list, entries []Entry) []Entry {
	var added []Entry
	for _, e := range entries {
		if i, ok := search(list, e.Name); ok {
			list[i] = e
		} else {
			added = append(added, e)
		}
	}
	if len(added) == 0 {
		return list
	}
	slices.SortFunc(added, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	i, j := len(list)-1, len(added)-1
	list = append(list, added...)
	for k := len(list) - 1; j >= 0; k-- { // from behind, so that nothing is overwritten
		if i >= 0 && list[i].Name > added[j].Name {
			list[k] = list[i]
			i--
		} else {
			list[k] = added[j]
			j--
		}
	}
	return list
}

func search(list []Entry, name string) (int, bool) {
	return slices.BinarySearchFunc(list, name, func(e Entry, name string) int { return strings.Compare(e.Name, name) })
}

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
	if i, ok := search(v.dirs[dir], name); ok {
		return v.dirs[dir][i], true
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
	stored, ok := v.dirs[dir]
	if !ok {
		return nil, false
	}
	list := make([]Entry, len(stored))
	copy(list, stored)
	var unit Entry
	for i := range list {
		if e := &list[i]; e.State == inherited {
			if unit.Path != e.In || !unit.Dir {
				unit, _ = v.stored(e.In)
			}
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
