//go:build !linux || !(amd64 || arm64)

package udptracker

import (
	"errors"
	"net"
	"net/netip"
	"time"
)

// port is a socket that takes one packet at a time.
type port struct {
	conn     *net.UDPConn
	from     netip.AddrPort
	buf      [maxPacket]byte
	n        int
	space    [maxReply]byte
	answered []byte
}

func newPort(conn *net.UDPConn) (*port, error) { return &port{conn: conn}, nil }

func (p *port) close()     { p.conn.Close() }
func (p *port) interrupt() { p.conn.SetReadDeadline(time.Unix(1, 0)) }

// receive waits for a packet. What a system tells of earlier answers that did
// not arrive is no error of the socket.
func (p *port) receive() (int, error) {
	var err error
	p.n, p.from, err = p.conn.ReadFromUDPAddrPort(p.buf[:])
	switch {
	case err == nil:
		return 1, nil
	case errors.Is(err, net.ErrClosed):
		return 0, err
	}
	return 0, nil
}

func (p *port) packet(int) (from netip.AddrPort, packet, reply []byte) {
	from = netip.AddrPortFrom(p.from.Addr().Unmap().WithZone(""), p.from.Port())
	return from, p.buf[:p.n], p.space[:0]
}

func (p *port) reply(_ int, b []byte) { p.answered = b }

func (p *port) send(n int) {
	if n > 0 && len(p.answered) > 0 {
		p.conn.WriteToUDPAddrPort(p.answered, p.from) // the client asks again if this fails
	}
}
