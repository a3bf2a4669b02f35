package dhtnet

import (
	"net"
	"net/netip"

	"github.com/seedserver/bittorrent/dht"
)

const (
	batchSize  = 64   // packets of one system call
	packetSize = 2048 // bytes that are read of a packet; what is longer is no message of anybody's
)

// socket is one UDP socket, read by one goroutine and written by another.
type socket struct {
	conn *net.UDPConn
	six  bool
	read *receiver
	send *sender
	free chan *batch
}

// batch is what one read brought.
type batch struct {
	socket   *socket
	packets  []dht.Packet // in memory of the batch
	arrivals []arrival    // to which address of ours each came; none where that is not known
	buffers  []byte
	next     int // of packets, which arrivalOf looks at first
}

const batches = 4 // of a socket

func newSocket(conn *net.UDPConn) (*socket, error) {
	local, _ := netip.ParseAddrPort(conn.LocalAddr().String())
	s := &socket{conn: conn, six: local.Addr().Is6() && !local.Addr().Is4In6(), free: make(chan *batch, batches)}
	var err error
	if s.read, err = newReceiver(conn, s.six); err != nil {
		return nil, err
	}
	if s.send, err = newSender(conn, s.six); err != nil {
		return nil, err
	}
	for range batches {
		s.free <- &batch{socket: s, packets: make([]dht.Packet, 0, batchSize), buffers: make([]byte, batchSize*packetSize)}
	}
	return s, nil
}

// arrivalOf returns where the packet came to that one to addr answers; nil if it answers none of b, or that is not known. Answers come
// in the order of the packets, so that it seldom looks at more than one.
func (b *batch) arrivalOf(addr netip.AddrPort) *arrival {
	if b == nil || len(b.arrivals) == 0 {
		return nil
	}
	for range b.packets {
		i := b.next % len(b.packets)
		b.next = i + 1
		if b.packets[i].Addr == addr {
			return &b.arrivals[i]
		}
	}
	return nil
}

// buffer returns the memory of packet i.
func (b *batch) buffer(i int) []byte { return b.buffers[i*packetSize : (i+1)*packetSize] }
