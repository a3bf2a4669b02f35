package piecepicker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// starving is a world in which a, b and c get nothing from anybody; a whole copy is out, and verified.
func starving(t *testing.T, cfg Config) *world {
	w := draw(t, cfg, 200, "s all\nu all\n a\nb\nc")
	w.p.Audited(w.now, w.ids["s"], true)
	w.p.Audited(w.now, w.ids["u"], true)
	w.served()
	for _, name := range []string{"a", "b", "c"} {
		w.wants(name, true)
	}
	w.p.credits[Assist] = -1e12 // no assistance here
	return w
}

func TestStarvingPeerIsServedWhateverIsOut(t *testing.T) {
	w := starving(t, Config{MaxRate: 1 << 20})
	w.p.shunAll()
	w.after(89 * time.Second)
	w.p.forgiveAll()
	require.Empty(t, w.offers(w.done))
	require.Contains(t, w.offers(w.after(3*time.Second)), "offer:starving")
	for _, d := range w.done {
		if d.Kind == KindOffer {
			require.Equal(t, Rescue, d.Class)
			require.GreaterOrEqual(t, d.Reason.After, 90*time.Second)
		}
	}
}

func TestWhoPassesOnIsRescuedFirstAndWithoutLimit(t *testing.T) {
	w := starving(t, Config{MaxRate: 1 << 20})
	w.p.peers[w.ids["b"]].trust = Proven
	w.p.peers[w.ids["c"]].trust = Hoarder
	for _, name := range []string{"b", "c"} {
		w.p.judge(w.p.peers[w.ids[name]])
	}
	w.p.shunAll()
	w.after(92 * time.Second)
	w.p.forgiveAll()
	w.after(time.Second)
	first := w.done[slices.IndexFunc(w.done, func(d Decision) bool { return d.Kind == KindOffer })]
	require.Equal(t, "b:offer:starving", w.offers([]Decision{first}))
	require.Len(t, w.giveAll("b", 50), 50)
	require.LessOrEqual(t, len(w.loans("a"))+len(w.loans("c")), 2)
}

func TestOthersShareAQuarterOfTheRate(t *testing.T) {
	const rate = 8 * blocks * unit
	w := starving(t, Config{MaxRate: rate})
	w.p.shunAll()
	w.after(92 * time.Second)
	w.p.forgiveAll()
	from := len(w.done)
	for range 30 {
		w.after(time.Second)
		for _, name := range []string{"a", "b", "c"} {
			for _, i := range w.loans(name) {
				w.give(name, i)
			}
		}
	}
	rescued := strings.Count(w.offers(w.done[from:]), "starving")
	require.LessOrEqual(t, rescued, 30*2+2)
	require.GreaterOrEqual(t, rescued, 30*2-4)
}

func TestPieceFromTheSwarmEndsTheRescue(t *testing.T) {
	w := starving(t, Config{MaxRate: 1 << 20})
	w.after(92 * time.Second)
	require.Greater(t, w.peer("a").Starving, starveAfter)
	w.has("a", 7)
	require.Zero(t, w.peer("a").Starving)
	w.after(time.Second)
	require.Len(t, w.p.starving, 2)
	require.NotContains(t, w.p.starving, w.p.peers[w.ids["a"]])
}

func TestNobodyStarvesOfWhatIsNotThere(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 20}, 9, "sent #........\n a #........\n b #........")
	w.p.shunAll()
	w.after(5 * time.Minute)
	require.Empty(t, w.p.starving)
}

func TestWhoPassesOnAndUsedToGetMuchStarvesSooner(t *testing.T) {
	w := starving(t, Config{MaxRate: 1 << 20})
	w.p.shunAll()
	for _, name := range []string{"a", "b"} {
		for i := range uint32(40) {
			w.has(name, i) // of the seeds, in no time
		}
	}
	q := w.p.peers[w.ids["a"]]
	q.trust = Proven
	w.p.judge(q)
	require.Equal(t, lullLeast, q.lull())
	w.after(14 * time.Second)
	w.p.forgiveAll()
	require.Empty(t, w.p.starving)
	w.after(4 * time.Second)
	require.Equal(t, []*peer{q}, w.p.starving, "b may have claimed what it says")
	require.Equal(t, lullMost, w.p.peers[w.ids["c"]].lull())
}
