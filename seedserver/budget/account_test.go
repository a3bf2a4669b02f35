package budget_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/stretchr/testify/require"
)

// disk remembers reservations until it is dead.
type disk struct {
	mu    sync.Mutex
	last  budget.Reservation
	saves int
	dead  bool
}

func (d *disk) save(_ context.Context, r budget.Reservation) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead {
		return errors.New("no disk")
	}
	d.last = r
	d.saves++
	return nil
}

// TestCrashLoop: a server that is killed again and again, always at full demand, sends no byte more than was written down before, and
// no more than the budget has.
func TestCrashLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = 20_000_000_000
		d := &disk{}
		var sent atomic.Int64
		start, _ := budget.Period(time.Now(), 14)
		for life := range 80 {
			d.dead = false
			a := budget.NewAccount(budget.AccountConfig{Budget: limit, Day: 14, Reserved: d.last, Save: d.save}, time.Now())
			ctx, cancel := context.WithCancel(t.Context())
			var running sync.WaitGroup
			running.Go(func() { a.Run(ctx) })
			for lane := range budget.Lane(budget.NumLanes) {
				running.Go(func() {
					for a.Wait(ctx, lane, 16<<10) == nil {
						sent.Add(16 << 10)
					}
				})
			}
			time.Sleep(time.Duration(life%40) * 700 * time.Millisecond)
			d.mu.Lock()
			d.dead = true // killed: nothing is written any more
			d.mu.Unlock()
			cancel()
			running.Wait()
			if d.last.Start.Equal(start) {
				require.LessOrEqual(t, sent.Load(), d.last.Bytes)
			}
			require.LessOrEqual(t, d.last.Bytes, int64(limit))
		}
		require.Positive(t, sent.Load())
	})
}

// TestEnd: all of a small budget goes, not a byte more, and what is not sent is not lost with an orderly end.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		_, end := budget.Period(now, 1)
		time.Sleep(end.Sub(now) - 30*time.Minute)
		start, _ := budget.Period(time.Now(), 1)
		d := &disk{last: budget.Reservation{Start: start, Bytes: 990_000_000}}
		a := budget.NewAccount(budget.AccountConfig{Budget: 1_000_000_000, Reserved: d.last, Save: d.save}, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		inPeriod, cancelPeriod := context.WithTimeout(ctx, 29*time.Minute)
		defer cancelPeriod()
		var sent int64
		for a.Wait(inPeriod, budget.LaneNeed, 16<<10) == nil {
			sent += 16 << 10
		}
		require.Positive(t, sent)
		require.LessOrEqual(t, sent, int64(10_000_000))
		require.NotZero(t, a.Busy(budget.LaneHTTP))
		state, ok := a.State()
		require.True(t, ok && state.OnlyReserve)

		time.Sleep(2 * time.Minute) // into the next period
		synctest.Wait()
		require.Zero(t, a.Busy(budget.LaneHTTP))
		require.NoError(t, a.Wait(ctx, budget.LaneHTTP, 1000))
		cancel()
		running.Wait()
		require.EqualValues(t, 1000, d.last.Bytes)
		require.True(t, d.last.Start.Equal(start.AddDate(0, 1, 0)))
	})
}

// TestNoDisk: nothing is sent that is not written down, and it goes on when that works again.
func TestNoDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{dead: true}
		a := budget.NewAccount(budget.AccountConfig{Budget: 1e12, Save: d.save}, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		short, cancelShort := context.WithTimeout(ctx, time.Minute)
		defer cancelShort()
		require.Error(t, a.Wait(short, budget.LaneNeed, 1000))
		d.mu.Lock()
		d.dead = false
		d.mu.Unlock()
		require.NoError(t, a.Wait(ctx, budget.LaneNeed, 1000))
		a.Charge(500)
		cancel()
		running.Wait()
		require.EqualValues(t, 1500, d.last.Bytes)
	})
}

// TestLimiter: the account and the node both hold.
func TestLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		a := budget.NewAccount(budget.AccountConfig{Budget: 1e12, Save: d.save}, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		node := budget.New(nil, 0)
		l := a.Limiter(budget.LaneNeed, node)
		l.SetRate(1000)
		began := time.Now()
		for range 60 {
			require.NoError(t, l.Wait(ctx, 1000))
		}
		require.InDelta(t, 60, time.Since(began).Seconds(), 2)
		require.Less(t, d.saves, 20)
		cancel()
		running.Wait()
		require.Error(t, l.Wait(ctx, 1000))

		var none *budget.Account
		require.NoError(t, none.Limiter(budget.LaneHTTP, budget.New(nil, 0)).Wait(t.Context(), 1<<20))
		require.Zero(t, none.Busy(budget.LaneHTTP))
		none.Charge(1)
		_, ok := none.State()
		require.False(t, ok)
	})
}

// TestFairInALane: a torrent with one peer gets as much of a lane as one with fifty.
func TestFairInALane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		a := budget.NewAccount(budget.AccountConfig{Budget: 1e11, Save: d.save}, time.Now())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		var got [2]atomic.Int64
		for i, peers := range []int{1, 50} {
			l := a.Limiter(budget.LanePlain, budget.New(nil, 0))
			for range peers {
				running.Go(func() {
					for l.Wait(ctx, 16<<10) == nil {
						got[i].Add(16 << 10)
					}
				})
			}
		}
		running.Wait()
		require.InEpsilon(t, got[0].Load(), got[1].Load(), 0.1)
	})
}
