package catalog

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// with returns a world in which path is published and nothing was told.
func with(t *testing.T, paths ...string) *world {
	w := newWorld(t, Config{}).start()
	for _, path := range paths {
		w.write(path, "content of "+path)
	}
	w.pass(11 * second)
	for _, path := range paths {
		require.Equal(t, Published, w.state(path), path)
	}
	w.told()
	return w
}

func TestChanges(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *world)
		// at once, and after a while
		first, then []string
	}{
		{"written in place", func(w *world) { w.write("d/f", "other") },
			[]string{"forget d/f: changed", "retire: changed"},
			[]string{"save d/f", "publish d/f"}},
		{"same size, other time", func(w *world) { w.write("d/f", "CONTENT OF D/F") },
			[]string{"forget d/f: changed", "retire: changed"},
			[]string{"save d/f", "publish d/f"}},
		{"touched back and forth", func(w *world) { w.chmod("d/f"); w.pass(second); w.chmod("d/f") },
			[]string{"pause"},
			[]string{"save d/f", "resume d/f"}},
		{"chmod", func(w *world) { w.chmod("d/f") },
			[]string{"pause"},
			[]string{"save d/f", "resume d/f"}},
		{"written, but size and time set back", func(w *world) {
			was := w.files["d/f"].stamp.ModTime
			w.write("d/f", "CONTENT OF D/F").stamp.ModTime = was
		},
			[]string{"pause"},
			[]string{"forget d/f: changed", "retire: changed", "save d/f", "publish d/f"}},
		{"removed", func(w *world) { w.remove("d/f") },
			[]string{"pause"},
			[]string{"forget d/f: removed", "retire: removed"}},
		{"renamed", func(w *world) { w.rename("d/f", "d/g") },
			[]string{"pause"},
			[]string{"forget d/f: renamed", "retire: renamed", "save d/g from d/f", "publish d/g"}},
		{"moved, same name", func(w *world) { w.mkdir("e"); w.rename("d/f", "e/f") },
			[]string{"pause"},
			[]string{"save e/f from d/f", "resume e/f"}},
		{"moved, new name seen first", func(w *world) {
			w.mkdir("e")
			w.rename("d/f", "e/f")
			delete(w.core.touched, "d")
		},
			[]string{"pause"},
			[]string{"save e/f from d/f", "resume e/f"}},
		{"moved, old name seen first", func(w *world) {
			w.mkdir("e")
			w.rename("d/f", "e/f")
			delete(w.core.touched, "e")
			w.pass(second)
			w.event("e/f", renamed)
		},
			[]string{"pause"},
			[]string{"save e/f from d/f", "resume e/f"}},
		{"moved and written", func(w *world) { w.mkdir("e"); w.rename("d/f", "e/f"); w.write("e/f", "other") },
			[]string{"pause", "forget d/f: changed", "retire: changed"},
			[]string{"save e/f from d/f", "publish e/f"}},
		{"moved twice", func(w *world) {
			w.mkdir("e")
			w.rename("d/f", "e/f")
			w.pass(second)
			w.mkdir("g")
			w.rename("e/f", "g/f")
		},
			[]string{"pause"},
			[]string{"save g/f from d/f", "resume g/f"}},
		{"its directory renamed", func(w *world) { w.rename("d", "e") },
			[]string{"pause"},
			[]string{"save e/f from d/f", "resume e/f"}},
		{"hard link of another name", func(w *world) { w.link("d/f", "d/g") },
			[]string{"pause"},
			[]string{"save d/f", "resume d/f", "save d/g", "publish d/g"}},
		{"replaced by a rename", func(w *world) { w.write("new.tmp", "other"); w.pass(time.Minute); w.rename("new.tmp", "d/f") },
			[]string{"forget d/f: changed", "retire: changed"},
			[]string{"save d/f", "publish d/f"}},
		{"replaced by an equal copy with its times", func(w *world) {
			f := w.old("new.tmp", w.content("d/f"), 0)
			f.stamp.ModTime = w.files["d/f"].stamp.ModTime
			w.rename("new.tmp", "d/f")
		},
			[]string{"pause"},
			[]string{"save d/f", "resume d/f"}},
		{"replaced by a symbolic link", func(w *world) { w.remove("d/f"); w.put("d/f", symlink) },
			[]string{"pause"},
			[]string{"forget d/f: removed", "retire: removed"}},
		{"hidden by a rename", func(w *world) { w.rename("d/f", "d/.f") },
			[]string{"pause"},
			[]string{"forget d/f: removed", "retire: removed"}},
		{"truncated", func(w *world) { w.write("d/f", "") },
			[]string{"forget d/f: changed", "retire: changed"}, nil},
	}
	for _, tt := range tests {
		for _, lost := range []bool{false, true} {
			name := tt.name
			if lost {
				if strings.Contains(name, "seen first") {
					continue
				}
				name += "/events lost"
			}
			t.Run(name, func(t *testing.T) {
				w := with(t, "d/f")
				w.deaf = lost
				tt.do(w)
				if lost {
					w.core.rescan(w.now)
				}
				w.pass(100 * time.Millisecond)
				require.Equal(t, tt.first, w.told(), "at once")
				require.NotEqual(t, Published, w.stateIfAny("d/f"))
				w.pass(30 * second)
				// Of two files either may be first; the order for one is held by world.obey.
				require.ElementsMatch(t, tt.then, w.told(), "later")
				w.settledLike(t)
			})
		}
	}
}

