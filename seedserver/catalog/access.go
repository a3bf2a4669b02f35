package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// readAccess takes what the rules of directory n say about access.
func (c *core) readAccess(n *node) {
	n.rules.access, n.rules.private = nil, false
	if c.cfg.Access == nil || n.rules.set == nil {
		return
	}
	if value, ok := n.rules.set.Policy[accessKey]; ok {
		n.rules.access, n.rules.private = c.cfg.Access(n.path, value)
	}
}

// accessOf returns the rule of access of directory n. Nobody may see into one
// whose rules are not known.
func (c *core) accessOf(n *node) any {
	unseen := n.parent != nil && n.verdict.in() && !n.scanned && n.problem == ""
	if unseen || n.rules.problem != "" {
		return c.shut
	}
	return n.rules.access
}

// private reports whether the torrent of n, a file or unit, is to have the
// private flag: a directory above says so or, inside a unit, one below.
func (c *core) private(n *node) bool {
	if c.cfg.Private {
		return true
	}
	for at := n; at != nil; at = at.parent {
		if at.rules.private {
			return true
		}
	}
	return n.kind == directory && n.privateBelow()
}

func (n *node) privateBelow() bool {
	for _, child := range n.children {
		if child.kind == directory && (child.rules.private || child.privateBelow()) {
			return true
		}
	}
	return false
}

// reflag retires what has not the private flag that it has to have, now that
// the rules of directory n changed, and makes it anew.
func (c *core) reflag(n *node, now time.Time) {
	if c.cfg.Access == nil {
		return
	}
	if n.unit != nil {
		c.reflagItem(n.unit, now)
		return
	}
	for _, child := range n.children {
		if child.item != nil {
			c.reflagItem(child.item, now)
		} else {
			c.reflag(child, now)
		}
	}
}

func (c *core) reflagItem(it *item, now time.Time) {
	if it.node != nil && it.version != nil && it.version.Private != c.private(it.node) {
		c.disturb(it, now, "its access rules changed", true)
	}
}

// applyAccess brings the rules of access up to date. v.mu is held.
func (v *view) applyAccess(s shown) {
	for _, path := range s.gone {
		for dir := range v.access {
			if dir == path || strings.HasPrefix(dir, path+"/") {
				delete(v.access, dir)
			}
		}
	}
	for path, rule := range s.access {
		if rule == nil {
			delete(v.access, path)
		} else {
			v.access[path] = rule
		}
	}
}

// applyPlaces notes where private torrents are, now that the entries are up to
// date. v.mu is held.
func (v *view) applyPlaces(s shown) {
	for i := range s.fresh {
		if e := &s.fresh[i]; e.Private && e.State == Published && !slices.Contains(v.places[e.InfoHash], e.Path) {
			v.places[e.InfoHash] = append(v.holding(e.InfoHash), e.Path)
		}
	}
	if len(v.places) > 2*v.placesKept+100 {
		for h := range v.places {
			if len(v.holding(h)) == 0 {
				delete(v.places, h)
			}
		}
		v.placesKept = len(v.places)
	}
}

// holding returns those of the places of h that have it now. v.mu is held.
func (v *view) holding(h metainfo.InfoHash) (paths []string) {
	for _, path := range v.places[h] {
		if e, ok := v.stored(path); ok && e.State == Published && e.InfoHash == h {
			paths = append(paths, path)
		}
	}
	return paths
}

// Access returns the rules of access, as Config.Access made them, of path if it
// is a directory and of all directories above it, in any order. For a unit these
// are those of all directories in it too: it is one torrent. A change of rules shows here before anything shows that it lets in.
func (c *Catalog) Access(path string) []any { return c.view.accessTo(path) }

func (v *view) accessTo(path string) []any {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.access) == 0 {
		return nil
	}
	var rules []any
	for dir := path; ; dir, _ = split(dir) {
		if rule, ok := v.access[dir]; ok {
			rules = append(rules, rule)
		}
		if dir == "" {
			break
		}
	}
	if e, ok := v.stored(path); ok && e.Unit {
		for dir, rule := range v.access {
			if dir != path && within(dir, path) {
				rules = append(rules, rule)
			}
		}
	}
	return rules
}

// within reports whether path is dir or below it.
func within(path, dir string) bool {
	return dir == "" || path == dir || strings.HasPrefix(path, dir) && path[len(dir)] == '/'
}

// AccessOf returns the rule of access of the directory dir itself, nil if it has
// none.
func (c *Catalog) AccessOf(dir string) any {
	c.view.mu.RLock()
	defer c.view.mu.RUnlock()
	return c.view.access[dir]
}

// AccessDirs returns the directories below dir that have rules of access, in
// any order.
func (c *Catalog) AccessDirs(dir string) (dirs []string) {
	v := c.view
	v.mu.RLock()
	defer v.mu.RUnlock()
	for path := range v.access {
		if path != dir && within(path, dir) {
			dirs = append(dirs, path)
		}
	}
	return dirs
}

// Places returns the paths at which a private torrent is published now. Of
// other torrents it knows none.
func (c *Catalog) Places(h metainfo.InfoHash) []string {
	v := c.view
	v.mu.RLock()
	defer v.mu.RUnlock()
	return v.holding(h)
}
