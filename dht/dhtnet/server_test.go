package dhtnet_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/dhtnet"
)

// start runs a server on loopback until the test ends.
func start(t *testing.T, cfg dhtnet.Config, addr string) (s *dhtnet.Server, at netip.AddrPort, stop func() error) {
	conns, err := dhtnet.Listen(t.Context(), netip.MustParseAddrPort(addr))
	require.NoError(t, err)
	cfg.Conns = conns
	s, err = dhtnet.New(cfg)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() { _ = stop() })
	return s, s.Addrs()[0], stop
}

// Five servers on loopback: what one publishes the others find, over IPv4 and over IPv6.
func TestPublishAndFind(t *testing.T) {
	for _, loopback := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(loopback, func(t *testing.T) {
			if c, err := net.ListenPacket("udp", loopback); err != nil {
				t.Skipf("this system has no %s: %v", loopback, err)
			} else {
				c.Close()
			}
			_, router, _ := start(t, dhtnet.Config{}, loopback)
			var servers []*dhtnet.Server
			for range 4 {
				s, _, _ := start(t, dhtnet.Config{Routers: []string{router.String()}, Node: dht.Config{Port: 7000}}, loopback)
				servers = append(servers, s)
			}
			infohash := dht.ID{1, 2, 3}
			servers[0].Publish(infohash)
			require.Eventually(t, func() bool {
				st, err := servers[0].Stats(t.Context())
				return err == nil && st.Stores > 0
			}, 20*time.Second, 20*time.Millisecond)
			var peers []netip.AddrPort
			done, err := servers[1].Lookup(t.Context(), infohash, dht.Peers, func(found []netip.AddrPort) { peers = append(peers, found...) })
			require.NoError(t, err)
			require.Len(t, done, 1)
			require.Equal(t, []netip.AddrPort{netip.AddrPortFrom(router.Addr(), 7000)}, peers)

			servers[0].Demand(infohash)
			servers[0].Withdraw(infohash)
			pong, err := servers[1].Ping(t.Context(), router)
			require.NoError(t, err)
			require.True(t, pong.OK)
		})
	}
}

func TestFileKeepsTheTable(t *testing.T) {
	_, router, _ := start(t, dhtnet.Config{}, "127.0.0.1:0")
	file := filepath.Join(t.TempDir(), "dht")
	cfg := dhtnet.Config{File: file}
	s, _, stop := start(t, cfg, "127.0.0.1:0")
	s.AddNodes(router)
	contacts := func(s *dhtnet.Server) func() bool {
		return func() bool {
			st, err := s.Stats(t.Context())
			return err == nil && st.Families[0].Contacts == 1
		}
	}
	require.Eventually(t, contacts(s), 10*time.Second, 10*time.Millisecond)
	before, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.NoError(t, stop())

	s, _, _ = start(t, cfg, "127.0.0.1:0")
	require.Eventually(t, contacts(s), 10*time.Second, 10*time.Millisecond)
	after, err := s.Stats(t.Context())
	require.NoError(t, err)
	require.Equal(t, before.Families[0].ID, after.Families[0].ID)

	require.NoError(t, os.WriteFile(file, []byte("damaged"), 0o600))
	start(t, cfg, "127.0.0.1:0")
}

func TestCallsAfterTheEnd(t *testing.T) {
	s, addr, stop := start(t, dhtnet.Config{}, "127.0.0.1:0")
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	_, err := s.Ping(ctx, netip.MustParseAddrPort("127.0.0.1:9"))
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Lookup(ctx, dht.ID{}, dht.Nodes, nil)
	require.True(t, err == nil || ctx.Err() != nil)
	require.NoError(t, stop())
	_, err = s.Lookup(t.Context(), dht.ID{}, dht.Peers, nil)
	require.ErrorIs(t, err, dhtnet.ErrClosed)
	_, err = s.Ping(t.Context(), addr)
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = s.Stats(t.Context())
	require.ErrorIs(t, err, net.ErrClosed)
	s.Publish(dht.ID{})
}

func TestListen(t *testing.T) {
	conns, err := dhtnet.Listen(t.Context(), netip.MustParseAddrPort("[::]:0"))
	require.NoError(t, err)
	port := conns[0].LocalAddr().(*net.UDPAddr).Port
	for _, c := range conns {
		require.Equal(t, port, c.LocalAddr().(*net.UDPAddr).Port, "the same for both families")
	}
	_, err = dhtnet.Listen(t.Context(), netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(port)))
	require.ErrorContains(t, err, fmt.Sprint(port))
	for _, c := range conns {
		c.Close()
	}
	_, err = dhtnet.New(dhtnet.Config{})
	require.Error(t, err)
	_, err = dhtnet.Resolve(t.Context(), "nothing")
	require.ErrorContains(t, err, "HOST:PORT")
}

func saved() dht.Saved {
	return dht.Saved{ID4: dht.ID{1}, ID6: dht.ID{2}, Nodes: []compact.Node{
		{ID: dht.ID{3}, Addr: netip.MustParseAddrPort("192.0.2.1:7000")}, {ID: dht.ID{4}, Addr: netip.MustParseAddrPort("[2001:db8::1]:7000")}}}
}

func TestSaved(t *testing.T) {
	got, err := dhtnet.ParseSaved(dhtnet.AppendSaved(nil, saved()))
	require.NoError(t, err)
	require.Equal(t, saved(), got)
	_, err = dhtnet.ParseSaved([]byte("d5:nodes3:abce"))
	require.Error(t, err)
}

func FuzzParseSaved(f *testing.F) {
	f.Add(dhtnet.AppendSaved(nil, saved()))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := dhtnet.ParseSaved(b)
		if err != nil {
			return
		}
		again, err := dhtnet.ParseSaved(dhtnet.AppendSaved(nil, s))
		require.NoError(t, err)
		require.Equal(t, len(s.Nodes), len(again.Nodes))
	})
}
