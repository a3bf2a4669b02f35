package catalog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQueueOrder(t *testing.T) {
	// Names are in the order they are added: lower case is small, upper case is
	// large, what has been demanded is listed in demand order.
	tests := []struct {
		name     string
		slots    int
		added    string
		demanded string
		running  string // at once
		then     string // one after the other, each after all before have ended
	}{
		{"in the order they came", 1, "abc", "", "a", "bc"},
		{"small before large", 1, "AbcD", "", "b", "cAD"},
		{"demanded first", 1, "abcd", "dc", "d", "cab"},
		{"demanded large before small", 1, "abC", "C", "C", "ab"},
		{"demanded in the order of demand, whatever their size", 1, "aBc", "cB", "c", "Ba"},
		{"several at once", 3, "abcd", "", "abc", "d"},
		{"one slot is for a large one", 2, "abcD", "", "aD", "bc"},
		{"only one large at a time", 3, "ABC", "", "A", "BC"},
		{"only one large at a time, though demanded", 3, "ABc", "BA", "Bc", "A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := newHashQueue(tt.slots)
			items := map[rune]*item{}
			for _, name := range tt.added {
				it := &item{node: &node{path: string(name)}, way: &way{}}
				items[name] = it
				size := int64(largeSize)
				if name >= 'a' {
					size--
				}
				q.add(it, size)
			}
			for i, name := range tt.demanded {
				items[name].demanded = uint64(i + 1)
				q.moved(items[name])
			}
			require.Equal(t, tt.running, q.fill())
			require.Equal(t, len(tt.added), q.len())
			then := ""
			for q.len() > 0 {
				for it := range q.running {
					q.remove(it)
				}
				q.slots = 1
				then += q.fill()
			}
			require.Equal(t, tt.then, then)
			require.Zero(t, q.left())
		})
	}
}

// fill starts all that may start and returns its names.
func (q *hashQueue) fill() (started string) {
	for it := q.next(); it != nil; it = q.next() {
		q.start(it)
		started += it.node.path
	}
	return started
}

func TestQueueRemovesFromTheMiddle(t *testing.T) {
	q := newHashQueue(1)
	items := make([]*item, 20)
	for i := range items {
		items[i] = &item{way: &way{}}
		q.add(items[i], 10)
	}
	for i := 1; i < len(items); i += 2 {
		q.remove(items[i])
	}
	require.EqualValues(t, 100, q.left())
	for i := 0; i < len(items); i += 2 {
		require.Same(t, items[i], q.next())
		q.start(items[i])
		require.Nil(t, q.next())
		q.remove(items[i])
	}
	require.Nil(t, q.next())
}

func TestDemandMovesToTheHead(t *testing.T) {
	w := newWorld(t, Config{Hashers: 1})
	for _, name := range []string{"a", "b", "c", "d", "u/1", "u/2"} {
		w.old(name, name, 3600*second)
	}
	w.old("u/"+rulesName, "unit = true", 3600*second)
	w.holdHash = true
	w.start()
	w.pass(second)
	w.hashing, w.hashed = nil, nil // whichever was first
	first := ""
	for it := range w.core.queue.running {
		first = it.node.path
	}
	for _, path := range []string{"nowhere", "u/2", "d", "u/1", ""} {
		w.core.demandPath(path)
	}
	require.Equal(t, 5, w.view.sum().Queue)
	require.Equal(t, "hashing: waits for its turn", w.entry(other(first, "a", "b")).Describe())
	w.core.queue.slots = 6
	w.run()
	want := []string{"u", "d"}
	if first == "u" || first == "d" {
		want = []string{other(first, "u", "d")}
	}
	require.Equal(t, want, w.hashed[:len(want)])
}

// other returns the one of a and b that is not s.
func other(s, a, b string) string {
	if s == a {
		return b
	}
	return a
}

func TestDemandOfWhatIsStillSettlingIsRemembered(t *testing.T) {
	w := newWorld(t, Config{Hashers: 1}).start()
	w.holdHash = true
	w.write("first", "1")
	w.pass(second)
	w.write("a", "a")
	w.write("b", "b")
	w.pass(100 * second / 1000)
	w.core.demandPath("b")
	w.pass(11 * second)
	w.holdHash = false
	w.run()
	require.Equal(t, []string{"first", "b", "a"}, w.hashed)
}
