package budget_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

const (
	gb  = 1_000_000_000
	day = 24 * time.Hour
)

var june = time.Date(2030, 6, 14, 0, 0, 0, 0, time.UTC)

func TestPeriod(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.DateTime, s)
		require.NoError(t, err)
		return when
	}
	for _, tt := range []struct {
		now        string
		day        int
		start, end string
	}{
		{"2030-06-14 00:00:00", 14, "2030-06-14 00:00:00", "2030-07-14 00:00:00"},
		{"2030-06-13 23:59:59", 14, "2030-05-14 00:00:00", "2030-06-14 00:00:00"},
		{"2030-01-05 12:00:00", 14, "2029-12-14 00:00:00", "2030-01-14 00:00:00"},
		{"2030-12-31 12:00:00", 1, "2030-12-01 00:00:00", "2031-01-01 00:00:00"},
		{"2028-02-29 12:00:00", 28, "2028-02-28 00:00:00", "2028-03-28 00:00:00"},
	} {
		start, end := budget.Period(at(tt.now), tt.day)
		require.Equal(t, at(tt.start), start, tt.now)
		require.Equal(t, at(tt.end), end, tt.now)
	}
	require.NoError(t, budget.CheckDay(28))
	require.Error(t, budget.CheckDay(29))
	require.Error(t, budget.CheckDay(0))
}

func TestParseMonthly(t *testing.T) {
	for in, want := range map[string]budget.Monthly{"2TB/month": 2e12, "1.5 GB/month": 1.5e9, "unlimited": 0, "0": 0} {
		got, err := budget.ParseMonthly(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got)
		again, err := budget.ParseMonthly(got.String())
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, in := range []string{"", "2TB", "2TB/day", "2Tb/month", "-1GB/month", "1kB/month", "/month"} {
		_, err := budget.ParseMonthly(in)
		require.ErrorContains(t, err, "2TB/month", in)
	}
}

// demand says how many bytes each lane would send in a step if it could.
type demand func(now time.Time, lane budget.Lane) float64

// spendMonth lets lanes send as fast as the pacer lets them, in steps, until the period ends; each hour gets what was sent in it.
func spendMonth(t require.TestingT, p *budget.Pacer, from, to time.Time, step time.Duration, want demand, hour func(now time.Time, sent [budget.NumLanes]int64)) (sent [budget.NumLanes]int64) {
	limit := int64(p.State().Budget)
	var inHour [budget.NumLanes]int64
	for now := from; now.Before(to); now = now.Add(step) {
		p.Advance(now)
		for lane := range budget.Lane(budget.NumLanes) {
			n := int64(min(want(now, lane), p.Rate(lane)*step.Seconds()))
			if n > 0 && p.Spend(lane, n) {
				sent[lane] += n
				inHour[lane] += n
			}
		}
		if next := now.Add(step); next.Truncate(time.Hour) != now.Truncate(time.Hour) {
			if hour != nil {
				hour(now, inHour)
			}
			inHour = [budget.NumLanes]int64{}
		}
		require.LessOrEqual(t, p.State().Spent, limit)
	}
	return sent
}

func sum(sent [budget.NumLanes]int64) (all int64) {
	for _, n := range sent {
		all += n
	}
	return all
}

// TestMonth: whatever is asked of it, a month never costs more than the budget and is dark in no hour, and what the shares say holds.
func TestMonth(t *testing.T) {
	const limit = 300 * gb
	all := func(time.Time, budget.Lane) float64 { return 1e12 }
	only := func(lanes ...budget.Lane) demand {
		return func(_ time.Time, l budget.Lane) float64 {
			for _, lane := range lanes {
				if l == lane {
					return 1e12
				}
			}
			return 0
		}
	}
	for _, tt := range []struct {
		name       string
		want       demand
		most, fair float64 // of the budget: at most, and at least, is spent in all
	}{
		{"everything", all, 1, 0.95},
		{"need alone", only(budget.LaneNeed), 1, 0.93},
		{"plain alone", only(budget.LanePlain), 1, 0.93},
		{"assist alone", only(budget.LaneAssist), 0.92, 0.65},
		{"rescue alone", only(budget.LaneRescue), 0.92, 0.88},
		{"HTTP alone", only(budget.LaneHTTP), 0.92, 0.88},
		{"nothing", only(), 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := budget.NewPacer(limit, 14, june, 0)
			dark := 0
			sent := spendMonth(t, p, june, june.AddDate(0, 1, 0), time.Minute, tt.want, func(now time.Time, sent [budget.NumLanes]int64) {
				if tt.want(now, budget.LaneNeed) > 0 && sent[budget.LaneNeed] < limit/11/30/24/8 {
					dark++
				}
			})
			require.Zero(t, dark, "hours in which a swarm that needed something got next to nothing")
			require.LessOrEqual(t, float64(sum(sent)), tt.most*limit)
			require.GreaterOrEqual(t, float64(sum(sent)), tt.fair*limit)
		})
	}
}