func (w *world) stateIfAny(path string) State {
	e, ok := w.view.lookup(path)
	if !ok {
		return numStates
	}
	return e.State
}

// settledLike requires that the catalog is what a new one of the same directory
// is, once all is at rest.
func (w *world) settledLike(t *testing.T) {
	fresh := newWorld(t, w.cfg)
	fresh.files, fresh.now = w.files, w.now
	fresh.start()
	fresh.pass(5 * time.Minute)
	require.Equal(t, fresh.snapshot(), w.snapshot())
	require.Equal(t, fresh.view.sum().States, w.view.sum().States)
	require.ElementsMatch(t, fresh.recorded(), w.recorded(), "what the Store has")
	for hash, v := range w.published {
		require.NotNil(t, v, "still paused")
		w.requireTrue(v)
		require.Contains(t, fresh.published, hash)
	}
	require.Len(t, w.published, len(fresh.published))
}

func (w *world) recorded() (list []string) {
	for _, r := range w.records {
		list = append(list, r.Path+" "+r.InfoHash.String())
	}
	return list
}

// snapshot returns a line for each entry, without what depends on time.
func (w *world) snapshot() []string {
	var all []string
	var walk func(dir string)
	walk = func(dir string) {
		list, ok := w.view.list(dir)
		require.True(w.t, ok, dir)
		for _, e := range list {
			all = append(all, fmt.Sprintf("%s: %s, dir %t, unit %t, in %t %q, hidden %t, size %d, files %d, %s",
				e.Path, e.Describe(), e.Dir, e.Unit, e.InUnit, e.In, e.Hidden, e.Size, e.Files, e.InfoHash))
			if _, listed := w.view.dirs[e.Path]; listed {
				walk(e.Path)
			}
		}
	}
	walk("")
	return all
}

func TestStorageThatSawAChangeIsBelieved(t *testing.T) {
	w := with(t, "f")
	w.core.recheck(w.now, w.entry("f").InfoHash)
	w.run()
	require.Equal(t, []string{"pause"}, w.told())
	require.Contains(t, w.entry("f").Describe(), "checked again")
	w.pass(3 * second)
	require.Equal(t, []string{"save f", "resume f"}, w.told())

	w.deaf = true
	hash := w.entry("f").InfoHash
	w.write("f", "other")
	w.core.recheck(w.now, hash)
	w.pass(100 * time.Millisecond)
	require.Equal(t, []string{"pause", "forget f: changed", "retire: changed"}, w.told())
}

