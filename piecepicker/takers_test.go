package piecepicker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLeechAmongTakersThatTakeNothing: liars that stay takers, since they leave out a piece or many, hold what they are lent for moments
// only: a leech that is alone with them has something to ask for all the time, whenever it comes and whatever it gave.
func TestLeechAmongTakersThatTakeNothing(t *testing.T) {
	const pieces, liars, perSecond = 200, 20, 16
	for name, had := range map[string]string{
		"all but one": strings.Repeat("o", pieces-1) + ".",
		"half":        strings.Repeat("o.", pieces/2),
		"nothing":     strings.Repeat(".", pieces),
	} {
		for when, before := range map[string]time.Duration{"as they come": 0, "when they hold all": 5 * time.Second, "when they were found out": 45 * time.Second} {
			t.Run(name+", "+when, func(t *testing.T) {
				w := draw(t, Config{MaxRate: perSecond * blocks * unit}, pieces, "sent "+strings.Repeat("#", pieces))
				for n := range liars {
					name := string(rune('A' + n))
					w.join(name, had)
					w.wants(name, true)
				}
				w.after(before)
				w.join("z", "")
				w.wants("z", true)
				idle := 0
				for w.peer("z").Pieces < pieces {
					if len(w.giveAll("z", 1)) == 0 {
						idle++
					}
					w.after(time.Second / perSecond)
					require.Less(t, idle, 100*perSecond, "has %d pieces", w.peer("z").Pieces)
				}
				t.Logf("%.1f s idle", float64(idle)/perSecond)
				require.LessOrEqual(t, idle, 5*perSecond)
			})
		}
	}
}

// TestNewcomersMayHaveWhatGuestsHeld: what came back from those who took nothing is not lent to another of them, while somebody takes pieces;
// but a newcomer may have it, though nothing else is left.
func TestNewcomersMayHaveWhatGuestsHeld(t *testing.T) {
	w := draw(t, Config{MaxRate: 16 * blocks * unit}, 4, "g\nh")
	w.wants("g", true)
	w.wants("h", true)
	w.now = w.now.Add(time.Millisecond)
	w.next()
	require.Len(t, append(w.loans("g"), w.loans("h")...), 4)
	w.join("a", "")
	a := w.p.peers[w.ids["a"]]
	a.relay.served, a.lags = 1, true // it took pieces, and is busy reading
	w.p.touch(a)
	returned := w.after(5 * time.Second)
	require.Equal(t, 4, strings.Count(w.show(returned, KindWithdraw), "not-started"))
	for _, name := range []string{"g", "h"} {
		q := w.p.peers[w.ids[name]]
		q.shuns, q.shunned = 0, 0 // as if it had held nothing for long
		w.p.touch(q)
	}
	require.Empty(t, w.offers(w.after(2*time.Second)), "for those who held it")
	w.join("n", "")
	require.Contains(t, w.offers(w.next()), "n:offer:unsent")
	w.giveAll("n", 4)
	require.Equal(t, 4, w.peer("n").Pieces)
}