// TestReserve: web, plain and assist take all they may for 25 days; a swarm that then needs something gets its first copy.
func TestReserve(t *testing.T) {
	const limit = 300 * gb
	p := budget.NewPacer(limit, 14, june, 0)
	spendMonth(t, p, june, june.Add(25*day), 20*time.Second, func(_ time.Time, l budget.Lane) float64 {
		if l == budget.LaneNeed {
			return 0
		}
		return 1e12
	}, nil)
	before := p.State()
	sent := spendMonth(t, p, june.Add(25*day), june.Add(26*day), 20*time.Second, func(_ time.Time, l budget.Lane) float64 {
		if l == budget.LaneNeed {
			return 1e12
		}
		return 0
	}, nil)
	t.Logf("after 25 days of all else %.0f GB are spent; a day of need gets %.1f GB", float64(before.Spent)/gb, float64(sent[budget.LaneNeed])/gb)
	require.Greater(t, sent[budget.LaneNeed], int64(5*gb/2))
}

// TestBurst: what an idle lane saved up leaves at once, not at the pace of a month.
func TestBurst(t *testing.T) {
	const limit = 300 * gb // 105 kB/s is its pace
	p := budget.NewPacer(limit, 14, june, 0)
	idle := func(time.Time, budget.Lane) float64 { return 0 }
	spendMonth(t, p, june, june.Add(day), time.Minute, idle, nil)
	require.Greater(t, p.Rate(budget.LaneNeed), 20e6)
	need := func(_ time.Time, l budget.Lane) float64 {
		if l == budget.LaneNeed {
			return 1e9
		}
		return 0
	}
	sent := spendMonth(t, p, june.Add(day), june.Add(day+5*time.Minute), time.Second, need, nil)
	require.Greater(t, sum(sent), int64(2*gb))
}

// TestRandomMonth: bursts and rescues as they come, a restart now and then; above the budget never, dark never.
func TestRandomMonth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 50 * gb
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		until, rate := [budget.NumLanes]time.Time{}, [budget.NumLanes]float64{}
		want := func(now time.Time, l budget.Lane) float64 {
			if now.After(until[l]) { // another mood
				until[l] = now.Add(time.Duration(random.Int64N(int64(2 * day))))
				rate[l] = 0
				if random.IntN(2) == 0 {
					rate[l] = random.Float64() * 1e9
				}
			}
			return rate[l]
		}
		p, spent := budget.NewPacer(limit, 14, june, 0), int64(0)
		for now := june; now.Before(june.AddDate(0, 1, 0)); {
			next := now.Add(time.Duration(1 + random.Int64N(int64(4*day))))
			if end := june.AddDate(0, 1, 0); next.After(end) {
				next = end
			}
			spent += sum(spendMonth(t, p, now, next, 10*time.Minute, want, nil))
			require.Positive(t, p.Rate(budget.LaneNeed))
			require.Positive(t, p.Rate(budget.LanePlain))
			now = next
			p = budget.NewPacer(limit, 14, now, p.State().Spent)
		}
		require.LessOrEqual(t, spent, int64(limit))
	})
}

// TestSpentShare: a lane whose share is spent says when to come back, and then there is something.
func TestSpentShare(t *testing.T) {
	p := budget.NewPacer(100*gb, 14, june, 0)
	require.Zero(t, p.Wait(budget.LaneHTTP))
	require.True(t, p.Spend(budget.LaneHTTP, 10_000_000))
	wait := p.Wait(budget.LaneHTTP)
	require.InDelta(t, 480, wait.Seconds(), 60)
	require.Zero(t, p.Wait(budget.LaneNeed), "others have their own")
	for at := time.Second; at <= wait; at += time.Second {
		p.Advance(june.Add(at))
	}
	require.Zero(t, p.Wait(budget.LaneHTTP))

	// All but the reserve is spent: plain files wait for the next period, blocks do not.
	p = budget.NewPacer(100*gb, 14, june.Add(20*day), 95*gb)
	require.True(t, p.State().OnlyReserve)
	require.Equal(t, 10*day, p.Wait(budget.LaneHTTP))
	require.Zero(t, p.Wait(budget.LaneNeed))
	require.Greater(t, p.Rate(budget.LaneNeed), 1000.0)
	p.Advance(june.AddDate(0, 1, 0))
	require.False(t, p.State().OnlyReserve)
	require.Zero(t, p.State().Spent)

	// Everything is.
	p = budget.NewPacer(100*gb, 14, june, 100*gb)
	require.False(t, p.Spend(budget.LaneNeed, 1))
	require.NotZero(t, p.Wait(budget.LaneNeed))
}
