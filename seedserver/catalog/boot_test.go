package catalog

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOldFilesNeedNotWaitAtStart(t *testing.T) {
	w := newWorld(t, Config{})
	w.old("old", "o", time.Hour)
	w.old("young", "y", 3*second)
	w.old("open", "p", time.Hour).writers = somebody
	w.old("blind", "b", time.Hour).writers = cannotSee
	w.start()
	w.pass(0)
	require.Equal(t, Published, w.state("old"))
	require.Equal(t, "settling: written a moment ago", w.entry("young").Describe())
	require.Equal(t, "settling: open for writing", w.entry("open").Describe())
	require.Equal(t, "settling: cannot see writers here, waits for a longer quiet", w.entry("blind").Describe())
	w.pass(8 * second)
	require.Equal(t, Published, w.state("young"))
	w.pass(53 * second)
	require.Equal(t, Published, w.state("blind"))
	require.Equal(t, Settling, w.state("open"))
}

func TestModificationTimeInTheFutureIsNow(t *testing.T) {
	w := newWorld(t, Config{})
	w.old("f", "o", -time.Hour)
	w.start()
	w.pass(9 * second)
	require.Equal(t, Settling, w.state("f"))
	w.pass(2 * second)
	require.Equal(t, Published, w.state("f"))
}

func TestRestart(t *testing.T) {
	tests := []struct {
		name  string
		while func(w *world) // the server does not run
		want  []string
		hash  []string // what is hashed again
	}{
		{"nothing changed", func(*world) {}, []string{"publish d/f", "publish u"}, nil},
		{"chmod", func(w *world) { w.chmod("d/f") }, []string{"publish u", "save d/f", "publish d/f"}, []string{"d/f"}},
		{"written", func(w *world) { w.write("d/f", "other") },
			[]string{"forget d/f: changed", "publish u", "save d/f", "publish d/f"}, []string{"d/f"}},
		{"removed", func(w *world) { w.remove("d/f") },
			[]string{"publish u", "forget d/f: removed while the server was not running"}, nil},
		{"renamed", func(w *world) { w.rename("d/f", "d/g") },
			[]string{"publish u", "forget d/f: renamed", "save d/g from d/f", "publish d/g"}, []string{"d/g"}},
		{"moved", func(w *world) { w.mkdir("e"); w.rename("d/f", "e/f") },
			[]string{"publish u", "save e/f from d/f", "publish e/f"}, []string{"e/f"}},
		{"renamed and written", func(w *world) { w.rename("d/f", "d/g"); w.write("d/g", "other") },
			[]string{"publish u", "forget d/f: renamed", "save d/g from d/f", "publish d/g"}, []string{"d/g"}},
		{"left out now", func(w *world) { w.write("d/"+rulesName, `exclude = ["f"]`) },
			[]string{"publish u", "forget d/f: removed while the server was not running"}, nil},
		{"unit: file written", func(w *world) { w.write("u/a", "other") },
			[]string{"publish d/f", "forget u: changed", "save u", "publish u"}, []string{"u"}},
		{"unit: file added", func(w *world) { w.write("u/c", "c") },
			[]string{"publish d/f", "forget u: changed", "save u", "publish u"}, []string{"u"}},
		{"unit: chmod", func(w *world) { w.chmod("u/a") },
			[]string{"publish d/f", "save u", "publish u"}, []string{"u"}},
		{"unit: moved", func(w *world) { w.mkdir("e"); w.rename("u", "e/u") },
			[]string{"publish d/f", "save e/u from u", "publish e/u"}, []string{"e/u"}},
		{"unit: removed", func(w *world) { w.remove("u") },
			[]string{"publish d/f", "forget u: removed while the server was not running"}, nil},
		{"unit: no more", func(w *world) { w.remove("u/" + rulesName) },
			[]string{"publish d/f", "forget u: removed while the server was not running",
				"save u/a", "publish u/a", "save u/b", "publish u/b"}, []string{"u/a", "u/b"}},
		{"private now", func(w *world) { w.cfg.Private = true },
			[]string{"forget d/f: changed", "forget u: changed", "save d/f", "publish d/f", "save u", "publish u"}, []string{"d/f", "u"}},
		{"another piece length now", func(w *world) { w.cfg.PieceLength = 1 << 20 },
			[]string{"forget d/f: changed", "forget u: changed", "save d/f", "publish d/f", "save u", "publish u"}, []string{"d/f", "u"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, Config{}).start()
			w.write("d/f", "content")
			w.write("u/"+rulesName, "unit = true")
			w.write("u/a", "aa")
			w.write("u/b", "bb")
			w.pass(11 * second)
			require.Len(t, w.records, 2)
			w.pass(time.Hour)

			w.core = nil
			tt.while(w)
			w.pass0(time.Minute)
			w.start()
			w.pass(time.Minute)
			require.ElementsMatch(t, tt.want, w.told())
			require.ElementsMatch(t, tt.hash, w.hashed)
			w.settledLike(t)
		})
	}
}

// pass0 lets time go by while no server runs.
func (w *world) pass0(d time.Duration) { w.now = w.now.Add(d) }

func TestUnchangedFilesAreServedBeforeTheTreeIsSeen(t *testing.T) {
	w := with(t, "a/f", "b/g")
	w.core = nil
	w.start()
	require.ElementsMatch(t, []string{"publish a/f", "publish b/g"}, w.told(), "no time passed")
	require.Empty(t, w.hashed)
}

func TestPublishedTimeSurvives(t *testing.T) {
	w := with(t, "d/f")
	first := w.published[w.entry("d/f").InfoHash].Published
	w.pass(time.Hour)
	w.chmod("d/f")
	w.pass(time.Minute)
	w.start()
	w.pass(time.Minute)
	require.Equal(t, first, w.published[w.entry("d/f").InfoHash].Published)
}

func TestUnreadableDirectoryAtStartRetiresNothing(t *testing.T) {
	w := with(t, "d/f", "e/g")
	w.unlisted["d"] = true
	w.start()
	w.pass(30 * second)
	require.Equal(t, []string{"publish e/g"}, w.told())
	require.Len(t, w.records, 2)
	delete(w.unlisted, "d")
	w.pass(2 * time.Minute)
	require.Equal(t, []string{"publish d/f"}, w.told())
	require.Empty(t, w.hashed)
}

func TestDamagedRecordsAreHashedAgain(t *testing.T) {
	for name, damage := range map[string]func(r *Record){
		"pieces": func(r *Record) { r.PieceLength = 0 },
		"name":   func(r *Record) { r.Name = "g" },
		"size":   func(r *Record) { r.Stamp.Size++ },
		"kind":   func(r *Record) { r.Unit = true },
	} {
		w := with(t, "f")
		damage(&w.records[0])
		w.start()
		w.pass(20 * second)
		require.Equal(t, []string{"forget f: changed", "save f", "publish f"}, w.told(), name)
	}
}

// TestRestartAtRandom does random things while the server does and does not
// run, and compares with a catalog that knows nothing.
func TestRestartAtRandom(t *testing.T) {
	for seed := range uint64(40) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		w := newWorld(t, Config{}).start()
		w.lenient = true
		for range 6 {
			for range rnd.IntN(8) {
				w.randomly(rnd)
				w.pass(time.Duration(rnd.IntN(4000)) * time.Millisecond)
			}
			if rnd.IntN(2) == 0 {
				w.pass(20 * second)
			}
			w.deaf = true
			for range rnd.IntN(4) {
				w.randomly(rnd)
			}
			w.deaf = false
			w.start()
		}
		w.comeToRest()
	}
}
