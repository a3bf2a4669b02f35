package udptracker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// serve runs a server on a loopback address until the test ends, and returns
// its address. The server must end in time.
func serve(t testing.TB, s *Server, address string) netip.AddrPort {
	ctx, cancel := context.WithCancelCause(context.Background())
	conns, err := Listen(ctx, address, 1)
	require.NoError(t, err)
	addr := conns[0].LocalAddr().(*net.UDPAddr).AddrPort()
	done := make(chan error)
	go func() { done <- s.Serve(ctx, conns[0]) }()
	t.Cleanup(func() {
		end := errors.New("end of test")
		cancel(end)
		select {
		case err := <-done:
			require.ErrorIs(t, err, end)
		case <-time.After(10 * time.Second):
			t.Error("Serve did not return")
		}
	})
	return addr
}

// client is a socket that talks to a server.
type client struct {
	t    testing.TB
	conn net.Conn
	id   uint64
}

func dial(t testing.TB, server netip.AddrPort) *client {
	conn, err := net.Dial("udp", server.String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	c := &client{t: t, conn: conn}
	c.id, err = ParseConnectResponse(c.exchange(AppendConnectRequest(nil, 1)))
	require.NoError(t, err)
	return c
}

// exchange sends a packet and returns what comes back.
func (c *client) exchange(packet []byte) []byte {
	_, err := c.conn.Write(packet)
	require.NoError(c.t, err)
	c.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	buf := make([]byte, 4096)
	n, err := c.conn.Read(buf)
	require.NoError(c.t, err)
	return buf[:n]
}

func TestServer(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			six := address[0] == '['
			s := New(Config{Store: peerstore.New(peerstore.Config{}), Policy: tracker.Policy{Jitter: -1}})
			server := serve(t, s, address)
			var res tracker.AnnounceResponse
			for i := range 3 {
				c := dial(t, server)
				req := testRequest(tracker.EventStarted, -1)
				req.Left, req.Addr, req.Key = int64(i), netip.AddrPortFrom(netip.Addr{}, uint16(2000+i)), uint32(i+1)
				answer := c.exchange(AppendAnnounceRequest(nil, c.id, 7, req, "/announce"))
				head, err := ParseResponse(answer)
				require.NoError(t, err)
				require.Equal(t, Response{ActionAnnounce, 7}, head)
				require.NoError(t, ParseAnnounceResponse(answer, six, &res))
				require.Equal(t, 30*time.Minute, res.Interval)
				require.Equal(t, 1, res.Complete)
				require.Equal(t, i, res.Incomplete)
				n := 0
				for peer := range res.Peers() {
					require.Equal(t, server.Addr(), peer.Addr())
					n++
				}
				require.Equal(t, i, n)
			}
			c := dial(t, server)
			answer := c.exchange(AppendScrapeRequest(nil, c.id, 8, [][20]byte{{}, testHash()}))
			stats, err := ParseScrapeResponse(nil, answer)
			require.NoError(t, err)
			require.Equal(t, []tracker.ScrapeStats{{}, {Complete: 1, Incomplete: 2, Downloaders: 2}}, stats)
			require.Eventually(t, func() bool {
				return s.Stats() == Stats{Connects: 4, Announces: 3, Scrapes: 1}
			}, 10*time.Second, time.Millisecond)
		})
	}
}

// All sockets of Listen have one port, and packets to it are answered by one of
// them.
func TestListenOnSeveralSockets(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	conns, err := Listen(ctx, "127.0.0.1:0", 3)
	require.NoError(t, err)
	s := New(Config{Store: peerstore.New(peerstore.Config{})})
	done := make(chan error)
	for _, conn := range conns {
		require.Equal(t, conns[0].LocalAddr(), conn.LocalAddr())
		go func() { done <- s.Serve(ctx, conn) }()
	}
	addr := conns[0].LocalAddr().(*net.UDPAddr).AddrPort()
	for range 20 {
		dial(t, addr)
	}
	cancel()
	for range conns {
		require.ErrorIs(t, <-done, context.Canceled)
	}
}

// An address that cannot be listened on is an error that names it.
func TestListenFails(t *testing.T) {
	_, err := Listen(t.Context(), "127.0.0.1:99999", 2)
	require.ErrorContains(t, err, "127.0.0.1:99999")
}
