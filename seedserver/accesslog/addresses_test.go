package accesslog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAddresses(t *testing.T) {
	for _, tt := range []struct{ addr, truncated, full string }{
		{"198.51.100.77", "198.51.100.0", "198.51.100.77"},
		{"::ffff:198.51.100.77", "198.51.100.0", "198.51.100.77"},
		{"2001:db8:1:2:3::4", "2001:db8:1::", "2001:db8:1:2:3::4"},
		{"fe80::1%eth0", "fe80::", "fe80::1"},
		{"", "0.0.0.0", "0.0.0.0"},
	} {
		var addr netip.Addr
		if tt.addr != "" {
			addr = netip.MustParseAddr(tt.addr)
		}
		require.Equal(t, tt.truncated, Truncated.Of(addr).String())
		require.Equal(t, tt.full, Full.Of(addr).String())
		require.Equal(t, "0.0.0.0", Off.Of(addr).String())
	}
	for _, a := range []Addresses{Truncated, Off, Full} {
		back, err := ParseAddresses(a.String())
		require.NoError(t, err)
		require.Equal(t, a, back)
	}
	_, err := ParseAddresses("some")
	require.ErrorContains(t, err, "off, truncated, full")
	require.Equal(t, Truncated, *new(Addresses), "without being told, no whole address is written")
}

func TestEvents(t *testing.T) {
	peer := netip.MustParseAddrPort("198.51.100.77:4321")
	reset := fmt.Errorf("reading: %w", &net.OpError{
		Op: "read", Net: "tcp", Source: net.TCPAddrFromAddrPort(peer), Addr: net.TCPAddrFromAddrPort(peer), Err: syscall.ECONNRESET})
	say := func(a Addresses) string {
		var out bytes.Buffer
		log := slog.New(a.Events(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo})))
		log.Debug("not this", "peer", peer)
		log.With("peer", peer).WithGroup("g").Info("gone", "addr", peer.Addr(), "err", reset, "n", 7, "other", errors.New("plain"))
		require.Equal(t, 1, strings.Count(out.String(), "\n"))
		require.Contains(t, out.String(), "g.n=7")
		require.Contains(t, out.String(), "g.other=plain")
		require.Contains(t, out.String(), "connection reset")
		return out.String()
	}
	require.Contains(t, say(Full), "peer=198.51.100.77:4321 g.addr=198.51.100.77 ")
	require.Contains(t, say(Truncated), "peer=198.51.100.0 g.addr=198.51.100.0 ")
	require.NotContains(t, say(Truncated), "100.77")
	require.NotContains(t, say(Off), "198.51")

	var out bytes.Buffer
	slog.New(Truncated.Events(slog.NewTextHandler(&out, nil))).Info("gone", "err", reset)
	require.NotContains(t, out.String(), "100.77")
	require.ErrorIs(t, Truncated.ofError(reset), syscall.ECONNRESET)
}
