package candidates

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func anybody(Candidate) bool { return true }

func newPool() *Pool { return New(Config{}, rand.New(rand.NewPCG(1, 2))) }

func at(format string, args ...any) Peer {
	return Peer{Addr: netip.MustParseAddrPort(fmt.Sprintf(format, args...))}
}

func TestUsable(t *testing.T) {
	tests := []struct {
		source     Source
		from, addr string // from "" is one of ourselves
		want       bool
	}{
		{PEX, "192.0.2.1", "198.51.100.1:6881", true},
		{PEX, "192.0.2.1", "[2001:db8::1]:6881", true},
		{PEX, "192.0.2.1", "198.51.100.1:1023", false},
		{User, "", "198.51.100.1:80", false},
		{User, "", "198.51.100.1:0", false},
		{Tracker, "192.0.2.1", "0.0.0.0:6881", false},
		{Tracker, "192.0.2.1", "0.1.2.3:6881", false},
		{Tracker, "192.0.2.1", "[::]:6881", false},
		{Tracker, "192.0.2.1", "224.0.0.1:6881", false},
		{Tracker, "192.0.2.1", "[ff02::1]:6881", false},
		{Tracker, "192.0.2.1", "255.255.255.255:6881", false},
		{Tracker, "192.0.2.1", "240.0.0.1:6881", false},
		{PEX, "192.0.2.1", "127.0.0.1:6881", false},
		{PEX, "10.0.0.1", "127.0.0.1:6881", false},
		{PEX, "127.0.0.1", "127.0.0.2:6881", true},
		{PEX, "::1", "127.0.0.2:6881", true},
		{Tracker, "", "127.0.0.2:6881", true},
		{PEX, "192.0.2.1", "192.168.1.1:6881", false},
		{PEX, "10.0.0.1", "192.168.1.1:6881", true},
		{DHT, "192.0.2.1", "[fd00::1]:6881", false},
		{PEX, "192.0.2.1", "169.254.1.1:6881", false},
		{LSD, "fe80::2%eth0", "[fe80::2%eth0]:6881", true},
		{PEX, "fe80::2%eth0", "[fe80::3%eth0]:6881", false},
		{LSD, "fe80::2%eth0", "192.168.1.1:6881", true},
		{User, "", "[2001:db8::1%eth0]:6881", false},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.source, tt.from, tt.addr), func(t *testing.T) {
			var from netip.Addr
			if tt.from != "" {
				from = netip.MustParseAddr(tt.from)
			}
			require.Equal(t, tt.want, Usable(tt.source, from, netip.MustParseAddrPort(tt.addr)))
		})
	}
	require.False(t, Usable(User, netip.Addr{}, netip.AddrPort{}))
}

// poison adds n addresses of as many networks in the name of informant k.
func poison(p *Pool, now time.Time, k, n int) (taken int) {
	from := netip.AddrFrom4([4]byte{192, 0, 2, byte(k)})
	for i := range n {
		taken += p.Add(now, PEX, from, at("%d.%d.%d.1:6881", 11+k, i/256, i%256))
	}
	return taken
}

func TestPoisonIsBounded(t *testing.T) {
	p := newPool()
	require.Equal(t, 1, p.Add(epoch, Tracker, netip.Addr{}, at("198.51.100.1:6881")))
	require.Equal(t, MaxPerInformant, poison(p, epoch, 1, 10_000), "one informant")
	for k := 2; k < 100; k++ {
		poison(p, epoch, k, 100)
	}
	require.Equal(t, rooms[PEX], p.Len(PEX))
	require.Equal(t, 1, p.Len(Tracker), "nobody is crowded out of another source")

	first, ok := p.Next(epoch, anybody)
	require.True(t, ok)
	second, _ := p.Next(epoch, anybody)
	require.ElementsMatch(t, []Source{Tracker, PEX}, []Source{first.Source, second.Source}, "each source has its turn")
}

func TestInformantsThatAreWrong(t *testing.T) {
	p := newPool()
	now, dials := epoch, 0
	for range 24 * 60 {
		poison(p, now, 1, 1000)
		for c, ok := p.Next(now, anybody); ok; c, ok = p.Next(now, anybody) {
			dials++
			p.Failed(now, c.Addr)
		}
		now = now.Add(time.Minute)
	}
	require.LessOrEqual(t, dials, 50*30, "what was believed before is tried once an hour; nothing new is")

	require.Zero(t, p.Add(now, PEX, netip.MustParseAddr("192.0.2.1"), at("198.51.100.1:6881")))
	require.Equal(t, 1, p.Add(now, PEX, netip.MustParseAddr("192.0.2.2"), at("198.51.100.1:6881")), "others are believed")
}

