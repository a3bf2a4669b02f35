package swarm

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

// theirPEX is the id under which gossips take peer exchange, ourPEX that under which we do.
const (
	theirPEX = 9
	ourPEX   = 4
)

// gossip connects a peer that speaks peer exchange and listens on a port.
func gossip(t *testing.T, s *Swarm, addr string, port uint16) *remote {
	t.Helper()
	rc := modern
	rc.addr = addr
	r := connect(t, s, rc)
	h := extension.Handshake{Port: port}
	h.IDs.Set(extension.PEXName, theirPEX)
	r.send(peerwire.Extended{Payload: h.AppendTo(nil)})
	return r
}

// exchanged returns the peer exchange messages that came since the last call.
func (r *remote) exchanged() (list []extension.PEX) {
	r.t.Helper()
	for _, m := range r.take() {
		if x, ok := m.(peerwire.Extended); ok && x.ID == theirPEX {
			p, err := extension.ParsePEX(x.Payload)
			require.NoError(r.t, err)
			list = append(list, p)
		}
	}
	return list
}

// tells sends a message of peer exchange.
func (r *remote) tells(m extension.PEX) {
	r.send(peerwire.Extended{ID: ourPEX, Payload: m.AppendTo(nil)})
}

// awake keeps peers from being dropped for their silence while time goes by.
func awake(d time.Duration, peers ...*remote) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(time.Minute, time.Until(end)))
		for _, r := range peers {
			r.send(peerwire.KeepAlive{})
		}
	}
	synctest.Wait()
}

// TestPeerExchange: "The PEX message contains the peers added and dropped since the last one", at most one a minute (BEP 11).
func TestPeerExchange(t *testing.T) {
	for _, mode := range []string{"plain", "masquerade"} {
		t.Run(mode, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(1<<20, 1<<18)
				if mode == "masquerade" {
					cfg.Superseed = &Superseed{}
				}
				cfg.Own = []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:6881")}
				s := start(t, cfg)
				one := gossip(t, s, "198.51.100.1:40001", 7001)
				two := gossip(t, s, "198.51.100.2:40002", 7002)
				gossip(t, s, "203.0.113.9:40002", 6881) // says that it is us
				rc := modern
				rc.addr = "198.51.100.3:40003"
				connect(t, s, rc) // does not say where it listens

				awake(25*time.Second, one, two)
				ofTwo := []extension.PEX{{Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.2:7002")}}}}
				ofOne := []extension.PEX{{Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.1:7001")}}}}
				first, second := one.exchanged(), two.exchanged()
				require.True(t, (first == nil) != (second == nil), "dials that cross are lost")
				awake(20*time.Second, one, two)
				require.Equal(t, ofTwo, append(first, one.exchanged()...))
				require.Equal(t, ofOne, append(second, two.exchanged()...))

				three := gossip(t, s, "198.51.100.4:40004", 7004)
				three.send(peerwire.HaveAll{}) // a seed
				awake(14*time.Second, one, two, three)
				require.Empty(t, one.exchanged(), "once a minute")
				if mode == "plain" {
					return // it has let the seed go by now
				}
				two.conn.Close()
				awake(9*time.Minute, one, three)
				require.Equal(t, []extension.PEX{{Dropped: []netip.AddrPort{netip.MustParseAddrPort("198.51.100.2:7002")}}}, one.exchanged())
				awake(2*time.Minute, one, three)
				var all extension.PEX
				for _, m := range one.exchanged() {
					all.Added, all.Dropped = append(all.Added, m.Added...), append(all.Dropped, m.Dropped...)
				}
				require.Equal(t, extension.PEX{
					Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.4:7004"), Flags: extension.PEXSeed}},
				}, all)
				awake(10*time.Minute, one, three)
				require.Empty(t, one.exchanged(), "nothing new, nothing sent")
			})
		})
	}
}

// TestPartnersAreToldAtOnce: who took a piece, and says so, is told of others who did, and they of it; of strangers nobody is.
func TestPartnersAreToldAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<14)
		cfg.Superseed = &Superseed{}
		s := start(t, cfg)
		one := gossip(t, s, "198.51.100.1:40001", 7001)
		gossip(t, s, "198.51.100.2:40002", 7002)
		three := gossip(t, s, "198.51.100.3:40003", 7003)
		takes := func(r *remote) {
			awake(time.Second, r)
			i := slices.IndexFunc(r.take(), func(m peerwire.Message) bool {
				have, ok := m.(peerwire.Have)
				if ok {
					r.send(peerwire.Interested{}, requests(have.Index, 0, 1)[0])
				}
				return ok
			})
			require.GreaterOrEqual(t, i, 0)
			awake(time.Second, r)
			r.send(peerwire.Have{Index: pieceOf(r.take())})
			awake(2*time.Second, r)
		}
		takes(one)
		require.Empty(t, one.exchanged(), "the others are strangers")
		takes(three)
		told := three.exchanged()
		require.Len(t, told, 1)
		require.Equal(t, []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.1:7001")}}, told[0].Added)
	})
}

