package catalog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// photos returns a world in which the unit "photos" of three files, one of them
// empty, is published, and nothing was told.
func photos(t *testing.T) *world {
	w := newWorld(t, Config{}).start()
	w.write("photos/"+rulesName, "unit = true")
	w.write("photos/b.jpg", "bbb")
	w.write("photos/a/1.jpg", "11")
	w.write("photos/a/empty", "")
	w.write("photos/.DS_Store", "junk")
	w.write("photos/core", "junk")
	w.pass(11 * second)
	require.Equal(t, []string{"save photos", "publish photos"}, w.told())
	return w
}

func TestUnitIsOneTorrent(t *testing.T) {
	w := photos(t)
	e := w.entry("photos")
	require.Equal(t, Published, e.State)
	require.True(t, e.Unit)
	require.EqualValues(t, 5, e.Size)
	require.Equal(t, 3, e.Files)
	v := w.published[e.InfoHash]
	require.True(t, v.Unit)
	require.Equal(t, "photos", v.Name)
	require.Len(t, v.Members, 3)
	require.Equal(t, []string{"photos/a/1.jpg", "photos/a/empty", "photos/b.jpg"},
		[]string{v.Members[0].Path, v.Members[1].Path, v.Members[2].Path})

	inside := w.entry("photos/a/1.jpg")
	require.Equal(t, e.InfoHash, inside.InfoHash)
	require.Equal(t, Published, inside.State)
	require.True(t, inside.InUnit)
	require.Equal(t, "photos", inside.In)
	require.Equal(t, Published, w.entry("photos/a").State)
	require.Equal(t, LeftOut, w.state("photos/core"))
	require.Equal(t, LeftOut, w.state("photos/"+rulesName))
	require.Equal(t, 1, w.view.sum().Count(Published))
}

func TestUnitChanges(t *testing.T) {
	again := []string{"save photos", "publish photos"}
	changed := []string{"forget photos: changed", "retire: changed"}
	tests := []struct {
		name        string
		do          func(w *world)
		first, then []string
	}{
		{"file written", func(w *world) { w.write("photos/a/1.jpg", "22") }, changed, again},
		{"file added", func(w *world) { w.write("photos/c.jpg", "c") }, changed, again},
		{"file removed", func(w *world) { w.remove("photos/a/1.jpg") }, changed, again},
		{"empty file removed", func(w *world) { w.remove("photos/a/empty") }, changed, again},
		{"directory removed", func(w *world) { w.remove("photos/a") }, changed, again},
		{"file renamed", func(w *world) { w.rename("photos/b.jpg", "photos/c.jpg") }, changed, again},
		{"file hidden", func(w *world) { w.rename("photos/b.jpg", "photos/.b.jpg") }, changed, again},
		{"junk added", func(w *world) { w.write("photos/.hidden", "x") }, nil, nil},
		{"symbolic link added", func(w *world) { w.put("photos/link", symlink) }, nil, nil},
		{"chmod of a file", func(w *world) { w.chmod("photos/a/1.jpg") }, []string{"pause"}, []string{"save photos", "resume photos"}},
		{"moved", func(w *world) { w.mkdir("x"); w.rename("photos", "x/photos") },
			[]string{"pause"}, []string{"save x/photos from photos", "resume x/photos"}},
		{"renamed", func(w *world) { w.rename("photos", "pictures") },
			[]string{"pause"}, []string{"forget photos: renamed", "retire: renamed", "save pictures from photos", "publish pictures"}},
		{"removed", func(w *world) { w.remove("photos") }, []string{"pause"}, []string{"forget photos: removed", "retire: removed"}},
		{"all files removed", func(w *world) { w.remove("photos/a"); w.remove("photos/b.jpg") }, changed, nil},
	}
	for _, tt := range tests {
		for _, lost := range []bool{false, true} {
			name := tt.name
			if lost {
				name += "/events lost"
			}
			t.Run(name, func(t *testing.T) {
				w := photos(t)
				w.deaf = lost
				tt.do(w)
				if lost {
					w.core.rescan(w.now)
				}
				w.pass(100 * time.Millisecond)
				require.Equal(t, tt.first, w.told(), "at once")
				w.pass(30 * second)
				require.Equal(t, tt.then, w.told(), "later")
				w.settledLike(t)
			})
		}
	}
}

func TestUnitWaitsForAllItsFiles(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("u/"+rulesName, "unit = true")
	w.write("u/a", "a")
	w.pass(8 * second)
	w.write("u/b", "b")
	w.pass(8 * second)
	require.Equal(t, Settling, w.state("u"))
	w.files["u/a"].writers = somebody
	w.pass(time.Minute)
	require.Equal(t, "settling: open for writing", w.entry("u/b").Describe())
	w.files["u/a"].writers = nobody
	w.pass(3 * second)
	require.Equal(t, Published, w.state("u"))
}

