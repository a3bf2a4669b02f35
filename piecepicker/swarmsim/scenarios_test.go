package swarmsim

import (
	"cmp"
	"testing"
	"time"
)

// A scenario is a swarm of the tables: 1 GiB in 512 pieces of 2 MiB, a server of 4 MiB/s, leeches of 1 MiB/s up and 8 MiB/s
// down, or mixed ones.
type scenario struct {
	name    string
	groups  []Group
	uplink  int64 // if not 4 MiB/s
	pieces  int   // if not 512
	length  int64 // of a piece, if not 2 MiB
	until   time.Duration
	warmUp  time.Duration
	loss    Loss
	runs    int // with seeds from 1 up, of which the tables show the mean; if zero, 3
	servers []string
}

var mixed = []Line{
	{Up: 123 << 10, Down: 2458 << 10, Share: 20},
	{Up: 614 << 10, Down: 6 << 20, Share: 50},
	{Up: 2 << 20, Down: 12 << 20, Share: 25},
	{Up: 8 << 20, Down: 24 << 20, Share: 5},
}

var slow = []Line{{Up: 256 << 10, Down: 2 << 20, Share: 1}}

func (s scenario) config(server Make, seed uint64) Config {
	return Config{
		Seed: seed, Pieces: cmp.Or(s.pieces, 512), PieceLength: cmp.Or(s.length, 2<<20), Uplink: cmp.Or(s.uplink, 4<<20),
		Server: server, Groups: s.groups, Until: s.until, WarmUp: s.warmUp, Loss: s.loss,
	}
}

func (s scenario) seeds() int { return cmp.Or(s.runs, 3) }

func (s scenario) with() []string {
	if s.servers != nil {
		return s.servers
	}
	all := make([]string, len(servers))
	for k, srv := range servers {
		all[k] = srv.name
	}
	return all
}

var (
	few = []string{"normal", "libtorrent", "conservative", "without gate"}
	two = []string{"libtorrent", "conservative"}

	flashCrowds = []scenario{
		{name: "alone", groups: []Group{{Count: 1}}, runs: 1},
		{name: "leave, N=10", groups: []Group{{Count: 10}}},
		{name: "leave, N=20", groups: []Group{{Count: 20}}},
		{name: "leave, N=100", groups: []Group{{Count: 100}}},
		{name: "leave, N=1000", groups: []Group{{Count: 1000}}, runs: 1},
		{name: "leave, N=5000", groups: []Group{{Count: 5000}}, runs: 1, servers: two},
		{name: "stay, N=10", groups: []Group{{Count: 10, Stay: Forever}}},
		{name: "stay, N=100", groups: []Group{{Count: 100, Stay: Forever}}},
		{name: "stay, N=1000", groups: []Group{{Count: 1000, Stay: Forever}}, runs: 1, servers: few},
		{name: "mixed lines, leave, N=10", groups: []Group{{Count: 10, Lines: mixed}}},
		{name: "mixed lines, leave, N=100", groups: []Group{{Count: 100, Lines: mixed}}},
		{name: "mixed lines, leave, N=1000", groups: []Group{{Count: 1000, Lines: mixed}}, runs: 1, servers: few},
		{
			name: "64 MiB in 256 pieces, leave, N=100", groups: []Group{{Count: 100, Lines: slow}},
			uplink: 1 << 20, pieces: 256, length: 256 << 10,
		},
		{name: "server as fast as a peer, N=100", groups: []Group{{Count: 100}}, uplink: 1 << 20},
		{name: "server as fast as 12 peers, N=100", groups: []Group{{Count: 100}}, uplink: 12 << 20},
	}

	attacks = []scenario{
		{name: "50 % free riders, N=10", groups: []Group{{Count: 5}, {Count: 5, Behaviour: FreeRider}}},
		{name: "50 % free riders, N=100", groups: []Group{{Count: 50}, {Count: 50, Behaviour: FreeRider}}},
		{name: "90 % free riders, N=100", groups: []Group{{Count: 10}, {Count: 90, Behaviour: FreeRider}}},
		{
			name: "50 % free riders, N=1000", groups: []Group{{Count: 500}, {Count: 500, Behaviour: FreeRider}},
			until: 5000 * time.Second, runs: 1, servers: few,
		},
		{name: "100 and 100 fake seeds", groups: []Group{{Count: 100}, {Count: 100, Behaviour: FakeSeed}}},
		{name: "20 and 180 fake seeds", groups: []Group{{Count: 20}, {Count: 180, Behaviour: FakeSeed}}},
		{name: "100 and 900 fake seeds", groups: []Group{{Count: 100}, {Count: 900, Behaviour: FakeSeed}}, until: 2 * time.Hour, runs: 1},
		{name: "20 and 180 junk seeds", groups: []Group{{Count: 20}, {Count: 180, Behaviour: JunkSeed}}},
		{name: "100 and 100 creeping fakes", groups: []Group{{Count: 100}, {Count: 100, Behaviour: CreepingFake}}},
		{name: "100 and 100 parrots", groups: []Group{{Count: 100}, {Count: 100, Behaviour: Parrot}}},
		{name: "100 and 100 parrots of one /24", groups: []Group{{Count: 100}, {Count: 100, Behaviour: Parrot, Networks: 1}}},
		{name: "half behind NAT, N=100", groups: []Group{{Count: 100, NAT: 0.5}}, until: 12 * time.Hour, runs: 1},
		{name: "all behind NAT, N=10", groups: []Group{{Count: 10, NAT: 1}}},
		{name: "no HAVE for what was shown, N=100", groups: []Group{{Count: 100, Quiet: true}}, until: 3 * time.Hour},
	}

	losses = []scenario{
		{name: "5 % lost at 700 s, N=10", groups: []Group{{Count: 10}}, loss: Loss{At: 700 * time.Second, Share: 0.05}},
		{name: "5 % lost at 700 s, N=100", groups: []Group{{Count: 100}}, loss: Loss{At: 700 * time.Second, Share: 0.05}},
	}

	steadies = []scenario{
		steady("360 arrivals/h", Group{PerHour: 360}),
		steady("108 arrivals/h", Group{PerHour: 108}),
		steady("36 arrivals/h", Group{PerHour: 36}),
		steady("7 arrivals/h", Group{PerHour: 7}),
		steady("108 arrivals/h that stay 5 min", Group{PerHour: 108, Stay: 5 * time.Minute}),
		steady("108 arrivals/h and 108 free riders", Group{PerHour: 108}, Group{PerHour: 108, Behaviour: FreeRider}),
		steady("108 arrivals/h and 90 fake seeds", Group{PerHour: 108}, Group{Count: 90, Behaviour: FakeSeed}),
	}
)

