package swarmsim

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/piecepicker"
)

// servers are what a swarm can be run with, by name.
var servers = []struct {
	name string
	make Make
}{
	{"normal", NormalSeed},
	{"libtorrent", SuperSeed},
	{"BEP 16", StrictSuperSeed},
	{"conservative", Picker(piecepicker.Conservative, 0)},
	{"without gate", Picker(piecepicker.Conservative, -1)},
	{"balanced", Picker(piecepicker.Balanced, 0)},
	{"generous", Picker(piecepicker.Generous, 0)},
}

func serverNamed(tb testing.TB, name string) Make {
	for _, s := range servers {
		if s.name == name {
			return s.make
		}
	}
	tb.Fatalf("no server is named %q", name)
	return nil
}

// small is a swarm that is simulated in milliseconds: 64 MiB in 256 pieces, and a server four times as fast as a leech.
func small(server Make, groups ...Group) Config {
	for k := range groups {
		if groups[k].Lines == nil {
			groups[k].Lines = []Line{{Up: 256 << 10, Down: 2 << 20, Share: 1}}
		}
	}
	return Config{Seed: 1, Pieces: 256, PieceLength: 256 << 10, Uplink: 1 << 20, Server: server, Groups: groups}
}

func TestSameSeedSameRun(t *testing.T) {
	for _, srv := range servers {
		t.Run(srv.name, func(t *testing.T) {
			run := func(seed uint64) (string, string) {
				var b bytes.Buffer
				c := small(srv.make, Group{Count: 8, PerHour: 600}, Group{Count: 3, Behaviour: FreeRider}, Group{Count: 2, Behaviour: Parrot})
				c.Seed, c.Transcript, c.Until = seed, &b, time.Minute
				r := Run(c)
				return fmt.Sprintf("%+v", r), b.String()
			}
			result, text := run(7)
			again, textAgain := run(7)
			require.Equal(t, result, again)
			require.Equal(t, text, textAgain)
			_, other := run(8)
			require.NotEqual(t, text, other)
		})
	}
}

// TestInvariants runs swarms of all kinds and recounts, after every step, all that is kept as a count.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := small(rapid.SampledFrom(servers).Draw(t, "server").make)
		c.Seed = rapid.Uint64().Draw(t, "seed")
		c.Pieces = rapid.IntRange(1, 70).Draw(t, "pieces")
		c.Connections = rapid.IntRange(1, 12).Draw(t, "connections")
		c.Until = 40 * time.Second
		for range rapid.IntRange(1, 3).Draw(t, "groups") {
			c.Groups = append(c.Groups, Group{
				Behaviour: rapid.SampledFrom([]Behaviour{Leech, Leech, FreeRider, FakeSeed, JunkSeed, CreepingFake, Parrot}).Draw(t, "behaviour"),
				Count:     rapid.IntRange(0, 9).Draw(t, "count"),
				PerHour:   rapid.SampledFrom([]float64{0, 500}).Draw(t, "arrivals"),
				Stay:      rapid.SampledFrom([]time.Duration{0, 5 * time.Second, Forever}).Draw(t, "stay"),
				NAT:       rapid.SampledFrom([]float64{0, 0.5, 1}).Draw(t, "nat"),
				Quiet:     rapid.Bool().Draw(t, "quiet"),
				Networks:  rapid.IntRange(0, 2).Draw(t, "networks"),
				Lines:     []Line{{Up: 100 << 10, Down: 300 << 10, Share: 2}, {Up: 1 << 20, Down: 1 << 20, Share: 1}},
			})
		}
		if rapid.Bool().Draw(t, "loss") {
			c.Loss = Loss{At: 20 * time.Second, Share: 0.2}
		}
		s := newSwarm(c)
		for !s.over() {
			s.stepOnce()
			check(t, s)
		}
		r := s.result()
		require.Equal(t, len(r.lines), r.Honest)
		require.LessOrEqual(t, r.Done, r.Honest)
		require.LessOrEqual(t, float64(r.Sent), 1.001*float64(c.Uplink)*s.now.Seconds(), "the server's line")
		require.Zero(t, s.refused, "requests for what was revealed")
	})
}

