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
	socket  *socket
	packets []dht.Packet // in memory of the batch
	buffers []byte
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

// buffer returns the memory of packet i.
func (b *batch) buffer(i int) []byte { return b.buffers[i*packetSize : (i+1)*packetSize] }