func steady(name string, groups ...Group) scenario {
	return scenario{name: name, groups: groups, until: 6 * time.Hour, warmUp: 90 * time.Minute, runs: 2}
}

// BenchmarkSwarm runs the scenarios of the tables, one at a time: choose with -bench, such as Swarm/leave,_N=100/conservative.
func BenchmarkSwarm(b *testing.B) {
	for _, list := range [][]scenario{flashCrowds, attacks, losses, steadies} {
		for _, sc := range list {
			for _, name := range sc.with() {
				b.Run(sc.name+"/server="+name, func(b *testing.B) {
					server := serverNamed(b, name)
					var r *Result
					seed := uint64(0)
					for b.Loop() {
						seed++
						r = Run(sc.config(server, seed))
					}
					report(b, sc, r)
				})
			}
		}
	}
}

// report gives the figures of the last run as metrics.
func report(b *testing.B, sc scenario, r *Result) {
	if sc.warmUp > 0 {
		b.ReportMetric(r.Steady.BytesPerHour(), "B/h")
		b.ReportMetric(r.Steady.Mean, "mean-s")
		b.ReportMetric(r.PerDownload(), "copies/download")
		return
	}
	b.ReportMetric(r.First.Copies, "C1")
	b.ReportMetric(r.First.At.Seconds(), "T1-s")
	b.ReportMetric(r.Copies, "C")
	b.ReportMetric(r.All.At.Seconds(), "T-s")
	b.ReportMetric(ratio(r.All.At.Seconds(), r.Bound.Seconds()), "T/lb")
	b.ReportMetric(ratio(r.All.At.Seconds(), r.BoundAt(r.Copies).Seconds()), "T/lb(C)")
	b.ReportMetric(ratio(float64(r.Done), float64(r.Honest)), "done")
	for class, copies := range r.Classes {
		if class != 0 {
			b.ReportMetric(copies, class.String()+"-copies")
		}
	}
	if r.Recovery.Reached() {
		b.ReportMetric(r.Recovery.At.Seconds(), "recovery-s")
	}
}