// TestFairnessOfNetworks has one network with many addresses and one with a single one.
func TestFairnessOfNetworks(t *testing.T) {
	p := newPool()
	for i := range 250 {
		p.Add(epoch, Tracker, netip.Addr{}, at("198.51.100.%d:6881", i))
	}
	require.Equal(t, rooms[Tracker], p.Len(Tracker))
	require.Equal(t, 1, p.Add(epoch, Tracker, netip.Addr{}, at("203.0.113.1:6881")), "the large one makes room")
	require.Zero(t, p.Add(epoch, Tracker, netip.Addr{}, at("198.51.100.251:6881")))
	var dialled []string
	for range 2 {
		c, _ := p.Next(epoch, anybody)
		dialled = append(dialled, network(c.Addr.Addr()).String())
	}
	require.ElementsMatch(t, []string{"198.51.100.0", "203.0.113.0"}, dialled)
}

func TestBackOff(t *testing.T) {
	p := newPool()
	p.Add(epoch, Tracker, netip.Addr{}, at("198.51.100.1:6881"))
	now := epoch
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		c, ok := p.Next(now, anybody)
		require.True(t, ok)
		_, again := p.Next(now, anybody)
		require.False(t, again, "it is under way")
		p.Failed(now, c.Addr)
		due := p.Ready(anybody)
		require.GreaterOrEqual(t, due.Sub(now), want*time.Minute)
		require.LessOrEqual(t, due.Sub(now), want*time.Minute*6/5)
		_, early := p.Next(due.Add(-1), anybody)
		require.False(t, early)
		now = due
	}
}

func TestAfterAConnection(t *testing.T) {
	tests := []struct {
		name   string
		lasted time.Duration
		seed   bool
		missed bool
		want   time.Duration
	}{
		{"a long one", time.Hour, false, false, time.Minute},
		{"a short one", time.Second, false, false, 2 * time.Minute}, // the second failure in a row
		{"one complete", time.Second, true, false, 30 * time.Minute},
		{"one that gave", time.Hour, false, true, 5 * time.Second},
		{"one that gave, complete", time.Hour, true, true, 5 * time.Second},
		{"one that gave, and left again", time.Second, true, true, 10 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPool()
			p.Add(epoch, PEX, netip.Addr{}, at("198.51.100.1:6881"))
			c, _ := p.Next(epoch, anybody)
			p.Failed(epoch, c.Addr)
			now := p.Ready(anybody)
			p.Next(now, anybody)
			p.Connected(c.Addr)
			require.Zero(t, p.Ready(anybody))
			p.Left(now, c.Addr, Stay{tt.lasted, tt.seed, tt.missed})
			wait := p.Ready(anybody).Sub(now)
			require.GreaterOrEqual(t, wait, tt.want)
			require.LessOrEqual(t, wait, tt.want*6/5)

			p.Add(now, PEX, netip.Addr{}, Peer{Addr: c.Addr, Seed: !tt.seed})
			require.Equal(t, tt.seed, p.Ready(func(c Candidate) bool { return !c.Seed }).IsZero(), "what we saw counts, not what is said")
		})
	}
}

func TestWhatIsSaidOfSeeds(t *testing.T) {
	p := newPool()
	peer := at("198.51.100.1:6881")
	p.Add(epoch, Tracker, netip.Addr{}, peer)
	p.Add(epoch, PEX, netip.Addr{}, Peer{Addr: peer.Addr, Seed: true})
	c, _ := p.Next(epoch, anybody)
	require.False(t, c.Seed, "a peer's word against a tracker's")

	p = newPool()
	p.Add(epoch, PEX, netip.Addr{}, Peer{Addr: peer.Addr, Seed: true})
	p.Add(epoch, Tracker, netip.Addr{}, peer)
	c, _ = p.Next(epoch, anybody)
	require.Equal(t, Candidate{Addr: peer.Addr, Source: Tracker}, c)
}

func TestTargets(t *testing.T) {
	var targets Targets
	a, other := netip.MustParseAddrPort("198.51.100.1:6881"), netip.MustParseAddrPort("198.51.100.1:6882")
	for range maxAtOnce {
		_, ok := targets.Take(epoch, a)
		require.True(t, ok)
	}
	again, ok := targets.Take(epoch, other)
	require.False(t, ok)
	require.Equal(t, epoch.Add(5*time.Second), again)
	for range maxAtOnce {
		targets.Done(epoch, a, false)
	}
	again, ok = targets.Take(epoch, a)
	require.False(t, ok)
	require.Equal(t, epoch.Add(40*time.Second), again, "four failures")
	_, ok = targets.Take(epoch, other)
	require.True(t, ok, "another port does not wait for it")
	targets.Done(epoch, other, true)
	_, ok = targets.Take(epoch, a)
	require.False(t, ok, "nor does it answer for it")
	_, ok = targets.Take(again, a)
	require.True(t, ok)
	targets.Done(again, a, true)
	require.Empty(t, targets.byHost)

	targets.Own(other)
	again, ok = targets.Take(again, other)
	require.False(t, ok)
	require.Zero(t, again)
}

