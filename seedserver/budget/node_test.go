package budget_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/stretchr/testify/require"
)

const (
	block  = 16 << 10
	minute = 60 * time.Second
)

// spend asks n for size bytes again and again until ctx is done, and counts what it was let pass.
func spend(ctx context.Context, n *budget.Node, size int, passed *atomic.Int64) {
	for n.Wait(ctx, size) == nil {
		passed.Add(int64(size))
	}
}

// flow is some callers who want as much as they can get from one node.
type flow struct {
	node    *budget.Node
	callers int
	size    int
}

// run lets the flows compete for a virtual minute and returns the bytes that each got.
func run(ctx context.Context, flows ...flow) []int64 {
	ctx, cancel := context.WithTimeout(ctx, minute)
	defer cancel()
	passed := make([]atomic.Int64, len(flows))
	for i, f := range flows {
		for range f.callers {
			go spend(ctx, f.node, f.size, &passed[i])
		}
	}
	<-ctx.Done()
	synctest.Wait()
	got := make([]int64, len(flows))
	for i := range passed {
		got[i] = passed[i].Load()
	}
	return got
}

func TestRateHolds(t *testing.T) {
	for _, tt := range []struct {
		rate    int64
		size    int
		callers int
	}{
		{1_000, 100, 1},
		{1_000, 500, 2},
		{100_000, block, 1},
		{100_000, 100, 10},
		{2_000_000, block, 50},
		{2_000_000, 256 << 10, 1},
		{100_000_000, 1 << 20, 10},
		{10_000_000_000, 8 << 20, 4},
		{10_000_000_000, 64 << 20, 1},
	} {
		t.Run(fmt.Sprintf("rate=%v/size=%d/callers=%d", budget.Rate(tt.rate), tt.size, tt.callers), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := run(t.Context(), flow{budget.New(nil, tt.rate), tt.callers, tt.size})
				require.InEpsilon(t, tt.rate*60, got[0], 0.01)
			})
		})
	}
}

// TestSmooth: no tenth of a second sees more than its own bytes and one bucket, and none is left out.
func TestSmooth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, size = 1_000_000, 4 << 10
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		n := budget.New(nil, rate)
		var passed atomic.Int64
		go spend(ctx, n, size, &passed)
		for before, tick := int64(0), 0; tick < 100; tick++ {
			time.Sleep(100 * time.Millisecond)
			now := passed.Load()
			require.LessOrEqual(t, now-before, int64(rate/10+rate/20+size))
			require.Greater(t, now-before, int64(rate/10-rate/20-size))
			before = now
		}
	})
}

func TestWholeChain(t *testing.T) {
	for _, tt := range []struct {
		name                   string
		server, torrent, class int64
		want                   int64 // bytes per second
	}{
		{"server is tightest", 50_000, 100_000, 200_000, 50_000},
		{"torrent is tightest", 200_000, 50_000, 100_000, 50_000},
		{"class is tightest", 200_000, 100_000, 50_000, 50_000},
		{"only the server limits", 50_000, 0, 0, 50_000},
		{"only the torrent limits", 0, 50_000, -1, 50_000},
		{"only the class limits", -1, 0, 50_000, 50_000},
		{"all the same", 50_000, 50_000, 50_000, 50_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := budget.New(budget.New(budget.New(nil, tt.server), tt.torrent), tt.class)
				got := run(t.Context(), flow{n, 5, 10_000})
				require.InEpsilon(t, tt.want*60, got[0], 0.02)
			})
		})
	}
}

func TestFairBetweenSiblings(t *testing.T) {
	const rate = 1_000_000
	for _, tt := range []struct {
		name  string
		flows func(server *budget.Node) []flow
		want  []float64 // share of the server's rate
	}{
		{
			"one peer against a hundred",
			func(s *budget.Node) []flow {
				return []flow{{budget.New(s, 0), 1, block}, {budget.New(s, 0), 100, block}}
			},
			[]float64{0.5, 0.5},
		}, {
			"small requests against large ones",
			func(s *budget.Node) []flow {
				return []flow{{budget.New(s, 0), 10, 2 << 10}, {budget.New(s, 0), 10, 256 << 10}}
			},
			[]float64{0.5, 0.5},
		}, {
			"what a limited sibling leaves",
			func(s *budget.Node) []flow {
				return []flow{{budget.New(s, rate/10), 50, block}, {budget.New(s, 0), 1, block}, {budget.New(s, 0), 3, block}}
			},
			[]float64{0.1, 0.45, 0.45},
		}, {
			"classes share their torrent's limit",
			func(s *budget.Node) []flow {
				torrent := budget.New(s, rate/2)
				return []flow{{budget.New(torrent, 0), 20, block}, {budget.New(torrent, 0), 1, block}, {budget.New(s, rate/3), 5, block}}
			},
			[]float64{0.25, 0.25, 1.0 / 3},
		}, {
			"what weighs more, below torrents",
			func(s *budget.Node) []flow {
				need, assist := budget.New(budget.New(s, 0), 0), budget.New(budget.New(s, 0), 0)
				need.SetWeight(4)
				return []flow{{need, 5, block}, {assist, 50, block}}
			},
			[]float64{0.8, 0.2},
		}, {
			"the node itself is one of its children",
			func(s *budget.Node) []flow { return []flow{{s, 50, block}, {budget.New(s, 0), 2, block}} },
			[]float64{0.5, 0.5},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := run(t.Context(), tt.flows(budget.New(nil, rate))...)
				for i, share := range tt.want {
					require.InEpsilon(t, share*rate*60, got[i], 0.04, "flow %d of %v", i, got)
				}
			})
		})
	}
}

// TestIdleSiblingHasNoClaim: who was away for a minute gets its share from then on, and nothing on top.
func TestIdleSiblingHasNoClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 1_000_000
		server := budget.New(nil, rate)
		a, b := budget.New(server, 0), budget.New(server, 0)
		run(t.Context(), flow{a, 5, block})
		got := run(t.Context(), flow{a, 5, block}, flow{b, 5, block})
		require.InEpsilon(t, rate*30, got[0], 0.02)
		require.InEpsilon(t, rate*30, got[1], 0.02)
	})
}

// TestInOrder: within one flow, first come is first served.
func TestInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := budget.New(nil, 1000)
		done := make(chan int, 10)
		for i := range 10 {
			go func() {
				if n.Wait(t.Context(), 1000) == nil {
					done <- i
				}
			}()
			synctest.Wait()
		}
		for i := range 10 {
			require.Equal(t, i, <-done)
		}
	})
}

func TestSetRate(t *testing.T) {
	for _, tt := range []struct {
		name     string
		from, to int64
		at       time.Duration // when a wait for 60,000 bytes, begun at 0 and cut at 10 s, returns
	}{
		{"faster", 1_000, 50_000, 11 * time.Second},
		{"slower", 5_000, 1_000, 20 * time.Second},
		{"off", 1_000, 0, 10 * time.Second},
		{"off by a negative number", 1_000, -5, 10 * time.Second},
		{"the same", 1_000, 1_000, 60 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				n := budget.New(nil, tt.from)
				done := make(chan error)
				go func() { done <- n.Wait(t.Context(), 60_000) }()
				time.Sleep(10 * time.Second)
				n.SetRate(tt.to)
				require.Equal(t, max(tt.to, 0), n.Rate())
				require.NoError(t, <-done)
				require.InDelta(t, tt.at.Seconds(), time.Since(begin).Seconds(), 0.3)
			})
		})
	}
	t.Run("on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := budget.New(nil, 0)
			begin := time.Now()
			require.NoError(t, n.Wait(t.Context(), math.MaxInt))
			require.Zero(t, time.Since(begin))
			n.SetRate(1_000)
			require.NoError(t, n.Wait(t.Context(), 10_000))
			require.InDelta(t, 10, time.Since(begin).Seconds(), 0.1)
		})
	})
}

func TestCancelGivesBack(t *testing.T) {
	stop := errors.New("stop")
	t.Run("what was passed below", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := budget.New(nil, 1)
			torrent := budget.New(server, 1_000)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(30*time.Second, func() { cancel(stop) })
			require.ErrorIs(t, torrent.Wait(ctx, 10_000), stop) // through the torrent in 10 s, stuck at the server
			server.SetRate(0)
			begin := time.Now()
			require.NoError(t, torrent.Wait(t.Context(), 10_000))
			require.Zero(t, time.Since(begin), "the bytes were paid for")
			require.NoError(t, torrent.Wait(t.Context(), 1_000))
			require.InDelta(t, 0.95, time.Since(begin).Seconds(), 0.06, "but not twice")
		})
	})
	t.Run("what was drawn here", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := budget.New(nil, 1_000)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(9*time.Second, func() { cancel(stop) })
			begin := time.Now()
			require.ErrorIs(t, n.Wait(ctx, 10_000), stop)
			require.NoError(t, n.Wait(t.Context(), 10_000))
			require.InDelta(t, 10, time.Since(begin).Seconds(), 0.1)
		})
	})
	t.Run("a turn not had", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			n := budget.New(nil, 1_000)
			ctx, cancel := context.WithCancelCause(t.Context())
			begin := time.Now()
			var waiting atomic.Int32
			for range 100 {
				waiting.Add(1)
				go func() {
					defer waiting.Add(-1)
					n.Wait(ctx, 1_000)
				}()
			}
			time.Sleep(500 * time.Millisecond)
			last := make(chan error)
			go func() { last <- n.Wait(t.Context(), 1_000) }()
			time.Sleep(100 * time.Millisecond)
			cancel(stop)
			synctest.Wait()
			require.Zero(t, waiting.Load())
			require.NoError(t, <-last)
			require.InDelta(t, 1, time.Since(begin).Seconds(), 0.1)
		})
	})
	t.Run("no more than a turn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := budget.New(nil, 1)
			torrent := budget.New(server, 1_000)
			ctx, cancel := context.WithCancelCause(t.Context())
			for range 20 {
				go torrent.Wait(ctx, 10_000)
			}
			time.Sleep(300 * time.Second)
			cancel(stop)
			synctest.Wait()
			server.SetRate(0)
			begin := time.Now()
			require.NoError(t, torrent.Wait(t.Context(), 50_000))
			require.InDelta(t, 50-16, time.Since(begin).Seconds(), 1, "a pause does not save up for a flood")
		})
	})
	t.Run("already done", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		require.ErrorIs(t, budget.New(nil, 1_000_000).Wait(ctx, 1), stop)
		require.NoError(t, budget.New(nil, 0).Wait(ctx, 1))
	})
}

func TestWithoutNode(t *testing.T) {
	var none *budget.Node
	require.NoError(t, none.Wait(t.Context(), 1<<30))
	require.Zero(t, none.Rate())
	var zero budget.Node
	require.NoError(t, zero.Wait(t.Context(), 1<<30))
	limited := budget.New(nil, 1)
	require.NoError(t, limited.Wait(t.Context(), 0))
	require.NoError(t, limited.Wait(t.Context(), -1))
}

func TestUnlimitedDoesNotAllocate(t *testing.T) {
	n := budget.New(budget.New(budget.New(nil, 0), 0), 0)
	require.Zero(t, testing.AllocsPerRun(100, func() { n.Wait(t.Context(), block) }))
}

func BenchmarkWait(b *testing.B) {
	for _, tt := range []struct {
		name string
		rate int64
	}{
		{"unlimited", 0},
		{"never reached", math.MaxInt64 / 2},
	} {
		b.Run(tt.name, func(b *testing.B) {
			server := budget.New(nil, tt.rate)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				n := budget.New(budget.New(server, 0), 0)
				for pb.Next() {
					if err := n.Wait(b.Context(), block); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

// BenchmarkWaitContended measures one turn when many wait at a limit that is far away.
func BenchmarkWaitContended(b *testing.B) {
	server := budget.New(nil, 1<<40)
	b.SetBytes(256 << 10)
	b.ReportAllocs()
	b.SetParallelism(100)
	b.RunParallel(func(pb *testing.PB) {
		n := budget.New(server, 0)
		for pb.Next() {
			if err := n.Wait(b.Context(), 256<<10); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
