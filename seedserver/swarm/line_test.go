package swarm

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// share lets n writers of each lane ask for a block again and again, and returns how many of so many turns strangers had.
func share(t *testing.T, l *line, known, strangers, turns int) (had int) {
	ctx, cancel := context.WithCancel(t.Context())
	gate, total := make(chan bool), 0
	for i := range known + strangers {
		go func() {
			for l.enter(ctx, i >= known, 16<<10) == nil {
				select {
				case gate <- i >= known:
				case <-ctx.Done():
				}
				l.leave()
			}
		}()
	}
	for ; total < turns; total++ {
		synctest.Wait()
		if <-gate {
			had++
		}
	}
	cancel()
	synctest.Wait()
	return had
}

func TestStrangersInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(line)
		require.InDelta(t, 750, share(t, l, 10, 30, 1000), 60, "each gets as much as the others while nobody disappoints")
		for range 200 {
			l.learn(false)
		}
		require.InDelta(t, 1000/16, share(t, l, 10, 30, 1000), 15, "a fifteenth of what the others get")
		require.Equal(t, 100, share(t, l, 0, 30, 100), "nobody else is there")
		for range 200 {
			l.learn(true)
		}
		require.InDelta(t, 750, share(t, l, 10, 30, 1000), 60, "and again")
		require.Zero(t, l.in)
		require.Empty(t, l.lanes[0].waiting)
		require.Empty(t, l.lanes[1].waiting)
	})
}