// check recounts what s keeps as counts. It is run so often that it does without require.
func check(t *rapid.T, s *swarm) {
	must := func(ok bool, what string) {
		if !ok {
			t.Fatalf("%v: %s", s.now, what)
		}
	}
	holders := make([]int, s.cfg.Pieces)
	got, conns := int64(0), 0
	for k, p := range s.peers {
		must(k == p.place, "place of a peer")
		n := 0
		p.have.each(func(i uint32) {
			n++
			if p.what.Behaviour.takes() {
				holders[i]++
			}
		})
		must(n == p.nHave, "pieces of a peer")
		if p.what.Behaviour.takes() {
			got += int64(n) * s.cfg.PieceLength
		}
		for _, pt := range p.partials {
			got += s.cfg.PieceLength - pt.left
			must(!p.have.has(pt.piece), "a piece that is had is being downloaded")
		}
		checkLinks(must, p)
		if p.seed != nil {
			conns++
			must(s.byNum[p.num] == p, "number of a peer")
		}
	}
	must(slices.Equal(holders, s.holders), "holders")
	must(conns == s.conns && conns <= s.cfg.connections(), "connections")
	if s.res.Lost == 0 && s.came == len(s.peers) { // nobody took anything away
		must(s.res.Sent+s.res.Passed == got, "bytes sent and bytes got")
	}
	checkLines(must, s)
}

// checkLines looks at what the lines carried in the last step.
func checkLines(must func(bool, string), s *swarm) {
	for _, sp := range s.spans {
		sum := 0.0
		for _, f := range s.flows[sp.from:sp.to] {
			sum += f.moved
		}
		must(sum <= sp.budget+1, "a line up carries more than it can")
	}
	in := map[*peer]float64{}
	for _, f := range s.flows {
		p := f.l.owner
		in[p] += f.moved
		must(in[p] <= float64(p.line.Down)*s.cfg.step().Seconds()+1, "a line down carries more than it can")
	}
}

func checkLinks(must func(bool, string), p *peer) {
	avail := make([]uint16, len(p.avail))
	links := map[*partial]int{}
	all := p.links
	if p.seed != nil {
		all = append(all[:len(all):len(all)], p.seed)
	}
	for k, l := range all {
		if l.to != nil {
			must(l.place == k && l.rev.to == p && l.rev.rev == l, "a link")
			l.to.have.each(func(i uint32) { avail[i]++ })
		}
		want := 0
		if p.what.Behaviour.takes() {
			want = l.source().missing(p.have)
		}
		must(want == l.wants, "what is wanted on a link")
		if l.work != nil {
			must(l.open && l.source().has(l.work.piece) && slices.Contains(p.partials, l.work), "what a link is taking")
			links[l.work]++
		}
	}
	must(slices.Equal(avail, p.avail), "availability")
	for _, pt := range p.partials {
		must(links[pt] == pt.links, "links that take a piece")
	}
}

func TestLineMix(t *testing.T) {
	lines := []Line{{Up: 1, Share: 20}, {Up: 2, Share: 50}, {Up: 3, Share: 30}}
	n := map[int64]int{}
	for k := range 100 {
		n[line(lines, k).Up]++
	}
	for _, l := range lines {
		require.InDelta(t, l.Share, n[l.Up], 2)
	}
}

func TestAddress(t *testing.T) {
	require.NotEqual(t, address(0, 1, 0), address(0, 2, 0))
	require.NotEqual(t, address(0, 1, 0), address(1, 1, 0))
	a, _ := address(0, 1, 2).Prefix(24)
	b, _ := address(0, 3, 2).Prefix(24)
	require.Equal(t, a, b)
	require.NotEqual(t, address(0, 1, 2), address(0, 3, 2))
}

func TestBound(t *testing.T) {
	lines := []Line{{Up: 1, Down: 10}, {Up: 1, Down: 10}, {Up: 1, Down: 2}}
	require.Equal(t, 50*time.Second, Bound(100, 4, lines, 0), "the slowest line down")
	require.Equal(t, 100*time.Second, Bound(100, 1, lines, 0), "the first copy")
	require.Equal(t, 60*time.Second, Bound(100, 9, lines, 1.2), "all the lines up")
	require.Zero(t, Bound(100, 9, nil, 0))
}

func TestTimersInOrder(t *testing.T) {
	var tm timers
	var got []int
	for k, at := range []time.Duration{3, 1, 2, 1} {
		tm.at(at, func() { got = append(got, k) })
	}
	tm.run(2)
	require.Equal(t, []int{1, 3, 2}, got)
	tm.run(3)
	require.Equal(t, []int{1, 3, 2, 0}, got)
}