// pieceOf returns the piece of the first block among messages.
func pieceOf(list []peerwire.Message) uint32 {
	for _, m := range list {
		if p, ok := m.(peerwire.Piece); ok {
			return p.Index
		}
	}
	return 0
}

// TestLiarsAreNoGossip: nobody is told of who claims what never left us, and it is told of nobody.
func TestLiarsAreNoGossip(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<14)
		cfg.Superseed = &Superseed{}
		s := start(t, cfg)
		one := gossip(t, s, "198.51.100.1:40001", 7001)
		two := gossip(t, s, "198.51.100.2:40002", 7002)
		liar := gossip(t, s, "198.51.100.3:40003", 7003)
		for i := range uint32(62) {
			liar.send(peerwire.Have{Index: i})
		}
		awake(3*time.Minute, one, two, liar)
		require.Empty(t, liar.exchanged())
		for r, want := range map[*remote]string{one: "198.51.100.2:7002", two: "198.51.100.1:7001"} {
			told := r.exchanged()
			require.Len(t, told, 1)
			require.Len(t, told[0].Added, 1)
			require.Equal(t, want, told[0].Added[0].Addr.String())
		}
	})
}

// TestPeerExchangeIsBounded has one peer among hundreds: "no more than 50 added" a message, 200 in all, other ones for each peer.
func TestPeerExchangeIsBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		s := start(t, cfg)
		var all []*remote
		for i := range 300 {
			all = append(all, gossip(t, s, fmt.Sprintf("198.51.%d.%d:40000", i/200, i%200+1), 7000))
		}
		var told [2]map[netip.AddrPort]bool
		for k, r := range all[:2] {
			told[k] = map[netip.AddrPort]bool{}
			r.take()
		}
		for range 8 {
			awake(70*time.Second, all...)
			for k, r := range all[:2] {
				list := r.exchanged()
				require.LessOrEqual(t, len(list), 2)
				for _, m := range list {
					require.LessOrEqual(t, len(m.Added), extension.MaxPEX)
					for _, p := range m.Added {
						require.False(t, told[k][p.Addr], "told twice")
						told[k][p.Addr] = true
					}
				}
			}
		}
		require.Len(t, told[0], maxTold)
		require.Len(t, told[1], maxTold)
		require.NotEqual(t, told[0], told[1])
	})
}

// TestCrowdIsToldInTurns: a thousand peers that come together are a million pairs to choose from; the loop, which others wait for, does not
// look at all of them at a time.
func TestCrowdIsToldInTurns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		s := start(t, cfg)
		var all []*remote
		for i := range 3 * maxTellings {
			all = append(all, gossip(t, s, fmt.Sprintf("198.51.%d.%d:40000", i/200, i%200+1), 7000))
		}
		told := 0
		for range 40 {
			time.Sleep(time.Second)
			synctest.Wait()
			before := told
			for _, r := range all {
				told += len(r.exchanged())
			}
			require.LessOrEqual(t, told-before, maxTellings)
		}
		require.Equal(t, len(all), told)
	})
}

// TestNothingIsExchangedInPrivate: in a private torrent "peers may only come from its trackers" (BEP 27), whatever a peer says.
func TestNothingIsExchangedInPrivate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.Info.Private, cfg.DialPatience = true, -1
		n := newTown()
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		one := gossip(t, s, "198.51.100.1:40001", 7001)
		two := gossip(t, s, "198.51.100.2:40002", 7002)
		for id := range uint8(10) {
			one.send(peerwire.Extended{ID: id, Payload: extension.PEX{
				Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.7:7000")}},
			}.AppendTo(nil)})
		}
		awake(5*time.Minute, one, two)
		require.Empty(t, one.exchanged())
		require.Empty(t, two.exchanged())
		require.Zero(t, n.all())
	})
}

// TestLocalPeersAreNotTold: an address of a local network means something there only.
func TestLocalPeersAreNotTold(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		s := start(t, cfg)
		far := gossip(t, s, "198.51.100.1:40001", 7001)
		near := gossip(t, s, "192.168.1.2:40002", 7002)
		same := gossip(t, s, "127.0.0.1:40003", 7003)
		service := gossip(t, s, "198.51.100.2:40004", 25)
		awake(25*time.Second, far, near, same, service)
		awake(5*time.Minute, far, near, same, service)
		require.Empty(t, far.exchanged())
		require.Equal(t, []extension.PEX{{Added: []extension.PEXPeer{{Addr: netip.MustParseAddrPort("198.51.100.1:7001")}}}}, near.exchanged())
		require.Len(t, same.exchanged()[0].Added, 2)
	})
}

func TestWhatPeersTellIsDialled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.DialPatience = -1
		cfg.Own = []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:6881")}
		n := newTown()
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		one := gossip(t, s, "198.51.100.1:40001", 7001)
		one.tells(extension.PEX{Added: []extension.PEXPeer{
			{Addr: netip.MustParseAddrPort("198.51.100.7:7000")},
			{Addr: netip.MustParseAddrPort("198.51.100.8:7000"), Flags: extension.PEXSeed},
			{Addr: netip.MustParseAddrPort("203.0.113.9:6881")},
			{Addr: netip.MustParseAddrPort("198.51.100.1:7001")},
			{Addr: netip.MustParseAddrPort("192.168.1.1:7000")},
			{Addr: netip.MustParseAddrPort("198.51.100.9:80")},
		}})
		time.Sleep(30 * time.Second)
		require.Equal(t, 1, n.all())
		require.Equal(t, 1, n.times("198.51.100.7:7000"))
	})
}