// TestTargetsAtAHost: a live port is found among a few dead ones at once, and somebody whose ports are named by the thousand is
// left alone.
func TestTargetsAtAHost(t *testing.T) {
	for _, addr := range []string{"198.51.100.1", "2001:db8::1"} {
		t.Run(addr, func(t *testing.T) {
			ip := netip.MustParseAddr(addr)
			var targets Targets
			for port := range uint16(maxDead) {
				_, ok := targets.Take(epoch, netip.AddrPortFrom(ip, 1000+port))
				require.True(t, ok)
				targets.Done(epoch, netip.AddrPortFrom(ip, 1000+port), false)
			}
			_, ok := targets.Take(epoch, netip.AddrPortFrom(ip, 6881))
			require.True(t, ok)
			targets.Done(epoch, netip.AddrPortFrom(ip, 6881), true)

			dials := 0
			for second := range 3600 {
				now := epoch.Add(time.Duration(second) * time.Second)
				for port := range uint16(20) {
					at := netip.AddrPortFrom(ip, 2000+uint16(second)%1000*20+port)
					if _, ok := targets.Take(now, at); ok {
						dials++
						targets.Done(now, at, false)
					}
				}
			}
			require.LessOrEqual(t, dials, 20)
			require.Len(t, targets.byHost, 1)
			require.Len(t, targets.byHost[host(ip)].dead, maxDead)
		})
	}
}

func TestTargetsAreBounded(t *testing.T) {
	var targets Targets
	for i := range 3 * maxTargets {
		a := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)}), 6881)
		targets.Take(epoch, a)
		targets.Done(epoch, a, false)
	}
	require.LessOrEqual(t, len(targets.byHost), maxTargets)
}

// TestPoolInvariants drives a pool by chance.
func TestPoolInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, now := newPool(), epoch
		addr := rapid.Custom(func(t *rapid.T) netip.AddrPort {
			ip := netip.AddrFrom4([4]byte{198, 51, rapid.Byte().Draw(t, "net"), rapid.Byte().Draw(t, "host")})
			return netip.AddrPortFrom(ip, rapid.Uint16Range(1000, 1100).Draw(t, "port"))
		})
		var open []netip.AddrPort // dialling or connected, as the caller sees it
		pick := func(t *rapid.T) netip.AddrPort {
			if len(open) > 0 && rapid.Bool().Draw(t, "open") {
				return rapid.SampledFrom(open).Draw(t, "which")
			}
			return addr.Draw(t, "addr")
		}
		t.Repeat(map[string]func(*rapid.T){
			"": func(t *rapid.T) { p.checkInvariants(t) },
			"add": func(t *rapid.T) {
				from := netip.AddrFrom4([4]byte{192, 0, 2, rapid.Byte().Draw(t, "from")})
				source := Source(rapid.IntRange(0, Sources-1).Draw(t, "source"))
				var peers []Peer
				for i := range rapid.IntRange(1, 10).Draw(t, "n") { // neighbours, so that one draw makes many
					a := addr.Draw(t, "addr")
					for j := range byte(10) {
						peers = append(peers, Peer{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, j, byte(i)}), a.Port())})
					}
					peers = append(peers, Peer{Addr: a, Seed: i%2 == 0})
				}
				p.Add(now, source, from, peers...)
			},
			"next": func(t *rapid.T) {
				if c, ok := p.Next(now, anybody); ok {
					require.False(t, p.entries[c.Addr].due.After(now))
					require.GreaterOrEqual(t, c.Addr.Port(), uint16(1024))
					open = append(open, c.Addr)
				}
			},
			"connected": func(t *rapid.T) { p.Connected(pick(t)) },
			"failed":    func(t *rapid.T) { p.Failed(now, pick(t)) },
			"put":       func(t *rapid.T) { p.Put(pick(t), now.Add(time.Second)) },
			"own":       func(t *rapid.T) { p.Own(pick(t)) },
			"left": func(t *rapid.T) {
				p.Left(now, pick(t), Stay{time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "lasted")), rapid.Bool().Draw(t, "seed"), rapid.Bool().Draw(t, "missed")})
			},
			"wait": func(t *rapid.T) { now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "wait"))) },
		})
	})
}

// checkInvariants counts all again.
func (p *Pool) checkInvariants(t require.TestingT) {
	var counts [Sources]int
	networks, informants := map[place]district{}, map[*informant]int{}
	for addr, e := range p.entries {
		if addr != e.Addr || e.Source != e.place.source {
			t.Errorf("%v is kept as %v", addr, e)
			t.FailNow()
		}
		counts[e.Source]++
		d := networks[e.place]
		d.entries++
		if e.state != idle {
			d.busy++
		}
		networks[e.place] = d
		if e.informant != nil {
			informants[e.informant]++
		}
	}
	require.Equal(t, counts, p.counts)
	require.Len(t, p.networks, len(networks))
	for at, d := range networks {
		if d.entries != p.networks[at].entries || d.busy != p.networks[at].busy {
			t.Errorf("%v: %v, want %v", at, p.networks[at], d)
			t.FailNow()
		}
	}
	for s, n := range counts {
		require.LessOrEqual(t, n, rooms[s])
	}
	require.LessOrEqual(t, len(p.informants), maxInformants)
	for i, n := range informants {
		require.Equal(t, n, i.entries)
		require.LessOrEqual(t, n, MaxPerInformant)
	}
}
