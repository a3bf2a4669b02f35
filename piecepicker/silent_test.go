package piecepicker

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestNewcomersDoNotWaitForGuests: of four leeches that nobody knows, that come two seconds after guests who ask for nothing, one has its
// first piece soon, though all that is needed may be lent to guests by then. No piece leaves twice.
func TestNewcomersDoNotWaitForGuests(t *testing.T) {
	for _, c := range []struct {
		pieces, guests int
		within         time.Duration // on the average
	}{
		{30, 20, 3 * time.Second}, {30, 100, 5 * time.Second}, {30, 300, 8 * time.Second}, // 15 guests a second
		{1000, 100, 2 * time.Second}, {1000, 1000, 3 * time.Second}, {1000, 2000, 4 * time.Second},
	} {
		if raceEnabled && c.guests >= 1000 {
			continue // nothing here runs beside anything else
		}
		for _, again := range []bool{false, true} {
			t.Run(fmt.Sprintf("%d pieces, %d guests, %v", c.pieces, c.guests, again), func(t *testing.T) {
				const seeds = 8
				var waited time.Duration
				for seed := range uint64(seeds) {
					g := newGuests(t, Conservative, c.pieces, seed)
					if again {
						g.come(0, true)
						g.download()
						g.leave()
					}
					g.come(c.guests, false)
					before, idle, sent := g.download()
					waited += time.Duration(before+idle) * time.Second / guestsRate
					require.Equal(t, c.pieces, sent)
				}
				t.Logf("%v", waited/seeds)
				require.LessOrEqual(t, waited/seeds, c.within)
			})
		}
	}
}

// TestSilenceIsNotOurSlowness: newcomers are not hurried while one of them waits for what it asked for, or nobody waits for them, or a piece
// takes long.
func TestSilenceIsNotOurSlowness(t *testing.T) {
	crowd := func(rate int64) *world {
		w := draw(t, Config{MaxRate: rate}, 2, "a\nb\nc\nd")
		require.Empty(t, w.show(w.after(time.Second), KindWithdraw))
		return w
	}
	withdrawn := func(w *world, after time.Duration) string { return w.show(w.after(after), KindWithdraw) }
	w := crowd(1 << 20)
	require.NotEmpty(t, withdrawn(w, 3*time.Second))

	w = crowd(1 << 20)
	for _, name := range []string{"a", "b", "c", "d"} {
		if lent := w.loans(name); len(lent) > 0 {
			w.p.Requested(w.now, w.ids[name], lent[0])
			break
		}
	}
	require.Empty(t, withdrawn(w, 8*time.Second), "somebody waits for us")

	w = draw(t, Config{MaxRate: 1 << 20}, 2, "a\nb")
	require.Empty(t, withdrawn(w, 8*time.Second), "nobody else is there")

	w = crowd(blocks * unit / 4)
	require.Empty(t, withdrawn(w, 6*time.Second), "a piece takes four seconds")
	require.NotEmpty(t, withdrawn(w, 4*time.Second))
}
