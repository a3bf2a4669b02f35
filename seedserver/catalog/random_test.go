package catalog

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// places are the names that random operations play with: few, so that they meet.
var places = []string{"a", "b", "c.part", ".h", "d/a", "d/b", "d/e/a", "u/a", "u/v/b", "d", "d/e", "u", "u/v"}

var contents = []string{"", "1", "2", "22", "333"}

// chooser is where randomness comes from: IntN returns a number below n.
type chooser interface{ IntN(n int) int }

var _ chooser = (*rand.Rand)(nil)

// randomly does one random thing to the files.
func (w *world) randomly(r chooser) string {
	path, other := places[r.IntN(len(places))], places[r.IntN(len(places))]
	content := contents[r.IntN(len(contents))]
	here := w.files[path]
	switch op := r.IntN(12); {
	case op < 3:
		if here != nil && here.kind == directory || !w.free(path) {
			return ""
		}
		w.write(path, content)
		return fmt.Sprintf("write %s %q", path, content)
	case op == 3 && here != nil:
		w.remove(path)
		return "remove " + path
	case op < 6 && here != nil && w.canRename(path, other):
		w.rename(path, other)
		return "rename " + path + " " + other
	case op == 6 && here != nil:
		w.chmod(path)
		return "chmod " + path
	case op == 7 && here != nil && here.kind == regular && w.files[other] == nil && w.free(other):
		dir, _ := split(other)
		w.mkdir(dir)
		w.link(path, other)
		return "link " + path + " " + other
	case op == 8 && w.free("u/x"):
		rules := []string{"", "unit = true", `exclude = ["b"]`, "min-size = 2"}[r.IntN(4)]
		w.write("u/"+rulesName, rules)
		return "rules " + rules
	case op == 9 && w.files["u/"+rulesName] != nil:
		w.remove("u/" + rulesName)
		return "no rules"
	case op == 10 && here != nil && here.kind == regular:
		here.writers = writers(r.IntN(3))
		return fmt.Sprintf("writers %s %d", path, here.writers)
	case op == 11 && here == nil && w.free(path):
		dir, _ := split(path)
		w.mkdir(dir)
		w.put(path, symlink)
		return "symlink " + path
	}
	return ""
}

// free reports whether nothing but directories is above path.
func (w *world) free(path string) bool {
	for dir, _ := split(path); dir != ""; dir, _ = split(dir) {
		if f := w.files[dir]; f != nil && f.kind != directory {
			return false
		}
	}
	return true
}

func (w *world) canRename(from, to string) bool {
	dir, _ := split(to)
	here, there := w.files[from], w.files[to]
	if strings.HasPrefix(to, from) || !w.free(to) || w.files[dir] == nil || here == there {
		return false
	}
	return there == nil || there.kind != directory && here.kind != directory
}

// TestRandomOperations does random things, with random events lost, and then
// compares the catalog with one that sees the directory for the first time.
func TestRandomOperations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Config{}).start()
		w.lenient = true
		r := drawn{rt}
		for range rapid.IntRange(1, 40).Draw(rt, "operations") {
			w.deaf = r.IntN(3) == 0
			rt.Log(w.randomly(r))
			w.deaf = false
			w.pass(time.Duration(r.IntN(2000)) * 10 * time.Millisecond)
			w.holdHash = r.IntN(4) == 0
		}
		w.holdHash = false
		w.comeToRest()
	})
}

// comeToRest lets everybody stop writing, and compares.
func (w *world) comeToRest() {
	for _, f := range w.files {
		f.writers = nobody
	}
	w.core.rescan(w.now)
	w.pass(5 * time.Minute)
	w.settledLike(w.t)
}

// drawn chooses with rapid, which shrinks what fails.
type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }
