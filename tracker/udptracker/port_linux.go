//go:build linux && (amd64 || arm64)

package udptracker

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"
)

// port is a socket that takes and sends many packets with one system call
// (recvmmsg, sendmmsg), and waits in the first of them: its thread sleeps in
// the kernel. The way through Go's poller costs two to three wake-ups for each
// packet that comes alone.
type port struct {
	fd       int
	in, out  [batch]message
	iovIn    [batch]syscall.Iovec
	iovOut   [batch]syscall.Iovec
	names    [batch]name
	received [batch][maxPacket]byte
	replies  [batch][maxReply]byte
	arrivals [batch]arrival
	several  bool // the socket is bound to no address: arrivals are used
}

// arrival is the control message with the address of ours that a packet came
// to. Sent back with the answer, it makes that the address it leaves from: a
// client takes none from elsewhere.
//
//	0  8  length   8  4  level   12  4  type
//	IPv6: 16  16  address   32  4  interface
//	IPv4: 16  4  interface  20  4  address   24  4  address in the packet
type arrival [40]byte

// forget takes the interface out, which is the routing table's to choose, but
// for an address that means nothing without it.
func (a *arrival) forget() {
	switch level := binary.NativeEndian.Uint32(a[8:]); {
	case level == syscall.IPPROTO_IP:
		clear(a[16:20])
	case a[16] != 0xfe || a[17]&0xc0 != 0x80: // not link-local
		clear(a[32:36])
	}
}

// batch is the number of packets taken at once.
const batch = 64

// message is the struct mmsghdr of Linux.
type message struct {
	head syscall.Msghdr
	size uint32
	_    uint32
}

// name is the struct sockaddr_in6, or a sockaddr_in and what is left of it:
//
//	0  2  family, native    2  2  port, big-endian
//	4  4  IPv4 address      8  16 IPv6 address
type name [28]byte

// newPort takes conn over. Its socket is taken away from Go's poller, which
// would wake a thread for every packet, and made to block.
func newPort(conn *net.UDPConn) (*port, error) {
	defer conn.Close()
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	p := &port{fd: -1}
	var failed error
	err = raw.Control(func(fd uintptr) { p.fd, failed = dup(int(fd)) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return nil, err
	}
	if err := syscall.SetNonblock(p.fd, false); err != nil {
		p.close()
		return nil, err
	}
	p.several = conn.LocalAddr().(*net.UDPAddr).IP.IsUnspecified() && p.askArrivals() == nil
	for i := range batch {
		p.iovIn[i] = syscall.Iovec{Base: &p.received[i][0], Len: maxPacket}
		p.in[i].head = syscall.Msghdr{Name: &p.names[i][0], Iov: &p.iovIn[i], Iovlen: 1}
	}
	return p, nil
}

// askArrivals has packets come with their arrival.
func (p *port) askArrivals() error {
	const recvPktinfo = 49 // IPV6_RECVPKTINFO; a socket of both families tells of IPv4, too
	if syscall.SetsockoptInt(p.fd, syscall.IPPROTO_IPV6, recvPktinfo, 1) == nil {
		return nil
	}
	return syscall.SetsockoptInt(p.fd, syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1)
}

// dup returns another descriptor of a socket, closed on exec.
func dup(fd int) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, errno
	}
	return int(n), nil
}

func (p *port) close() { syscall.Close(p.fd) }

// interrupt ends receive, now and for good: a shut down socket has no packets.
// It says that the socket is not connected, and wakes who waits all the same.
func (p *port) interrupt() { syscall.Shutdown(p.fd, syscall.SHUT_RD) }

// receive waits for packets and returns how many there are.
func (p *port) receive() (int, error) {
	for i := range p.in {
		p.in[i].head.Namelen = uint32(len(p.names[i]))
		if p.several {
			p.in[i].head.Control, p.in[i].head.Controllen = &p.arrivals[i][0], uint64(len(p.arrivals[i]))
		}
	}
	for {
		n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, uintptr(p.fd),
			uintptr(unsafe.Pointer(&p.in)), batch, msgWaitForOne, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case syscall.EINTR:
		default:
			return 0, errno
		}
	}
}

const msgWaitForOne = 0x10000 // MSG_WAITFORONE: wait for the first, take what else is there

func (p *port) packet(i int) (from netip.AddrPort, packet, reply []byte) {
	return p.names[i].addr(), p.received[i][:min(p.in[i].size, maxPacket)], p.replies[i][:0]
}

// addr returns the address, unmapped, or the zero AddrPort.
func (n *name) addr() netip.AddrPort {
	port := binary.BigEndian.Uint16(n[2:])
	switch binary.NativeEndian.Uint16(n[:]) {
	case syscall.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(n[4:])), port)
	case syscall.AF_INET6:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(n[8:])).Unmap(), port)
	}
	return netip.AddrPort{}
}

// reply sets the answer to packet i, empty for none.
func (p *port) reply(i int, b []byte) { p.iovOut[i].Len = uint64(len(b)) }

// send sends the answers to the first n packets. One that cannot be sent, say
// to an address without a route, is left out: its client asks again.
func (p *port) send(n int) {
	k := 0
	for i := range n {
		if p.iovOut[i].Len == 0 {
			continue
		}
		p.iovOut[i].Base = &p.replies[i][0]
		p.out[k].head = syscall.Msghdr{Name: &p.names[i][0], Namelen: p.in[i].head.Namelen, Iov: &p.iovOut[i], Iovlen: 1}
		if used := p.in[i].head.Controllen; p.several && used > 0 {
			p.arrivals[i].forget()
			p.out[k].head.Control, p.out[k].head.Controllen = &p.arrivals[i][0], used
		}
		k++
	}
	for sent := 0; sent < k; {
		m, _, errno := syscall.Syscall6(sysSendmmsg, uintptr(p.fd), uintptr(unsafe.Pointer(&p.out[sent])), uintptr(k-sent), 0, 0, 0)
		switch errno {
		case 0:
			sent += int(m)
		case syscall.EINTR:
		default:
			sent++
		}
	}
}