func TestUnitWaitsForTemporaryFiles(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("u/"+rulesName, "unit = true")
	w.write("u/a", "a")
	w.write("u/b.part", "b").writers = somebody
	w.pass(time.Minute)
	require.Equal(t, Settling, w.state("u"))
	require.Equal(t, Temporary, w.state("u/b.part"))
	w.files["u/b.part"].writers = nobody
	w.pass(3 * second)
	require.Equal(t, Published, w.state("u"), "a temporary file that nobody writes is left out")
	require.Equal(t, 1, w.entry("u").Files)
}

func TestUnitOfNoBytesIsEmpty(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("u/"+rulesName, "unit = true")
	w.write("u/a", "")
	w.pass(11 * second)
	require.Equal(t, Empty, w.state("u"))
	require.Empty(t, w.told())
}

func TestUnitByPattern(t *testing.T) {
	w := newWorld(t, Config{Units: []string{"albums/*", "whole"}}).start()
	w.write("albums/one/1.ogg", "1")
	w.write("albums/single.ogg", "s")
	w.write("x/whole/f", "f")
	w.write("x/other/f", "f")
	w.pass(11 * second)
	for path, unit := range map[string]bool{"albums": false, "albums/one": true, "x/whole": true, "x/other": false, "x": false} {
		require.Equal(t, unit, w.entry(path).Unit, path)
	}
	require.Equal(t, Published, w.state("albums/single.ogg"))
	require.ElementsMatch(t, []string{
		"save albums/one", "publish albums/one", "save albums/single.ogg", "publish albums/single.ogg",
		"save x/whole", "publish x/whole", "save x/other/f", "publish x/other/f",
	}, w.told())
}

func TestUnitInsideAUnitIsPartOfIt(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("u/"+rulesName, "unit = true")
	w.write("u/v/"+rulesName, "unit = true")
	w.write("u/v/f", "f")
	w.pass(11 * second)
	require.Equal(t, []string{"save u", "publish u"}, w.told())
	require.False(t, w.entry("u/v").Unit)
	require.Equal(t, "u", w.entry("u/v/f").In)
}

func TestTheWholeDirectoryAsUnit(t *testing.T) {
	w := newWorld(t, Config{})
	w.write(rulesName, "unit = true")
	w.write("d/f", "f")
	w.write("g", "g")
	w.start()
	w.pass(11 * second)
	require.Equal(t, []string{"save ", "publish "}, w.told())
	v := w.published[w.entry("").InfoHash]
	require.Equal(t, "top", v.Name)
	require.Equal(t, "d/f", v.Members[0].Path)
	require.Equal(t, Published, w.entry("d").State)
	w.start()
	require.Equal(t, []string{"publish "}, w.told())
}

func TestDirectoryBecomesAUnitAndBack(t *testing.T) {
	w := with(t, "d/a", "d/e/b")
	w.write("d/"+rulesName, "unit = true")
	w.pass(3 * second)
	require.ElementsMatch(t, []string{
		"forget d/a: part of a unit now", "retire: part of a unit now",
		"forget d/e/b: part of a unit now", "retire: part of a unit now",
	}, w.told())
	w.pass(11 * second)
	require.Equal(t, []string{"save d", "publish d"}, w.told())
	w.settledLike(t)

	w.remove("d/" + rulesName)
	w.pass(3 * second)
	require.Equal(t, []string{"forget d: no unit any more", "retire: no unit any more"}, w.told())
	w.pass(11 * second)
	require.Equal(t, Published, w.state("d/e/b"))
	require.False(t, w.entry("d").Unit)
	w.settledLike(t)
}

// TestPoliciesComeWithTheVersion: the Publisher is told what the directories above say of policy, the outermost first.
func TestPoliciesComeWithTheVersion(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write(rulesName, `mode = "generous"`)
	w.write("quiet/"+rulesName, `exclude = ["*.bak"]`)
	w.write("quiet/deep/"+rulesName, "unit = true\nmode = \"plain\"")
	w.write("quiet/deep/f", "f")
	w.write("top", "t")
	w.pass(11 * second)
	generous, plain := map[string]any{"mode": "generous"}, map[string]any{"mode": "plain"}
	require.Equal(t, []map[string]any{generous, plain}, w.published[w.entry("quiet/deep").InfoHash].Policies)
	require.Equal(t, []map[string]any{generous}, w.published[w.entry("top").InfoHash].Policies)
}
