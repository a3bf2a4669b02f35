package piecepicker

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const fullRate = 8 * blocks * unit

// carriers draws a torrent of 4000 pieces with n seeds that have shown it, and leeches a and b that have nothing.
func carriers(t *testing.T, mode Mode, n int) *world {
	w := draw(t, Config{Mode: mode, MaxRate: fullRate}, 4000, "a\nb")
	for k := range n {
		name := fmt.Sprintf("s%d", k)
		w.join(fmt.Sprintf("%s@10.2.%d.1", name, k), "all")
		w.p.Audited(w.now, w.ids[name], true)
	}
	w.served()
	return w
}

// live lets the leeches take what they are offered for so many seconds, and get a piece of the seeds in each of them, if they serve.
func (w *world) live(seconds int, served bool) (taken int) {
	for range seconds {
		for _, name := range []string{"a", "b"} {
			for _, i := range w.loans(name) {
				w.give(name, i)
				taken++
			}
			for i := range uint32(len(w.p.pieces)) {
				if served && !w.p.peer(w.ids[name]).has(i) {
					w.has(name, i)
					break
				}
			}
		}
		w.after(time.Second)
	}
	return taken
}

func (w *world) assists() int64 { return w.p.Status(w.now).Rates.Assist }

// "The rate falls to the floor within 60 s of their audits; when both leave, a newcomer is served within 5 s."
func TestTwoAuditedSeedsCarryIt(t *testing.T) {
	const floor = blocks * unit / 600
	for _, tc := range []struct {
		mode    Mode
		copies  int
		carried bool
	}{
		{Conservative, 1, false}, {Conservative, 2, true}, {Conservative, 3, true},
		{Balanced, 7, false}, {Balanced, 8, true}, {Generous, 20, false},
	} {
		if raceEnabled && tc.copies > 2 {
			continue // nothing here runs beside anything else
		}
		t.Run(fmt.Sprintf("%v mode, %d copies", tc.mode, tc.copies), func(t *testing.T) {
			w := carriers(t, tc.mode, tc.copies)
			w.live(60, true)
			require.Equal(t, tc.carried, w.p.Status(w.now).Carried)
			require.Equal(t, tc.carried, w.assists() == floor, "%d", w.assists())
			if !tc.carried {
				return
			}
			require.LessOrEqual(t, w.live(20*60, true), 2+2, "a piece in ten minutes, and two that were saved")
			for len(w.names) > 2 {
				for name := range w.ids {
					if name[0] == 's' {
						w.leave(name)
						break
					}
				}
			}
			w.join("c", "")
			require.Contains(t, w.offers(w.next()), "c:offer:", "what is lost goes at full rate at once")
			w.after(time.Second)
			require.EqualValues(t, fullRate, w.assists())
		})
	}
}

// A seed that answers audits and serves nobody is two-faced. It does not keep us away: leeches that get nothing show it.
func TestTwoFacedSeedsCarryNothing(t *testing.T) {
	w := carriers(t, Conservative, 2)
	before := w.live(60, false)
	require.True(t, w.p.Status(w.now).Carried)
	w.live(35, false)
	require.False(t, w.p.Status(w.now).Carried, "both starve")
	got := w.live(60, false)
	require.Greater(t, got, before)
	require.GreaterOrEqual(t, got, 60*8/4, "a quarter of the rate and more")
}
