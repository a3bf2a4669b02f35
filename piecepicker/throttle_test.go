package piecepicker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRateHalvesWithEachCopy(t *testing.T) {
	const full = 1 << 20
	for _, tc := range []struct {
		mode   Mode
		copies int
		want   int64
	}{
		{Conservative, 1, full}, {Conservative, 2, full / 2}, {Conservative, 4, full / 8},
		{Balanced, 1, full}, {Balanced, 5, full / 2}, {Generous, 5, full},
	} {
		lines := "sent ####\n z ....\n"
		for k := range tc.copies {
			lines += fmt.Sprintf("%c all\n", 'a'+k)
		}
		w := draw(t, Config{Mode: tc.mode, MaxRate: full}, 4, lines)
		for k := range tc.copies {
			w.p.Audited(w.now, w.ids[string(rune('a'+k))], true)
		}
		require.Equal(t, float64(tc.copies), w.p.Status(w.now).Availability)
		require.Equal(t, tc.want, w.p.Rates(w.now).Assist, "%+v", tc)
		require.Equal(t, int64(full), w.p.Rates(w.now).Need)
		require.Equal(t, int64(full), w.p.Rates(w.now).Total)
		require.Equal(t, int64(full/4), w.p.Rates(w.now).Rescue)
	}
}

func TestAvailability(t *testing.T) {
	for _, tc := range []struct {
		lines string
		want  float64
	}{
		{"sent ####\n", 0},
		{"sent ####\n a ###.", 0.75},
		{"sent ####\n a ###.\n b ...#", 1},
		{"sent ####\n a ###.\n b #..#", 1.25},
		{"sent ####\n a ###.\n b ..##\n c ##..", 1.75},
		{"sent ###.\n a ###.\n b ###.", 0.75},
	} {
		require.Equal(t, tc.want, draw(t, Config{}, 4, tc.lines).p.Status(start).Availability, tc.lines)
	}
}

// "assist bytes in any window <= integral of r(A_v) + 2L"
func TestAssistanceKeepsToItsRate(t *testing.T) {
	const rate = 8 * blocks * unit
	w := draw(t, Config{MaxRate: rate}, 4000, "s all\nu all\nw all\na\nb\nc")
	for _, name := range []string{"s", "u", "w"} { // three copies: an eighth of the rate assists, at least
		w.p.Audited(w.now, w.ids[name], true)
	}
	w.served()
	offered := 0.0
	for n := range 280 { // until it is sure that others carry it
		for _, d := range w.after(100 * time.Millisecond) {
			if d.Kind == KindOffer {
				require.Equal(t, Assist, d.Class)
				offered++
			}
		}
		for _, name := range []string{"a", "b", "c"} {
			for _, i := range w.loans(name) {
				w.give(name, i)
			}
			w.has(name, uint32(n*8), uint32(n*8+1)) // they get something from the swarm, too
		}
		allowed := rate / 4 * float64(n+1) / 10
		require.LessOrEqual(t, offered*blocks*unit, allowed+2*blocks*unit)
		require.GreaterOrEqual(t, offered*blocks*unit, 0.85*allowed-4*blocks*unit)
	}
}

func TestAssistanceGoesToWhoHasLeast(t *testing.T) {
	full := strings.Repeat("#", 64)
	w := draw(t, Config{Mode: Generous, MaxRate: 1}, 64, "sent "+full+"\n s all\n"+
		"a "+full[:60]+"....\n b "+full[:10]+strings.Repeat(".", 54)+"\n c "+full[:40]+strings.Repeat(".", 24))
	w.p.Audited(w.now, w.ids["s"], true)
	for w.p.Status(w.now).OnLoan == 0 {
		w.after(time.Second)
	}
	first := w.done[slices.IndexFunc(w.done, func(d Decision) bool { return d.Kind == KindOffer })]
	require.Equal(t, "b:offer:behind", w.offers([]Decision{first}))
	require.GreaterOrEqual(t, w.loans("b")[0], uint32(60), "the rarest")
}

func TestArrivalsSetTheFloor(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 30}, 8, "")
	for k := range 200 {
		w.join(fmt.Sprintf("p%d@10.%d.0.1", k, k), "?")
	}
	want := 1.5 * 200 / 3600 * blocks * unit
	require.InEpsilon(t, want, w.p.floor(), 0.01)
	w.now = w.now.Add(time.Hour)
	w.p.Tick(w.now, nil)
	require.InEpsilon(t, want/2.718, w.p.floor(), 0.01)
}

func TestBudget(t *testing.T) {
	const full = 1 << 20
	for _, tc := range []struct {
		l                    Limits
		need, rescue, assist int64
	}{
		{Limits{MaxRate: full}, full, full / 4, full},
		{Limits{MaxRate: full, Pace: full}, full, full / 4, full / 5},
		{Limits{MaxRate: full, Pace: full / 8}, full / 2, full / 16, full / 40},
		{Limits{MaxRate: full, Pace: 10}, 4 * 20, 5, 2}, // need: the floor is more
		{Limits{MaxRate: full, Pace: full, Spent: 1.05}, 4 * 20, 0, 0},
		{Limits{MaxRate: full, Pace: full, Spent: 1.1}, 0, 0, 0},
		{Limits{Spent: 2}, 0, 0, 0},
	} {
		w := draw(t, Config{}, 4, "sent ####\n s all\n a ....")
		w.p.Audited(w.now, w.ids["s"], true)
		w.p.arrivals = 80.0 / (1.5 * blocks * unit)
		w.p.SetLimits(w.now, tc.l)
		got := w.p.Rates(w.now)
		require.InDelta(t, tc.need, got.Need, 1, "%+v", tc.l)
		require.InDelta(t, tc.rescue, got.Rescue, 1, "%+v", tc.l)
		require.InDelta(t, tc.assist, got.Assist, 1, "%+v", tc.l)
	}
	require.Equal(t, Unlimited, draw(t, Config{}, 4, "").p.Rates(start).Total)
}