// TestHastyExchange: who sends one message after the other is not read, and not kept.
func TestHastyExchange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		s := start(t, cfg)
		one := gossip(t, s, "198.51.100.1:40001", 7001)
		for range 3 {
			one.tells(extension.PEX{})
		}
		require.False(t, one.closed())
		for range 5 {
			one.tells(extension.PEX{})
		}
		require.True(t, one.closed())

		two := gossip(t, s, "198.51.100.1:40001", 7001)
		for _, payload := range []string{"", "d", "i1e", "le", "d5:added3:abce", "d5:addedi1ee"} {
			two.send(peerwire.Extended{ID: ourPEX, Payload: []byte(payload)})
			awake(time.Minute, two)
		}
		require.False(t, two.closed(), "what makes no sense is passed over")
	})
}

// TestPoisonedExchange: 10,000 made-up addresses, told by 20 peers again and again for an hour, cost few dials and little memory.
func TestPoisonedExchange(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.DialPatience = -1
		n := newTown()
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		var liars []*remote
		for i := range 20 {
			liars = append(liars, gossip(t, s, fmt.Sprintf("198.51.100.%d:40000", i+1), 7000))
		}
		made := 0
		for range 60 {
			for _, r := range liars {
				var m extension.PEX
				for range extension.MaxPEX {
					a := netip.AddrFrom4([4]byte{11, byte(made >> 16), byte(made >> 8), byte(made)})
					m.Added = append(m.Added, extension.PEXPeer{Addr: netip.AddrPortFrom(a, 7000)})
					made++
				}
				r.tells(m)
			}
			awake(time.Minute, liars...)
		}
		kept, _ := ask(s, func(l *loop, _ time.Time) int { return l.pool.Total() })
		t.Logf("%d addresses told, %d dialled, %d kept", made, n.all(), kept)
		require.LessOrEqual(t, kept, 100)
		require.LessOrEqual(t, n.all(), 2000, "of 60,000")
	})
}

// TestCanonicalPriority: when there is no room, the peer of the lowest priority makes way for one of a higher one (BEP 40).
func TestCanonicalPriority(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.MaxPeers = 4
		cfg.Own = []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:6881")}
		s := start(t, cfg)
		var ranks []uint32
		var remotes []*remote
		add := func(i int) bool {
			rc := modern
			rc.addr = fmt.Sprintf("198.51.%d.1:40000", i)
			r := connect(t, s, rc)
			r.send(peerwire.Interested{})
			remotes = append(remotes, r)
			return !r.closed()
		}
		rank := func(i int) uint32 { return s.rank(nil, netip.MustParseAddrPort(fmt.Sprintf("198.51.%d.1:40000", i))) }
		for i := range 4 {
			require.True(t, add(i))
			ranks = append(ranks, rank(i))
		}
		for i := 4; i < 8; i++ {
			require.False(t, add(i), "nobody is older than a minute")
		}
		awake(70*time.Second, remotes...)
		for i := 8; i < 16; i++ {
			before := slices.Min(ranks)
			stays := add(i)
			require.Equal(t, rank(i) > before, stays)
			if stays {
				ranks[slices.Index(ranks, before)] = rank(i)
				awake(70*time.Second, remotes...)
			}
		}
		require.Equal(t, 4, s.Stats().Peers)
	})
}

// TestWhoIsServedKeepsItsPlace: many addresses have some of a high priority; they push out who idles, not who downloads.
func TestWhoIsServedKeepsItsPlace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(16<<20, 1<<18)
		cfg.MaxPeers = 4
		cfg.Own = []netip.AddrPort{netip.MustParseAddrPort("203.0.113.9:6881")}
		s := start(t, cfg)
		add := func(addr string) *remote {
			rc := modern
			rc.addr = addr
			r := connect(t, s, rc)
			r.send(peerwire.Interested{})
			return r
		}
		address := func(i int) string { return fmt.Sprintf("198.51.%d.1:40000", i) }
		rank := func(i int) uint32 { return s.rank(nil, netip.MustParseAddrPort(address(i))) }
		lowest := 0
		for i := range 200 {
			if rank(i) < rank(lowest) {
				lowest = i
			}
		}
		honest := add(address(lowest))
		for i := range 200 {
			if i != lowest {
				add(address(i))
			}
			if i%3 == 0 {
				honest.send(requests(uint32(i)%64, 0, 16)...)
				time.Sleep(time.Second)
			}
		}
		for i := range 100 {
			for range 3 {
				honest.send(requests(uint32(i)%64, 0, 16)...)
				time.Sleep(time.Second)
			}
			add(fmt.Sprintf("198.52.%d.1:40000", i))
			require.False(t, honest.closed(), "after %d of them", i)
		}
	})
}
