//go:build !linux

package dhtnet

import (
	"net"
	"net/netip"

	"github.com/seedserver/bittorrent/dht"
)

// arrival is not known here: answers leave from the address that the system chooses.
type arrival struct{}

// receiver takes packets one by one, where there is no call for many.
type receiver struct{ conn *net.UDPConn }

func newReceiver(conn *net.UDPConn, _ bool) (*receiver, error) { return &receiver{conn}, nil }

// fill waits for a packet and puts it into b.
func (r *receiver) fill(b *batch) error {
	b.packets = b.packets[:0]
	n, addr, err := r.conn.ReadFromUDPAddrPort(b.buffer(0))
	if err != nil {
		return err
	}
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	b.packets = append(b.packets, dht.Packet{Addr: addr, Data: b.buffer(0)[:n]})
	return nil
}

// sender sends packets one by one.
type sender struct{ conn *net.UDPConn }

func newSender(conn *net.UDPConn, _ bool) (*sender, error) { return &sender{conn}, nil }

// send sends packets and returns how many could not be sent.
func (s *sender) send(packets []dht.Packet, _ *batch) (failed int) {
	for _, p := range packets {
		if _, err := s.conn.WriteToUDPAddrPort(p.Data, p.Addr); err != nil {
			failed++
		}
	}
	return failed
}
