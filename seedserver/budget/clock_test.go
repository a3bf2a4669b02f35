package budget_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/seedserver/budget"
)

// TestClockSetOnAndBack: a clock that is a month ahead for a while does not make the budget new, and what was sent meanwhile counts.
func TestClockSetOnAndBack(t *testing.T) {
	p := budget.NewPacer(100*gb, 14, june, 60*gb)
	p.Advance(june.AddDate(0, 1, 5))
	require.Zero(t, p.State().Spent)
	require.True(t, p.Spend(budget.LaneNeed, 10*gb))
	p.Advance(june.Add(day))
	require.EqualValues(t, 70*gb, p.State().Spent)
	require.Equal(t, june, p.State().Start)
	require.False(t, p.Spend(budget.LaneNeed, 31*gb))
	p.Advance(june.Add(-day)) // the period before
	require.EqualValues(t, 80*gb, p.State().Spent, "all that was sent later, rather too much than too little")
	p.Advance(june.Add(day))
	require.EqualValues(t, 70*gb, p.State().Spent)
	p.Advance(june.AddDate(0, 1, 0))
	require.EqualValues(t, 10*gb, p.State().Spent, "that was sent under this name, too")
	p.Advance(june.AddDate(0, 2, 0))
	require.Zero(t, p.State().Spent)
}

// TestClockAtRandom: however the clock is set, nothing that was sent is forgotten for the period it is in, and never is more sent in
// one than the budget has.
func TestClockAtRandom(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 100 * gb
		p := budget.NewPacer(limit, 14, june, 0)
		sent := map[time.Time]int64{} // by the period the clock showed
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			before := p.State()
			now := june.Add(time.Duration(rapid.Int64Range(0, int64(300*day)).Draw(t, "clock")))
			p.Advance(now)
			s := p.State()
			require.False(t, now.Before(s.Start) || !now.Before(s.End))
			require.GreaterOrEqual(t, s.Spent, sent[s.Start])
			if s.Start.Before(before.Start) {
				require.GreaterOrEqual(t, s.Spent, min(int64(limit), sent[s.Start]+before.Spent), "set back")
			}
			for lane := range budget.Lane(budget.NumLanes) {
				require.GreaterOrEqual(t, p.Wait(lane), time.Duration(0))
				require.GreaterOrEqual(t, p.Rate(lane), 0.0)
			}
			if n := rapid.Int64Range(0, limit/4).Draw(t, "bytes"); p.Spend(budget.LaneNeed, n) {
				sent[s.Start] += n
			}
			require.LessOrEqual(t, sent[s.Start], int64(limit))
		}
	})
}

// TestClockNotSetYet: a machine that wakes in 1970 and learns later what time it is goes on with the month it was in.
func TestClockNotSetYet(t *testing.T) {
	start, _ := budget.Period(june, 14)
	d := &disk{}
	a := budget.NewAccount(budget.AccountConfig{
		Budget: 100 * gb, Day: 14, Ahead: budget.Reservation{Start: start, Bytes: 60 * gb}, Save: d.save,
	}, time.Unix(0, 0))
	a.Advance(june)
	state, _ := a.State()
	require.EqualValues(t, 60*gb, state.Spent)
}

// TestNoDiskIsSaidOnce: a budget that cannot be written is one line in the log, however long that lasts, and another when it is over.
func TestNoDiskIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		d := &disk{dead: true}
		a := budget.NewAccount(budget.AccountConfig{Budget: 1e12, Save: d.save, Logger: slog.New(slog.NewTextHandler(&log, nil))}, time.Now())
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { a.Run(ctx) })
		short, cancelShort := context.WithTimeout(ctx, time.Hour)
		defer cancelShort()
		require.Error(t, a.Wait(short, budget.LaneNeed, 1000))
		d.mu.Lock()
		d.dead = false
		d.mu.Unlock()
		require.NoError(t, a.Wait(ctx, budget.LaneNeed, 1000))
		time.Sleep(time.Second)
		cancel()
		running.Wait()
		require.Equal(t, 1, strings.Count(log.String(), "cannot be written"), log.String())
		require.Equal(t, 1, strings.Count(log.String(), "written again"), log.String())
	})
}
