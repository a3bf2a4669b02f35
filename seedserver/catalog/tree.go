package catalog

import (
	"strings"
	"time"
)

// node is one path of the tree. The loop alone touches it. There is one for
// every file, so it holds no more than a file needs.
type node struct {
	parent    *node // nil for the root
	path      string
	stamp     Stamp
	verdict   verdict
	sibling   *node // the next node of the same identity
	item      *item // the node's own: a regular file's outside units, a unit's
	*interior       // of a directory; of all others it is noInterior

	// Of what is let in: for a file its size and 1, for a directory the sums.
	bytes int64
	files int32

	kind    kind
	counted State // in Totals.States; numStates if not
}

// interior is what only a directory has.
type interior struct {
	depth    int // directories above it, the root not counted
	children map[string]*node
	unit     *item // the unit that the children are inside of
	scanned  bool
	problem  string // why it cannot be read
	omitted  int    // children that are not in the tree for lack of room
	rules    rulesState
}

// noInterior is that of what is no directory. Nobody writes to it.
var noInterior = &interior{}

// newNode returns a node that is not in the tree yet.
func newNode(parent *node, path string, k kind, stamp Stamp) *node {
	n := &node{parent: parent, path: path, kind: k, stamp: stamp, counted: numStates, interior: noInterior}
	if k == directory {
		n.interior = &interior{children: map[string]*node{}}
		if parent != nil && parent.parent != nil {
			n.depth = parent.depth + 1
		}
	}
	return n
}

// name returns the last element of n's path, "" for the root.
func (n *node) name() string {
	_, name := split(n.path)
	return name
}

// rulesState is what the core knows about a directory's .seedserver.toml.
type rulesState struct {
	stamp   Stamp    // of the file in force; zero without
	set     *ruleset // nil without
	problem string   // why the file cannot be obeyed, when set is not to be relied on
	// pending is the stamp of a changed file that is given time to be finished.
	pending Stamp
	due     time.Time // zero when nothing is pending
	// access is what Config.Access made of set, nil if that says nothing.
	access  any
	private bool
}

// usable reports whether n is a directory that is let in.
func (n *node) usable() bool { return n.kind == directory && n.verdict.in() }

// owner is the item that the bytes of n belong to: its own or its unit's. While
// a unit is taken apart it is nil.
func (n *node) owner() *item {
	it := n.item
	if it == nil && n.parent != nil {
		it = n.parent.unit
	}
	if it == nil || it.node == nil {
		return nil
	}
	return it
}

// relative returns n's path below the directory above.
func (n *node) relative(above *node) string {
	if above.path == "" {
		return n.path
	}
	return n.path[len(above.path)+1:]
}

// join returns the path of name in dir.
func join(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// split returns the directory and the last element of a path.
func split(path string) (dir, name string) {
	i := strings.LastIndexByte(path, '/')
	return path[:max(i, 0)], path[i+1:]
}

// find returns the node at path, or nil.
func (c *core) find(path string) *node {
	n := c.root
	if path == "" {
		return n
	}
	for name := range strings.SplitSeq(path, "/") {
		if n = n.children[name]; n == nil {
			return nil
		}
	}
	return n
}

// attach puts a new node into the tree.
func (c *core) attach(parent *node, name string, k kind, stamp Stamp) *node {
	n := newNode(parent, join(parent.path, name), k, stamp)
	parent.children[n.name()] = n
	c.size++
	c.index(n)
	return n
}

// detach takes a node without children out of the tree.
func (c *core) detach(n *node) {
	c.account(n, 0, 0)
	c.unindex(n)
	c.size--
	delete(n.parent.children, n.name())
	c.mark(n.parent)
	c.forget(n)
}

// index notes the identity of a file or directory.
func (c *core) index(n *node) {
	if id := n.stamp.id(); id.ino != 0 && (n.kind == regular || n.kind == directory) {
		n.sibling = c.byID[id]
		c.byID[id] = n
	}
}

// unindex undoes index. It must see the stamp that index saw.
func (c *core) unindex(n *node) {
	id := n.stamp.id()
	first := c.byID[id]
	if first == n {
		if n.sibling == nil {
			delete(c.byID, id)
		} else {
			c.byID[id] = n.sibling
		}
	}
	for ; first != nil; first = first.sibling {
		if first.sibling == n {
			first.sibling = n.sibling
		}
	}
	n.sibling = nil
}

// account sets what a file counts for, and corrects the sums above it.
func (c *core) account(n *node, files int, bytes int64) {
	df, db := files-int(n.files), bytes-n.bytes
	if n.kind == directory || df == 0 && db == 0 {
		return
	}
	for ; n != nil; n = n.parent {
		n.files += int32(df)
		n.bytes += db
		c.mark(n)
	}
}
