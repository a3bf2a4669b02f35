package seedserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
)

// listenHTTP opens the public listener as lc says.
func listenHTTP(ctx context.Context, addr string, lc net.ListenConfig) (net.Listener, error) {
	l, err := lc.Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is taken by another program; choose another address with --http, for example --http :8090", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("opening --http %s: %w", addr, err)
	}
	return l, nil
}

// listenPeer opens the peer listener: at addr, or, unless exact, at the next ports up to 6889 when that one is taken.
func listenPeer(ctx context.Context, addr string, exact bool) (net.Listener, error) {
	host, portText, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--peer %q: give HOST:PORT or :PORT", addr)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("--peer %q: the port must be a number up to 65535", addr)
	}
	last := max(port, lastPeerPort)
	if exact || port == 0 {
		last = port
	}
	var lc net.ListenConfig
	for p := port; ; p++ {
		l, err := lc.Listen(ctx, "tcp", net.JoinHostPort(host, strconv.FormatUint(p, 10)))
		switch {
		case err == nil:
			return l, nil
		case !errors.Is(err, syscall.EADDRINUSE):
			return nil, fmt.Errorf("opening --peer %s: %w", addr, err)
		case p < last:
		case port == last:
			return nil, fmt.Errorf("%s is taken by another program; choose another address with --peer, for example --peer :6890", addr)
		default:
			return nil, fmt.Errorf("ports %d to %d are all taken; choose another address with --peer, for example --peer :6890", port, last)
		}
	}
}

// checkListen reports what is wrong with an address to listen at, as far as that can be seen.
func checkListen(setting, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s %q: give HOST:PORT or :PORT", setting, addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("%s %q: the port must be a number up to 65535", setting, addr)
	}
	return nil
}

// bindOf is the address in addr, which an interface or a name is not.
func bindOf(addr string) netip.Addr {
	host, _, _ := net.SplitHostPort(addr)
	ip, _ := netip.ParseAddr(host)
	return ip.Unmap()
}

// boundAddr is where l listens; an unspecified address stays unspecified.
func boundAddr(l net.Listener) netip.AddrPort {
	ap, err := netip.ParseAddrPort(l.Addr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
