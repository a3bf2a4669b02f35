package piecepicker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// gated is a world in which all but the last unsent pieces were sent, and held by six proven peers.
func gated(t *testing.T, cfg Config) *world {
	w := draw(t, cfg, 100, "a\nb\nc\nd\ne\nf")
	for i := range uint32(96) {
		w.p.everSent.set(i)
		w.p.unsentLeft--
		w.p.pieces[i].sent = 1
		w.p.reclass(i)
	}
	for _, q := range w.p.peers[1:] {
		q.trust = Proven
		w.p.judge(q)
		w.p.touch(q)
	}
	for name := range w.ids {
		for i := range uint32(96) {
			if name != "f" || i < 80 {
				w.has(name, i)
			}
		}
	}
	w.now = w.now.Add(time.Second)
	w.next()
	return w
}

func TestGateKeepsTheLastPiecesUntilTheSlowHaveCaughtUp(t *testing.T) {
	w := gated(t, Config{})
	s := w.p.Status(w.now)
	require.Equal(t, Holding, s.Stage)
	require.Equal(t, 4, s.Held)
	require.Zero(t, s.Needed)
	require.Equal(t, int64(gateEvery), int64(w.p.Next(w.now).Sub(w.now)))
	for i := uint32(80); i < 94; i++ {
		w.has("f", i)
		require.Empty(t, w.offers(w.next()))
	}
	require.Contains(t, w.offers(w.after(gateEvery)), "offer:unsent")
	require.Zero(t, w.p.Status(w.now).Held)
}

func TestGateIsNotForSmallOrUnknownOrSuppliedSwarms(t *testing.T) {
	require.Zero(t, gated(t, Config{Gate: -1}).p.Status(start).Held)
	require.Zero(t, gated(t, Config{Mode: Balanced}).p.Status(start).Held)
	for name, change := range map[string]func(w *world){
		"four leeches": func(w *world) { w.leave("a"); w.leave("b") },
		"two of six passed nothing on": func(w *world) {
			for _, name := range []string{"a", "b"} {
				q := w.p.peers[w.ids[name]]
				q.trust, q.relay.served = Unproven, 1
			}
		},
		"a second origin": func(w *world) { w.p.otherOrigin = true },
	} {
		w := gated(t, Config{})
		require.Equal(t, 4, w.p.Status(w.now).Held)
		change(w)
		w.p.sweep()
		require.Zero(t, w.p.Status(w.now).Held, name)
	}
}

func TestGateDoesNotWaitForWhoGetsNothing(t *testing.T) {
	w := gated(t, Config{}) // f got eighty pieces in no time
	w.after(3 * time.Second)
	require.Equal(t, Holding, w.p.Status(w.now).Stage)
	w.after(3 * time.Second)
	require.Zero(t, w.p.Status(w.now).Held)
}

func TestGateWaitsLongerForWhoIsUsedToLess(t *testing.T) {
	w := gated(t, Config{})
	w.p.peers[w.ids["f"]].joined -= 100 * time.Second // a piece in 1.25 s: twenty in 25
	w.after(23 * time.Second)
	require.Equal(t, Holding, w.p.Status(w.now).Stage)
	w.after(4 * time.Second)
	require.Zero(t, w.p.Status(w.now).Held)
}

func TestGateDoesNotWaitForATrickle(t *testing.T) {
	w := gated(t, Config{})
	w.p.peers[w.ids["f"]].joined -= 8 * time.Second // ten in a second
	for i := uint32(80); i < 84; i++ {
		w.has("f", i)
		w.after(3 * time.Second)
	}
	require.Zero(t, w.p.Status(w.now).Held)
}

func TestGateOpensInTheEnd(t *testing.T) {
	w := gated(t, Config{MaxRate: 1 << 30})
	q := w.p.peers[w.ids["f"]]
	for range 9*60 + 50 {
		q.grew, q.stuck, q.lapse.since = w.p.now, false, w.p.now // as if it got something, but never enough
		w.after(time.Second)
	}
	require.Equal(t, Holding, w.p.Status(w.now).Stage)
	require.Zero(t, q.fed, "the clock of hunger stands still")
	for range 15 {
		q.grew, q.stuck, q.lapse.since = w.p.now, false, w.p.now
		w.after(time.Second)
	}
	require.Zero(t, w.p.Status(w.now).Held)
}
