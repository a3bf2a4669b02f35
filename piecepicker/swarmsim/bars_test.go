package swarmsim

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/piecepicker"
)

// What the picker promises, with generous margins: RESULTS.md has the figures.

// first is how long the small swarm's first copy takes at least.
const first = 64 * time.Second

var (
	withGate = Picker(piecepicker.Conservative, 0)
	noGate   = Picker(piecepicker.Conservative, -1)
	generous = Picker(piecepicker.Generous, 0)
)

func requireAll(t *testing.T, r *Result) {
	t.Helper()
	require.Equal(t, r.Honest, r.Done, "%v", r)
	require.True(t, r.All.Reached())
}

func TestFirstCopy(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 10, 100} {
		for name, server := range map[string]Make{"conservative": noGate, "generous": generous} {
			t.Run(fmt.Sprintf("%s/peers=%d", name, n), func(t *testing.T) {
				r := Run(small(server, Group{Count: n}))
				require.LessOrEqual(t, r.First.Copies, 1.02)
				require.LessOrEqual(t, r.First.At.Seconds(), 1.10*first.Seconds())
				requireAll(t, r)
			})
		}
	}
}

func TestLoneLeechIsServedAtFullSpeed(t *testing.T) {
	t.Parallel()
	normal := Run(small(NormalSeed, Group{Count: 1})).All
	for _, srv := range servers[3:] {
		t.Run(srv.name, func(t *testing.T) {
			r := Run(small(srv.make, Group{Count: 1}))
			requireAll(t, r)
			require.LessOrEqual(t, r.All.At.Seconds(), normal.At.Seconds()/0.95)
			require.LessOrEqual(t, r.All.Copies, 1.001)
		})
	}
}

func TestCopiesUntilAllAreComplete(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		server Make
		stay   time.Duration
		most   float64
	}{
		{"stay", noGate, Forever, 1.20},
		{"leave", noGate, 0, 1.35},
		{"leave, gate", withGate, 0, 1.70},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Run(small(tt.server, Group{Count: 100, Stay: tt.stay}))
			super := Run(small(SuperSeed, Group{Count: 100, Stay: tt.stay}))
			requireAll(t, r)
			require.LessOrEqual(t, r.All.Copies, tt.most)
			require.LessOrEqual(t, r.All.Copies, super.All.Copies/2)
			require.LessOrEqual(t, r.All.At.Seconds(), 1.25*super.All.At.Seconds())
		})
	}
}

func TestGenerousIsNotSlowerThanANormalSeed(t *testing.T) {
	t.Parallel()
	for _, n := range []int{10, 100} {
		ours, normal := Run(small(generous, Group{Count: n})), Run(small(NormalSeed, Group{Count: n}))
		requireAll(t, ours)
		require.LessOrEqual(t, ours.All.At.Seconds(), 1.10*normal.All.At.Seconds())
		require.LessOrEqual(t, ours.All.Copies, 1.05*normal.All.Copies)
	}
}

func TestLiarsDoNotStopTheFirstCopy(t *testing.T) {
	t.Parallel()
	for _, liar := range []Behaviour{FakeSeed, JunkSeed, CreepingFake, Parrot} {
		t.Run(liar.String(), func(t *testing.T) {
			r := Run(small(noGate, Group{Count: 10}, Group{Count: 90, Behaviour: liar}))
			require.LessOrEqual(t, r.First.Copies, 1.02)
			require.LessOrEqual(t, r.First.At.Seconds(), 1.5*first.Seconds())
			require.LessOrEqual(t, r.Stalled, 5*time.Minute)
			requireAll(t, r)
			for _, g := range r.Groups[1:] {
				require.Zero(t, g.Received, "liars ask for nothing")
			}
		})
	}
}

func TestJunkSeedsAreDropped(t *testing.T) {
	t.Parallel()
	r := Run(small(noGate, Group{Count: 10}, Group{Count: 5, Behaviour: JunkSeed}))
	require.Equal(t, 5, r.Groups[1].Dropped)
}

func TestFreeRiders(t *testing.T) {
	t.Parallel()
	groups := []Group{{Count: 50}, {Count: 50, Behaviour: FreeRider}}
	s := newSwarm(small(noGate, groups...))
	picker := s.server.(*piecepicker.Picker)
	proven := map[*peer]bool{}
	for !s.over() {
		s.stepOnce()
		if s.now%(10*time.Second) != 0 {
			continue
		}
		for _, p := range s.peers {
			st, ok := picker.PeerStatus(s.clock(), p.num)
			if ok && p.what.Behaviour == FreeRider && st.Trust == piecepicker.Proven {
				proven[p] = true
			}
		}
	}
	require.LessOrEqual(t, len(proven), 5, "free riders that passed for others")
	r := s.result()
	requireAll(t, r)
	require.LessOrEqual(t, r.First.Copies, 1.20)
	require.LessOrEqual(t, r.All.Copies, 0.75*Run(small(SuperSeed, groups...)).All.Copies)
}

func TestRecoveryFromLoss(t *testing.T) {
	t.Parallel()
	for name, server := range map[string]Make{"conservative": noGate, "generous": generous} {
		t.Run(name, func(t *testing.T) {
			c := small(server, Group{Count: 50})
			c.Loss = Loss{At: 150 * time.Second, Share: 0.05}
			r := Run(c)
			require.Equal(t, 13, r.Lost)
			bytes := float64(r.Lost) / float64(c.Pieces)
			require.True(t, r.Recovery.Reached())
			require.LessOrEqual(t, r.Recovery.Copies, 3*bytes)
			require.LessOrEqual(t, r.Recovery.At.Seconds(), 5+3*bytes*first.Seconds())
			requireAll(t, r)
		})
	}
}

func TestSteadyStateCostsLittle(t *testing.T) {
	t.Parallel()
	groups := []Group{{PerHour: 700}} // some 45 at a time
	steady := func(server Make) Steady {
		c := small(server, groups...)
		c.Until, c.WarmUp = time.Hour, 20*time.Minute
		return Run(c).Steady
	}
	ours, normal := steady(noGate), steady(NormalSeed)
	require.Greater(t, ours.Downloads, 400)
	require.LessOrEqual(t, ours.BytesPerHour(), normal.BytesPerHour()/10)
	require.LessOrEqual(t, ours.Mean, 1.3*normal.Mean)
}

// TestQuietPeers: some clients send no HAVE to who has the piece already.
func TestQuietPeers(t *testing.T) {
	t.Parallel()
	r := Run(small(noGate, Group{Count: 30, Quiet: true}))
	require.LessOrEqual(t, r.First.Copies, 1.02)
	requireAll(t, r)
}

func TestBehindNATEachNeedsACopy(t *testing.T) {
	t.Parallel()
	r := Run(small(noGate, Group{Count: 4, NAT: 1}))
	requireAll(t, r)
	require.InDelta(t, 4, r.All.Copies, 0.05)
}
