package swarm

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// A client with two addresses gets our handshake on one of its two connections only: it knows which one to keep.
func TestWhoCallsTwiceIsAnsweredOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		h, sb := host(t, HostConfig{}, s)
		first := sb.call(t, "198.51.100.1:5000")
		second := sb.call(t, "[2001:db8::1]:5001")
		first.say(hello(cfg.InfoHash, 1))
		second.say(hello(cfg.InfoHash, 1))
		require.NotEmpty(t, first.got())
		require.False(t, first.over())
		require.Empty(t, second.got())
		require.True(t, second.over())
		require.Equal(t, 1, s.Stats().Peers)
		require.Equal(t, 1, h.Connections())
	})
}

// Of two connections that we opened, the one that the peer does not close stays; if it closes none, the first.
func TestWhoIsCalledTwiceChooses(t *testing.T) {
	for name, closes := range map[string]int{"the first": 0, "the second": 1, "neither": -1} {
		t.Run("closes "+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(1<<20, 1<<18)
				cfg.DialPatience = -1
				n := newTown()
				var conns []net.Conn
				for _, addr := range []string{"198.51.100.1:7000", "[2001:db8::1]:7000"} {
					n.settle(addr, answerOf(cfg, "one"))
					at := netip.MustParseAddrPort(addr)
					answer := n.answers[at]
					n.answers[at] = func(conn net.Conn) {
						conns = append(conns, conn)
						answer(conn)
					}
				}
				s := start(t, cfg)
				h := dialling(t, n, HostConfig{}, s)
				tell(t, s, "198.51.100.1:7000")
				require.Equal(t, 1, s.Stats().Peers)
				tell(t, s, "[2001:db8::1]:7000")
				require.Len(t, conns, 2)
				require.Equal(t, 1, s.Stats().Peers)
				require.Equal(t, 2, h.Connections())
				if closes >= 0 {
					conns[closes].Close()
				}
				synctest.Wait()
				require.Equal(t, 1, s.Stats().Peers, "at once")
				time.Sleep(spareTimeout + time.Second)
				synctest.Wait()
				require.Equal(t, 1, s.Stats().Peers)
				require.Equal(t, 1, h.Connections())
				stays := "198.51.100.1:7000"
				if closes == 0 {
					stays = "[2001:db8::1]:7000"
				}
				require.Equal(t, stays, s.Peers()[0].Addr.String())
			})
		})
	}
}

// A second connection is closed with the torrent.
func TestSecondConnectionsEndWithTheSwarm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.DialPatience = -1
		n := newTown()
		for _, addr := range []string{"198.51.100.1:7000", "[2001:db8::1]:7000"} {
			n.settle(addr, answerOf(cfg, "one"))
		}
		s, stop := startUntil(t, cfg)
		h := dialling(t, n, HostConfig{}, s)
		tell(t, s, "198.51.100.1:7000", "[2001:db8::1]:7000")
		require.Equal(t, 2, h.Connections())
		stop()
		synctest.Wait()
		require.Zero(t, h.Connections())
	})
}

// Two that know two addresses of each other, and call all of them at once, end up with one connection.
func TestTwoThatCallEachOther(t *testing.T) {
	addrs := [2][]string{{"198.51.100.1:7000", "[2001:db8::1]:7000"}, {"198.51.100.2:7000", "[2001:db8::2]:7000"}}
	for name, who := range map[string][]int{"one calls": {0}, "the other calls": {1}, "both call": {0, 1}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				ids := [2]peerwire.PeerID{ourID, peerwire.NewPeerID("-SS0001-", []byte("zzzzzzzzzzzz"))}
				var swarms [2]*Swarm
				var hosts [2]*Host
				for i := range 2 {
					cfg, _ := torrent(1<<20, 1<<18)
					cfg.PeerID, cfg.DialPatience = ids[i], -1
					swarms[i] = start(t, cfg)
				}
				var boards [2]*switchboard
				for i := range 2 {
					dial := func(_ context.Context, addr netip.AddrPort) (net.Conn, error) {
						ours, theirs := net.Pipe()
						boards[1-i].conns <- from{theirs, netip.AddrPortFrom(netip.MustParseAddrPort(addrs[i][0]).Addr(), 40000).String()}
						return from{ours, addr.String()}, nil
					}
					hosts[i], boards[i] = host(t, HostConfig{Dial: dial}, swarms[i])
					ctx, cancel := context.WithCancel(t.Context())
					t.Cleanup(cancel)
					go hosts[i].Dial(ctx) //nolint:errcheck // it ends with ctx
				}
				for _, i := range who {
					var peers []candidates.Peer
					for _, a := range addrs[1-i] {
						peers = append(peers, candidates.Peer{Addr: netip.MustParseAddrPort(a)})
					}
					require.True(t, swarms[i].AddCandidates(candidates.Tracker, netip.Addr{}, peers...))
				}
				synctest.Wait()
				for _, after := range []time.Duration{0, time.Second, spareTimeout} {
					time.Sleep(after)
					synctest.Wait()
					for i := range 2 {
						require.Equal(t, 1, swarms[i].Stats().Peers, "after %v", after)
					}
				}
				for i := range 2 {
					require.Equal(t, 1, hosts[i].Connections())
				}
			})
		})
	}
}

func TestWhichOfTwoConnectionsStays(t *testing.T) {
	low, high := peerwire.NewPeerID("-AA0000-", make([]byte, 12)), peerwire.NewPeerID("-ZZ0000-", make([]byte, 12))
	now := time.Unix(1e9, 0)
	for _, tc := range []struct {
		name            string
		ours, theirs    peerwire.PeerID
		newDialled      bool
		oldDialled      bool
		oldAge, silence time.Duration
		sameAddress     bool
		want            bool
	}{
		{"the greater called", high, low, true, false, time.Second, 0, false, true},
		{"the greater called first", high, low, false, true, time.Second, 0, false, false},
		{"the lesser called", low, high, true, false, time.Second, 0, false, false},
		{"the lesser called first", low, high, false, true, time.Second, 0, false, true},
		{"both came", high, low, false, false, time.Second, 0, false, false},
		{"we opened both", high, low, true, true, time.Second, 0, false, false},
		{"an old connection stays", low, high, false, true, time.Minute, 0, false, false},
		{"one that fell silent", low, high, false, false, time.Hour, staleTimeout, true, true},
		{"one that fell silent, and a stranger", low, high, false, false, time.Hour, staleTimeout, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			old := &peer{
				addr: netip.MustParseAddrPort("198.51.100.1:1"), dialled: tc.oldDialled,
				connected: now.Add(-tc.oldAge), heard: now.Add(-tc.silence),
			}
			a := admission{addr: netip.MustParseAddrPort("198.51.100.2:1"), id: tc.theirs, ours: tc.ours, dialled: tc.newDialled}
			if tc.sameAddress {
				a.addr = netip.MustParseAddrPort("198.51.100.1:2")
			}
			require.Equal(t, tc.want, replaces(now, a, old))
		})
	}
}
