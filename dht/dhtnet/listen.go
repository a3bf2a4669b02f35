package dhtnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Listen opens the sockets for a node at addr: if its address is unspecified, of IPv4 and of IPv6, where the system has it. The
// port is the same for both; if it is 0, the system chooses it.
func Listen(ctx context.Context, addr netip.AddrPort) ([]*net.UDPConn, error) {
	ip := addr.Addr().Unmap()
	if !ip.IsValid() || ip.IsUnspecified() {
		four, err := listen(ctx, "udp4", netip.AddrPortFrom(netip.IPv4Unspecified(), addr.Port()))
		if err != nil {
			return nil, err
		}
		port := four.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if six, err := listen(ctx, "udp6", netip.AddrPortFrom(netip.IPv6Unspecified(), port)); err == nil {
			return []*net.UDPConn{four, six}, nil
		}
		return []*net.UDPConn{four}, nil // a system without IPv6
	}
	network := "udp4"
	if ip.Is6() {
		network = "udp6"
	}
	c, err := listen(ctx, network, netip.AddrPortFrom(ip, addr.Port()))
	if err != nil {
		return nil, err
	}
	return []*net.UDPConn{c}, nil
}

func listen(ctx context.Context, network string, addr netip.AddrPort) (*net.UDPConn, error) {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, network, addr.String())
	if err != nil {
		return nil, fmt.Errorf("opening %s port %d for the DHT: %w", network, addr.Port(), err)
	}
	conn, ok := c.(*net.UDPConn)
	if !ok {
		return nil, errors.Join(errors.New("dhtnet: not a UDP socket"), c.Close())
	}
	_ = conn.SetReadBuffer(socketBuffer) // as much as the system grants
	_ = conn.SetWriteBuffer(socketBuffer)
	return conn, nil
}

// socketBuffer is how many bytes of packets may wait in the kernel.
const socketBuffer = 2 << 20
