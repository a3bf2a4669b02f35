package piecepicker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ending is a world in which d became complete by piece 39, and a, b and c, who got ten pieces a second, lack just that.
func ending(t *testing.T) *world {
	w := draw(t, Config{MaxRate: 1 << 20}, 40, "sent "+strings.Repeat("#", 40)+"\na\nb\nc\nd")
	for name := range w.ids {
		w.p.Audited(w.now, w.ids[name], true)
	}
	w.p.shunAll()
	for i := range uint32(39) {
		for _, name := range []string{"a", "b", "c", "d"} {
			w.has(name, i)
		}
		w.after(100 * time.Millisecond)
	}
	for _, name := range []string{"a", "b", "c"} {
		w.p.peers[w.ids[name]].trust = Proven
		w.wants(name, true)
	}
	w.has("d", 39)
	w.p.forgiveAll()
	w.done = nil
	return w
}

// TestLastPieceOfTheStranded: libtorrent left whom the last piece made complete, and all need it from us.
func TestLastPieceOfTheStranded(t *testing.T) {
	w := ending(t)
	w.after(900 * time.Millisecond)
	require.Empty(t, w.offers(w.done))
	w.after(500 * time.Millisecond)
	require.Equal(t, "a:offer:stranded b:offer:stranded c:offer:stranded", w.offers(w.done))
	require.Equal(t, Rescue, w.done[len(w.done)-1].Class)
	require.Contains(t, w.done[len(w.done)-1].String(), "did not get it of the 1 complete peers for 1s")
	for _, name := range []string{"a", "b", "c"} {
		w.give(name, 39)
	}
	w.after(time.Minute)
	require.Equal(t, "a:offer:stranded b:offer:stranded c:offer:stranded", w.offers(w.done))
}

// TestWhoIsServedIsNotStranded: who lacks two pieces, or one that another such has, still has partners.
func TestWhoIsServedIsNotStranded(t *testing.T) {
	w := ending(t)
	w.p.credits[Assist] = -1e12 // no assistance here
	w.join("e", strings.Repeat("o", 38)+".#")
	w.after(4 * time.Second)
	require.NotContains(t, w.offers(w.done), "stranded")
	w.leave("e")
	w.after(time.Second)
	require.Contains(t, w.offers(w.done), "b:offer:stranded")
}
