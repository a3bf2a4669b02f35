package piecepicker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// harmed is a world in which a whole copy is out, a, b and c get ten pieces a second of each other, and d gets two.
func harmed(t *testing.T) *world {
	w := draw(t, Config{MaxRate: 1 << 30}, 400, "sent "+strings.Repeat("#", 400)+"\na\nb\nc\nd")
	for name, id := range w.ids {
		w.p.Audited(w.now, id, true)
		w.wants(name, true)
		w.p.peers[id].trust = Proven
	}
	w.join("s", "all")
	w.p.Audited(w.now, w.ids["s"], true)
	w.p.sent, w.p.credits[Assist] = 400*blocks*unit, -1e12
	w.p.shunAll()
	w.getPieces(0, 100, 2)
	w.p.forgiveAll()
	w.done = nil
	return w
}

// getPieces gives a, b and c the pieces from..to of others, and d one in so many.
func (w *world) getPieces(from, to, every int) {
	for i := from; i < to; i++ {
		for _, name := range []string{"a", "b", "c"} {
			w.has(name, uint32(i))
		}
		if every > 0 && i%every == 0 {
			w.has("d", uint32(i))
		}
		w.after(100 * time.Millisecond)
	}
}

// TestWhoWillBeLateIsServed: where junk is sent, who has lost partners by it gets something of us, for an eighth of what was sent.
func TestWhoWillBeLateIsServed(t *testing.T) {
	w := harmed(t)
	w.getPieces(100, 130, 5)
	require.NotContains(t, w.offers(w.done), "harmed", "nobody sends junk")
	w.p.junk = w.p.now + junkKept
	w.done = nil
	for i := range 60 {
		w.getPieces(130+i, 131+i, 5)
		for _, k := range w.loans("d") {
			w.send("d", k, 0, 1)
			w.p.sent -= blocks * unit
			w.has("d", k)
		}
	}
	offers := w.offers(w.done)
	require.Equal(t, 400/harmedPart, strings.Count(offers, "d:offer:harmed"), offers)
	require.NotContains(t, offers, "a:offer")
}

// TestWhoGetsNothingAmongJunkStarvesSoon: nobody who got ten pieces a second waits a lull for the first of us.
func TestWhoGetsNothingAmongJunkStarvesSoon(t *testing.T) {
	w := harmed(t)
	w.p.junk = w.p.now + junkKept
	w.p.amends = 1 << 40 // nothing of that is left
	w.getPieces(100, 130, 1)
	w.done = nil
	w.getPieces(130, 138, 0)
	require.NotContains(t, w.offers(w.done), "d:offer:starving")
	w.getPieces(138, 170, 0)
	require.Contains(t, w.offers(w.done), "d:offer:starving")
	require.NotContains(t, w.offers(w.done), "a:offer")
}

// TestWhoHasFewPartnersComesFirst: among junk, what is needed goes to who gets less than most, unless it gets nothing: it would pass nothing on.
func TestWhoHasFewPartnersComesFirst(t *testing.T) {
	w := harmed(t)
	a, d := w.p.peers[w.ids["a"]], w.p.peers[w.ids["d"]]
	w.getPieces(100, 130, 2)
	require.Equal(t, 1.0, d.favour, "nobody sends junk")
	w.p.junk = w.p.now + junkKept
	w.getPieces(130, 160, 2)
	require.InDelta(t, 0.25, d.favour, 0.1)
	require.Equal(t, 1.0, a.favour)
	require.Less(t, w.p.needKey(d, rankFree), w.p.needKey(a, rankFree))
	w.getPieces(160, 240, 0)
	require.Equal(t, 1.0, d.favour)
}
