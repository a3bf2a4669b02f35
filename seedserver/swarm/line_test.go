package swarm

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// share lets n writers of each lane ask for a block again and again, and returns how many of so many turns strangers had.
func share(t *testing.T, l *line, known, strangers, turns int) (had int) {
	ctx, cancel := context.WithCancel(t.Context())
	gate, total := make(chan bool), 0
	for i := range known + strangers {
		go func() {
			for ctx.Err() == nil && l.enter(ctx, i >= known, 0, 16<<10) == nil { // which does not look at ctx where there is a place
				select {
				case gate <- i >= known:
				case <-ctx.Done():
				}
				l.leave(i >= known)
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
		require.Zero(t, l.lanes[0].size())
		require.Zero(t, l.lanes[1].size())
	})
}

// TestStrangersWaitForWhoReturns: one who passes pieces on is not in line while it is sent something; strangers who turn out badly have
// no more of the line for that, and all of it when it does not return.
func TestStrangersWaitForWhoReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(line)
		for range 200 {
			l.learn(false)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer time.Sleep(time.Second)
		defer cancel()
		const perSecond = 4 << 20
		limiter := make(chan struct{}, 1)
		var sent [2]atomic.Int64
		var gone atomic.Bool
		for i := range 21 {
			stranger := i > 0
			go func() {
				for ctx.Err() == nil && (stranger || !gone.Load()) && l.enter(ctx, stranger, 0, 16<<10) == nil {
					limiter <- struct{}{}
					time.Sleep(16 << 10 * time.Second / perSecond)
					<-limiter
					l.leave(stranger)
					sent[min(i, 1)].Add(16 << 10)
					time.Sleep(time.Millisecond)
				}
			}()
		}
		time.Sleep(10 * time.Second)
		require.Greater(t, float64(sent[0].Load()), .75*10*perSecond, "alone it would have four fifths: of five milliseconds one is its own")
		require.Less(t, float64(sent[1].Load()), .15*10*perSecond)
		gone.Store(true)
		sent[1].Store(0)
		time.Sleep(10 * time.Second)
		require.Greater(t, float64(sent[1].Load()), .95*10*perSecond)
	})
}

// TestDoubtedStrangersTakeTurns: as long as most strangers disappoint, each has what it is sent first in one go, and nobody waits for all
// who came before.
func TestDoubtedStrangersTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := new(line)
		for range 200 {
			l.learn(false)
		}
		const strangers, blocks = 60, 4
		var mu sync.Mutex
		var begun, ended []int
		for i := range strangers {
			go func() {
				for k := range blocks {
					require.NoError(t, l.enter(t.Context(), true, int64(k)*blockSize, blockSize))
					if k == 0 {
						mu.Lock()
						begun = append(begun, i)
						mu.Unlock()
					}
					time.Sleep(time.Millisecond)
					l.leave(true)
				}
				mu.Lock()
				defer mu.Unlock()
				ended = append(ended, i)
				require.LessOrEqual(t, len(begun)-len(ended), 3*linePlaces, "of those who have begun")
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		mu.Lock()
		defer mu.Unlock()
		require.Len(t, ended, strangers)
		require.False(t, slices.IsSorted(begun))
	})
}
