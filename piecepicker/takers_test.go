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
