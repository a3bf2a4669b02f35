package catalog

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const second = time.Second

func TestFileIsPublishedAfterQuiet(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("a.iso", "hello")
	w.pass(second)
	require.Equal(t, "settling: written a moment ago", w.entry("a.iso").Describe())
	w.pass(8 * second)
	require.Equal(t, Settling, w.state("a.iso"))
	w.pass(2 * second)
	require.Equal(t, []string{"save a.iso", "publish a.iso"}, w.told())
	e := w.entry("a.iso")
	require.Equal(t, "published", e.Describe())
	require.NotZero(t, e.InfoHash)
	require.EqualValues(t, 5, e.Size)
}

func TestSettling(t *testing.T) {
	tests := []struct {
		name string
		do   func(w *world)
		// early is when it is not yet published, late when it is.
		early, late time.Duration
	}{
		{"written", func(w *world) { w.write("f", "x") }, 9 * second, 11 * second},
		{"renamed into place", func(w *world) { w.write("f.part", "x"); w.pass(second); w.rename("f.part", "f") }, 1 * second, 3 * second},
		{"renamed from outside", func(w *world) {
			w.old("f", "x", time.Hour)
			w.files["f"].stamp.ChangeTime = w.now.UnixNano()
			w.core.touched[""]["f"] = 0
		}, 1 * second, 3 * second},
		{"renamed, then written", func(w *world) {
			w.write("f.part", "x")
			w.rename("f.part", "f")
			w.pass(second)
			w.write("f", "xy")
		}, 9 * second, 11 * second},
		{"growing", func(w *world) {
			for range 20 {
				w.files["f"] = w.write("f", w.content("f")+"x")
				w.pass(3 * second)
			}
		}, 6 * second, 9 * second},
		{"same stamp, but a write was seen", func(w *world) {
			w.write("f", "x")
			w.pass(5 * second)
			w.event("f", wrote)
		}, 9 * second, 11 * second},
		{"open for writing", func(w *world) {
			w.write("f", "x").writers = somebody
			w.pass(time.Hour)
			require.Equal(w.t, "settling: open for writing", w.entry("f").Describe())
			w.files["f"].writers = nobody
		}, 0, 3 * second},
		{"writers cannot be seen", func(w *world) { w.write("f", "x").writers = cannotSee }, 59 * second, 61 * second},
		{"writers cannot be seen, and it is renamed", func(w *world) {
			w.write("f.part", "x").writers = cannotSee
			w.pass(55 * second)
			w.rename("f.part", "f")
		}, 59 * second, 61 * second},
		{"changed without an event", func(w *world) {
			w.write("f", "x")
			w.pass(5 * second)
			w.deaf = true
			w.write("f", "xy")
		}, 14 * second, 17 * second},
		{"empty at first", func(w *world) {
			w.write("f", "")
			w.pass(9 * second)
			w.write("f", "x")
		}, 9 * second, 11 * second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{Rescan: -1}).start()
			tt.do(w)
			w.pass(tt.early)
			require.Equal(t, Settling, w.state("f"), "too early")
			require.Empty(t, w.told())
			w.pass(tt.late - tt.early)
			require.Equal(t, Published, w.state("f"), w.entry("f").Describe())
		})
	}
}

func (w *world) content(path string) string {
	if f := w.files[path]; f != nil {
		return f.content
	}
	return ""
}

func TestBlindStateSaysSo(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("f", "x").writers = cannotSee
	w.pass(20 * second)
	require.Equal(t, "settling: cannot see writers here, waits for a longer quiet", w.entry("f").Describe())
	require.Equal(t, w.now.Add(40*second), w.entry("f").Until.Round(second))
}

func TestSettleTimesAreConfigurable(t *testing.T) {
	w := newWorld(t, Config{Settle: second, SettleRenamed: 200 * time.Millisecond, SettleBlind: 3 * second}).start()
	w.write("a", "a")
	w.write("b", "b").writers = cannotSee
	w.write("c.part", "c")
	w.rename("c.part", "c")
	w.pass(400 * time.Millisecond)
	require.Equal(t, []State{Settling, Settling, Published}, []State{w.state("a"), w.state("b"), w.state("c")})
	w.pass(second)
	require.Equal(t, []State{Published, Settling}, []State{w.state("a"), w.state("b")})
	w.pass(2 * second)
	require.Equal(t, Published, w.state("b"))
}

func TestUnreadableFileIsTriedAgain(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("f", "x").unread = errors.New("permission denied")
	w.pass(11 * second)
	require.Equal(t, "failed: permission denied", w.entry("f").Describe())
	w.files["f"].unread = nil
	w.pass(20 * second)
	require.Equal(t, Published, w.state("f"))
}

func TestUnreadableFileIsLookedAtWhenItsModeChanges(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("f", "x").unread = errors.New("permission denied")
	w.pass(10 * time.Minute)
	w.files["f"].unread = nil
	w.chmod("f")
	w.pass(11 * second)
	require.Equal(t, Published, w.state("f"))
}

func TestEmptyFileHasNoTorrent(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("f", "")
	w.pass(time.Hour)
	require.Equal(t, "empty: no bytes, no torrent", w.entry("f").Describe())
	require.Empty(t, w.told())
	w.write("f", "x")
	w.pass(11 * second)
	require.Equal(t, Published, w.state("f"))
}

func TestTorrentFileIsAFileLikeAnyOther(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.write("x.torrent", "d4:infodee")
	w.pass(11 * second)
	require.Equal(t, Published, w.state("x.torrent"))
}

func TestPublisherThatRefusesIsAskedAgain(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.refuse = errors.New("no port")
	w.write("f", "x")
	w.pass(11 * second)
	require.Equal(t, "failed: cannot be seeded: no port", w.entry("f").Describe())
	w.refuse = nil
	w.pass(16 * second)
	require.Equal(t, []string{"save f", "publish f", "publish f"}, w.told())
	require.Equal(t, Published, w.state("f"))
}

func TestPublisherThatRefusedIsNotToldToRetire(t *testing.T) {
	w := newWorld(t, Config{}).start()
	w.refuse = errors.New("no port")
	w.write("f", "x")
	w.pass(11 * second)
	w.told()
	w.remove("f")
	w.pass(11 * second)
	require.Equal(t, []string{"forget f: removed"}, w.told())
}