func TestBudgetHoldsOffersBack(t *testing.T) {
	w := draw(t, Config{}, 1000, "a\nb\nc")
	w.p.SetLimits(w.now, Limits{Pace: blocks * unit / 4}) // need: one piece a second
	offered := 0
	for range 60 {
		offered += strings.Count(w.offers(w.after(time.Second)), "offer")
		for _, name := range []string{"a", "b", "c"} {
			for _, i := range w.loans(name) {
				w.give(name, i)
				w.has(map[string]string{"a": "b", "b": "c", "c": "a"}[name], i)
			}
		}
	}
	require.InDelta(t, 60, offered, 3)
	w.p.SetLimits(w.now, Limits{Pace: 1, Spent: 1.2})
	require.Empty(t, w.offers(w.after(time.Minute)))
}

func TestSleepAndWaking(t *testing.T) {
	lines := "sent ####\n z ....\n"
	for k := range 5 {
		lines += fmt.Sprintf("%c all\n", 'a'+k)
	}
	w := draw(t, Config{MaxRate: 1000}, 4, lines)
	w.p.credits[Assist] = -1e12
	audit := func() {
		for k := range 5 {
			if id := w.ids[string(rune('a'+k))]; id != 0 {
				w.p.Audited(w.now, id, true)
			}
		}
	}
	pass := func(d time.Duration) { // z gets something from the swarm now and then, and forgets it
		for range int(d / time.Minute) {
			audit()
			w.p.peers[w.ids["z"]].fed = w.p.starveClock
			w.after(time.Minute)
		}
	}
	audit()
	pass(14 * time.Minute)
	require.Equal(t, Assisting, w.p.Status(w.now).Stage)
	pass(2 * time.Minute)
	require.Equal(t, Sleeping, w.p.Status(w.now).Stage)
	require.Zero(t, w.p.Rates(w.now).Assist)

	t.Run("a starving peer wakes it", func(t *testing.T) {
		w.after(32 * time.Second) // a minute has passed before
		require.Equal(t, Assisting, w.p.Status(w.now).Stage)
		require.Contains(t, w.offers(w.done), "z:offer:starving")
	})
	pass(time.Minute)
	w.leave("z")
	w.join("z", "....")
	pass(16 * time.Minute)
	require.Equal(t, Sleeping, w.p.Status(w.now).Stage)
	t.Run("fewer copies wake it", func(t *testing.T) {
		for _, name := range []string{"a", "b", "c", "d"} {
			w.leave(name)
		}
		w.after(time.Second)
		require.Equal(t, Assisting, w.p.Status(w.now).Stage)
	})
}

func TestUnlimitedLineIsTakenForWhatItCarried(t *testing.T) {
	w := draw(t, Config{}, 1000, "a\nb")
	require.Equal(t, float64(leastRate), w.p.fullRate())
	w.p.meter.rate = 50e6
	w.p.fade()
	require.Equal(t, 50e6, w.p.fullRate())
	w.p.meter.rate = 0
	w.now = w.now.Add(time.Hour)
	w.p.Tick(w.now, nil)
	require.InEpsilon(t, 25e6, w.p.fullRate(), 0.01)
}

func TestWindowFollowsTheLine(t *testing.T) {
	const l = blocks * unit
	for _, tc := range []struct {
		max, rate int64
		want      int64
	}{
		{1, 0, windowPieces * l},
		{100 * l, 0, 100 * l},
		{0, 0, windowStart},
		{0, 1000 * l, 1250 * l},
	} {
		p := draw(t, Config{MaxRate: tc.max}, 9, "").p
		p.meter.rate = float64(tc.rate)
		require.Equal(t, tc.want, p.windowSize(), "%+v", tc)
	}
}

func TestWindowWidensWhileThatBringsMore(t *testing.T) {
	p := draw(t, Config{MaxRate: 1 << 30}, 9, "a").p
	step := func(rate float64) float64 {
		p.widening.blocked = true
		p.meter.rate = rate
		p.now += widenEvery
		p.widen()
		return p.widening.factor
	}
	require.Equal(t, 1.5, step(100))
	require.Equal(t, 2.25, step(200))
	require.InDelta(t, 1.5, step(201), 1e-9, "it brought nothing")
	require.InDelta(t, 1.5, step(201), 1e-9, "so it rests")
	p.now += widenRest
	require.InDelta(t, 2.25, step(201), 1e-9, "and tries again")
	require.InDelta(t, 2.25, step(1<<30), 1e-9, "the line is full")
}

func TestMeter(t *testing.T) {
	var m meter
	now := time.Duration(0)
	for range 40 {
		now += 100 * time.Millisecond
		m.add(now, 1000)
	}
	require.InEpsilon(t, 10_000, m.rate, 0.05)
	for range 12 {
		now += time.Second
		m.roll(now)
	}
	require.Less(t, m.rate, 10.0)
}
