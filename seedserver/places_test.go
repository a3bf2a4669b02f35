package seedserver

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// TestAtMost: who comes when all places are taken waits until one is free.
func TestAtMost(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := atMost(inner, 2, 1, web.Proxies{netip.MustParsePrefix("127.0.0.0/8")}.Trusts)
	accepted := make(chan net.Conn)
	end := make(chan error, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				end <- err
				return
			}
			accepted <- conn
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	dial()
	dial()
	first, second := <-accepted, <-accepted
	third := dial()
	select {
	case <-accepted:
		t.Fatal("a third one is accepted")
	default:
	}
	require.NoError(t, first.Close())
	first.Close() // a place is given back once
	conn := <-accepted
	require.Equal(t, third.LocalAddr().String(), conn.RemoteAddr().String())
	dial()
	require.NoError(t, l.Close())
	require.ErrorIs(t, <-end, net.ErrClosed)
	require.NoError(t, second.Close())
	require.NoError(t, conn.Close())
}

// TestPlacesOfOneAddress: who has as many as it may is turned away, and others are not.
func TestPlacesOfOneAddress(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	l := atMost(inner, 10, 2, func(netip.Addr) bool { return false })
	defer l.Close()
	accepted := make(chan net.Conn, 10)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	dial := func(from string) net.Conn {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		conn, err := dialer.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	dial("127.0.0.2")
	dial("127.0.0.2")
	first := <-accepted
	<-accepted
	_, err = dial("127.0.0.2").Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
	dial("127.0.0.3")
	require.Contains(t, (<-accepted).RemoteAddr().String(), "127.0.0.3")
	require.NoError(t, first.Close())
	dial("127.0.0.2")
	require.Contains(t, (<-accepted).RemoteAddr().String(), "127.0.0.2")
}

// TestPlacesOfOneNetwork: the addresses of a network have half of the places together.
func TestPlacesOfOneNetwork(t *testing.T) {
	for _, from := range []string{"192.0.2.%d", "2001:db8:1:%d::1"} {
		inner := make(pipes, 10)
		l := atMost(inner, 6, 1, func(netip.Addr) bool { return false })
		var open net.Conn
		for i := range 4 {
			inner <- &remoteConn{addr: netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf(from, i+1)), 80)}
			if i < 3 {
				conn, err := l.Accept()
				require.NoError(t, err)
				open = conn
			}
		}
		inner <- &remoteConn{addr: netip.MustParseAddrPort("198.51.100.1:80")}
		other, err := l.Accept()
		require.NoError(t, err)
		require.Equal(t, "198.51.100.1:80", other.RemoteAddr().String(), "the fourth of the network is turned away")
		require.NoError(t, open.Close())
		inner <- &remoteConn{addr: netip.AddrPortFrom(netip.MustParseAddr(fmt.Sprintf(from, 4)), 80)}
		_, err = l.Accept()
		require.NoError(t, err)
	}
}

func TestRemoteOf(t *testing.T) {
	for from, want := range map[string][2]string{
		"192.0.2.7":        {"192.0.2.7/32", "192.0.2.0/24"},
		"::ffff:192.0.2.7": {"192.0.2.7/32", "192.0.2.0/24"},
		"2001:db8:1:2::7":  {"2001:db8:1:2::/64", "2001:db8:1::/48"},
		"10.1.2.3":         {"10.1.2.3/32", "invalid Prefix"},
		"127.0.0.9":        {"127.0.0.9/32", "invalid Prefix"},
		"fd00::1":          {"fd00::/64", "invalid Prefix"},
		"::1":              {"::1/128", "invalid Prefix"},
		"fe80::1%lo":       {"fe80::/64", "invalid Prefix"},
	} {
		r := remoteOf(remoteConn{addr: netip.AddrPortFrom(netip.MustParseAddr(from), 80)})
		require.Equal(t, want, [2]string{r.address.String(), r.network.String()}, from)
	}
}

// remoteConn is a connection of which only the other end is known.
type remoteConn struct {
	net.Conn
	addr netip.AddrPort
}

func (c remoteConn) Close() error { return nil }

func (c remoteConn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.addr) }