func TestRecheckOfAnUnknownTorrentIsIgnored(t *testing.T) {
	w := with(t, "f")
	w.core.recheck(w.now, [20]byte{1})
	w.pass(time.Minute)
	require.Empty(t, w.told())
}

func TestChangeWhileHashingStartsAnew(t *testing.T) {
	for _, change := range []struct {
		name string
		do   func(w *world)
	}{
		{"seen by an event", func(w *world) { w.write("f", "other"); w.pass(100 * time.Millisecond) }},
		{"seen by the hasher", func(w *world) { w.deaf = true; w.write("f", "other") }},
	} {
		t.Run(change.name, func(t *testing.T) {
			w := newWorld(t, Config{}).start()
			w.holdHash = true
			w.write("f", "one")
			w.pass(11 * second)
			require.Equal(t, "hashing 0 %", w.entry("f").Describe())
			w.core.progressed(w.hashing[0], 0.42)
			w.run()
			require.Equal(t, "hashing 42 %", w.entry("f").Describe())

			change.do(w)
			w.holdHash = false
			w.run()
			require.Empty(t, w.told())
			require.Equal(t, Settling, w.state("f"))
			w.pass(11 * second)
			require.Equal(t, []string{"save f", "publish f"}, w.told())
		})
	}
}

func TestRemovalWhileHashing(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.holdHash = true
	w.write("f", "one")
	w.pass(11 * second)
	w.remove("f")
	w.pass(second)
	require.Len(t, w.core.cancelled, 1)
	w.holdHash = false
	w.pass(time.Minute)
	require.Empty(t, w.told())
	require.False(t, w.has("f"))
	require.Zero(t, w.view.sum().Queue)
}

func TestEqualFilesAreOneTorrent(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("a/f", "same")
	w.pass(11 * second)
	w.write("b/f", "same")
	w.pass(11 * second)
	require.Equal(t, []string{"save a/f", "publish a/f", "save b/f"}, w.told())
	require.Equal(t, w.entry("a/f").InfoHash, w.entry("b/f").InfoHash)
	require.Equal(t, 1, w.view.sum().Torrents)
	require.Equal(t, 2, w.view.sum().Count(Published))

	w.write("a/f", "other")
	w.pass(second)
	require.Equal(t, []string{"forget a/f: changed", "resume b/f"}, w.told())
	w.remove("b/f")
	w.pass(5 * second)
	require.Equal(t, []string{"pause", "forget b/f: removed", "retire: removed"}, w.told())
}

func TestDirectoryThatCannotBeReadRetiresNothing(t *testing.T) {
	w := with(t, "d/f")
	w.unlisted["d"] = true
	w.core.rescan(w.now)
	w.pass(second)
	require.Empty(t, w.told())
	require.Equal(t, Published, w.state("d/f"))
	require.Equal(t, "directory: cannot be read: input/output error", w.entry("d").Describe())
	delete(w.unlisted, "d")
	w.pass(2 * time.Minute)
	require.Equal(t, "directory", w.entry("d").Describe())
}

func TestRescanIsPeriodic(t *testing.T) {
	for _, tt := range []struct {
		cfg   Config
		every time.Duration
	}{
		{Config{}, time.Minute},
		{Config{Poll: true}, 10 * second},
		{Config{Rescan: 5 * second, Poll: true}, 5 * second},
	} {
		w := newWorld(t, tt.cfg).start()
		w.deaf = true
		w.pass(second)
		w.write("f", "x")
		w.pass(tt.every - 2*second)
		require.False(t, w.has("f"))
		w.pass(2 * second)
		require.True(t, w.has("f"))
	}
	w := newWorld(t, Config{Rescan: -1}).start()
	require.True(t, w.core.deadline().IsZero())
}

func TestWatchesThatCannotBeHadAreMadeUpForByScans(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.core.unwatched(w.now, nil)
	w.deaf = true
	w.write("f", "x")
	w.pass(11 * second)
	require.True(t, w.has("f"))
	require.Len(t, w.notes, 1)
}
