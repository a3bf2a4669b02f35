package catalog

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestListIsSortedAndACopy(t *testing.T) {
	w := newWorld(t, Config{}).start()
	for _, name := range []string{"b", "a", "B", "ä", "a b", "a-b", "10", "9"} {
		w.write("d/"+name, name)
		w.pass(second)
	}
	names := func() (names []string) {
		list, ok := w.view.list("d")
		require.True(t, ok)
		for _, e := range list {
			names = append(names, e.Name)
		}
		return names
	}
	want := []string{"10", "9", "B", "a", "a b", "a-b", "b", "ä"}
	require.Equal(t, want, names())
	list, _ := w.view.list("d")
	list[0].Name = "overwritten"
	require.Equal(t, want, names())

	w.remove("d/a b")
	w.pass(second)
	require.Equal(t, []string{"10", "9", "B", "a", "a-b", "b", "ä"}, names())
}

func TestListOfWhatIsNoDirectory(t *testing.T) {
	w := with(t, "d/f")
	w.mkdir("empty")
	w.write(".git/config", "secret")
	w.pass(second)
	for _, path := range []string{"nowhere", "d/f", "d/nowhere", ".git", "d/"} {
		_, ok := w.view.list(path)
		require.False(t, ok, path)
	}
	list, ok := w.view.list("empty")
	require.True(t, ok)
	require.Empty(t, list)
	require.False(t, w.has(".git/config"))
	w.remove("d")
	w.pass(second)
	_, ok = w.view.list("d")
	require.False(t, ok)
	require.False(t, w.has("d/f"))
}

func TestSumsOfDirectories(t *testing.T) {
	w := with(t, "d/e/f", "d/g")
	require.Equal(t, 2, w.entry("d").Files)
	require.EqualValues(t, len("content of d/e/f")+len("content of d/g"), w.entry("d").Size)
	require.Equal(t, w.entry("d").Size, w.entry("").Size)
	w.write("d/g", "12")
	w.write("d/.hidden", "123")
	w.pass(second)
	require.EqualValues(t, len("content of d/e/f")+2, w.entry("d").Size)
	w.remove("d/e")
	w.pass(second)
	require.Equal(t, 1, w.entry("d").Files)
}

func TestTotals(t *testing.T) {
	w := with(t, "d/a", "b")
	w.write("d/empty", "")
	w.write("c.part", "c")
	w.put("link", symlink)
	w.pass(30 * second)
	w.write("new", "new")
	w.pass(second)
	got := w.view.sum()
	want := Totals{Scanned: true, Files: 4, Bytes: int64(len("content of d/acontent of bnew")), Directories: 2, Torrents: 2}
	want.States[Settling], want.States[Published], want.States[Empty], want.States[LeftOut], want.States[Temporary], want.States[Directory] =
		1, 2, 1, 1, 1, 2
	require.Equal(t, want, got)
	require.Equal(t, 1, got.Count(Temporary))
	require.Zero(t, got.Count(numStates))
}

func TestDescribe(t *testing.T) {
	for want, e := range map[string]Entry{
		"hashing 42 %":                {State: Hashing, Progress: 0.429},
		"hashing: waits for its turn": {State: Hashing, Reason: "waits for its turn"},
		"left out: symbolic link":     {State: LeftOut, Reason: "symbolic link"},
		"published":                   {State: Published, Progress: 1},
		"state 77":                    {State: 77},
	} {
		require.Equal(t, want, e.Describe())
	}
}

// many returns a view of one directory with n files, and the change that puts
// them there.
func many(n int) (*view, shown) {
	s := shown{fresh: []Entry{{Path: "d", Name: "d", Dir: true, State: Directory}}}
	for i := range n {
		name := fmt.Sprintf("file-%07d.iso", i)
		s.fresh = append(s.fresh, Entry{Path: "d/" + name, Name: name, Size: int64(i), State: Published})
	}
	v := newView()
	v.apply(s)
	return v, s
}

func BenchmarkList(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			v, _ := many(n)
			b.ReportAllocs()
			for b.Loop() {
				v.list("d")
			}
		})
	}
}

// TestEach: all entries are visited, those of a unit with its state, whatever comes and goes meanwhile once at the most, and the loop is
// not held up.
func TestEach(t *testing.T) {
	for _, n := range []int{0, 1, eachRun - 1, eachRun, eachRun + 1, 3 * eachRun} {
		v, _ := many(n)
		want, ok := v.list("d")
		require.True(t, ok)
		got := []Entry{}
		require.True(t, v.each("d", func(e *Entry) { got = append(got, *e) }))
		require.Equal(t, want, got)
	}
	v, _ := many(3 * eachRun)
	require.False(t, v.each("nowhere", nil))
	var last string
	visited := 0
	require.True(t, v.each("d", func(e *Entry) {
		require.Greater(t, e.Name, last)
		last = e.Name
		if visited++; visited == 1 { // the next run is of what is there then
			gone := []string{"d/" + e.Name}
			for i := range eachRun {
				gone = append(gone, fmt.Sprintf("d/file-%07d.iso", 2*i+1))
			}
			v.apply(shown{gone: gone, fresh: []Entry{{Path: "d/a", Name: "a"}, {Path: "d/z", Name: "z"}}})
		}
	}))
	require.Equal(t, "z", last)
	require.Equal(t, 3*eachRun-eachRun/2+1, visited) // of the first run all, of the others' first half every other one
	v, _ = many(2 * eachRun)
	visited = 0
	require.True(t, v.each("d", func(*Entry) {
		visited++
		v.apply(shown{gone: []string{"d"}})
	}), "a directory that goes has been there")
	require.Equal(t, eachRun, visited)

	unit := newView()
	unit.apply(shown{fresh: []Entry{
		{Path: "u", Name: "u", Dir: true, Unit: true, State: Published, Progress: 1}, {Path: "u/a", Name: "a", In: "u", InUnit: true, State: inherited},
	}})
	require.True(t, unit.each("u", func(e *Entry) { require.Equal(t, Published, e.State) }))
}

func BenchmarkEach(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprintf("entries=%d", n), func(b *testing.B) {
			v, _ := many(n)
			b.ReportAllocs()
			for b.Loop() {
				v.each("d", func(*Entry) {})
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	v, _ := many(100_000)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			v.lookup("d/file-0077777.iso")
		}
	})
}

// BenchmarkShow is one entry's progress shown in a directory of many.
func BenchmarkShow(b *testing.B) {
	v, s := many(100_000)
	change := shown{fresh: s.fresh[50_000:50_001]}
	b.ReportAllocs()
	for b.Loop() {
		v.apply(change)
	}
}
