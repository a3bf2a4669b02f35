package udptracker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Listen opens count UDP sockets on one address, all of IPv4 and IPv6 if it
// names no host. The system spreads clients over them, so that as many
// processors can answer; where it cannot, and for a count under 1, there is one
// socket. A port of 0 is drawn by the system and the same for all.
func Listen(ctx context.Context, address string, count int) ([]*net.UDPConn, error) {
	if count = max(1, count); !canShare {
		count = 1
	}
	lc := net.ListenConfig{}
	if count > 1 {
		lc.Control = func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) { failed = share(fd) })
			return errors.Join(err, failed)
		}
	}
	var conns []*net.UDPConn
	for range count {
		conn, err := lc.ListenPacket(ctx, "udp", address)
		if err != nil {
			for _, c := range conns {
				c.Close()
			}
			return nil, fmt.Errorf("listening for udp on %s: %w", address, err)
		}
		udp := conn.(*net.UDPConn)
		udp.SetReadBuffer(readBuffer) // the system may give less
		conns, address = append(conns, udp), udp.LocalAddr().String()
	}
	return conns, nil
}

// readBuffer is how many bytes of packets may wait for a socket: a burst of
// 10,000 announces.
const readBuffer = 4 << 20
