package choke

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// round lets a round go by in which each peer gave what is said.
func (w *world) round(given map[int]int64) {
	for p, n := range given {
		w.c.Received(p, n)
	}
	w.now = w.now.Add(10 * time.Second)
	w.c.Advance(w.now, Load{Rate: 1 << 20})
	w.carryOut()
}

// "Reciprocation ... is managed by unchoking the four peers which have the best upload rate" (BEP 3): who gives most keeps a slot,
// and one goes round.
func TestTitForTat(t *testing.T) {
	w := newWorld(t, Config{Slots: 3})
	w.c.SetLeeching(true)
	w.join(0, 1, 2, 3, 4, 5)
	w.want(0, 1, 2, 3, 4, 5)
	require.Equal(t, []int{0, 1, 2}, w.unchoked(), "nothing is known of anybody")
	tried := map[int]bool{}
	for range 24 {
		w.round(map[int]int64{4: 1 << 20, 5: 1 << 21, 0: 1})
		for _, p := range w.unchoked() {
			tried[p] = true
		}
	}
	require.Subset(t, w.unchoked(), []int{4, 5})
	require.Len(t, w.unchoked(), 3)
	require.Len(t, tried, 6, "the optimistic unchoke comes to everybody")
	w.leave(5)
	w.round(map[int]int64{4: 1 << 20, 0: 1})
	w.round(map[int]int64{4: 1 << 20, 0: 1})
	require.Subset(t, w.unchoked(), []int{0, 4}, "the next best has its place")
}

func TestOptimisticUnchokeLastsThirtySeconds(t *testing.T) {
	w := newWorld(t, Config{Slots: 1})
	w.c.SetLeeching(true)
	w.join(0, 1, 2)
	w.want(0, 1, 2)
	changes := 0
	for before := w.unchoked(); len(w.turns) < 3 && changes < 20; changes++ {
		w.round(nil)
		if now := w.unchoked(); now[0] != before[0] {
			before = now
		}
	}
	require.Len(t, w.turns, 3)
	require.GreaterOrEqual(t, changes, 3, "the first is found at once, the next three rounds later")
}

// Whatever happens while we leech, no more are unchoked than there are slots, and nobody flips twice within a round.
func TestLeechingProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, Config{Slots: rapid.IntRange(1, 4).Draw(rt, "slots")})
		w.c.SetLeeching(true)
		peer := func() int { return rapid.IntRange(0, 7).Draw(rt, "peer") }
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"join", "join", "want", "lose", "leave", "round", "round", "seed"}).Draw(rt, "step") {
			case "join":
				w.join(peer())
			case "want":
				w.want(peer())
			case "lose":
				w.c.SetInterested(w.now, peer(), false)
				w.carryOut()
			case "leave":
				w.leave(peer())
				w.carryOut()
			case "round":
				w.round(map[int]int64{peer(): int64(rapid.IntRange(0, 1000).Draw(rt, "given"))})
			case "seed":
				w.c.SetLeeching(rapid.Bool().Draw(rt, "leeching"))
			}
			require.LessOrEqual(rt, len(w.unchoked()), w.c.Slots())
		}
	})
}
