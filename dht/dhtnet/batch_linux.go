package dhtnet

import (
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/seedserver/bittorrent/dht"
)

// message is struct mmsghdr: a message and, after the call, its length.
type message struct {
	header unix.Msghdr
	length uint32
}

// messages are the arguments of recvmmsg and sendmmsg. They point into each other, and to packets while a call runs.
type messages struct {
	raw     syscall.RawConn
	six     bool
	headers [batchSize]message
	vectors [batchSize]unix.Iovec
	names   [batchSize]unix.RawSockaddrInet6 // large enough for both families
	control [batchSize]arrival
	from    int // of headers, what the call is about
	count   int
	done    int
	errno   syscall.Errno
	call    func(fd uintptr) bool // made once: a closure for each call would cost memory
}

func newMessages(conn *net.UDPConn, six bool) (*messages, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	m := &messages{raw: raw, six: six}
	for i := range m.headers {
		h := &m.headers[i].header
		h.Name = (*byte)(unsafe.Pointer(&m.names[i]))
		h.Iov = &m.vectors[i]
		h.SetIovlen(1)
	}
	return m, nil
}

// arrival is the control message that says to which address of ours a packet came. Sent back with the answer, it makes that the
// address it leaves from: a host may have several, of IPv6 most have, and a node takes no answer from another than it asked.
type arrival [40]byte // the largest there is: unix.CmsgSpace(unix.SizeofInet6Pktinfo) where pointers have 8 bytes

// askArrivals has packets come with their arrival, and reports whether they will.
func (m *messages) askArrivals() (asked bool) {
	err := m.raw.Control(func(fd uintptr) {
		if m.six {
			asked = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVPKTINFO, 1) == nil
		} else {
			asked = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_PKTINFO, 1) == nil
		}
	})
	return err == nil && asked
}

// arrival returns the i-th control message as an answer sends it, nil if there is none that is of use. The interface is left to the
// routing table, but for an address that means nothing without it.
func (m *messages) arrival(i int) *arrival {
	a := &m.control[i]
	size := unix.CmsgSpace(unix.SizeofInet4Pktinfo)
	if m.six {
		size = unix.CmsgSpace(unix.SizeofInet6Pktinfo)
	}
	if int(m.headers[i].header.Controllen) < size {
		return nil
	}
	switch said := a[unix.CmsgLen(0):]; {
	case !m.six: // the interface, the address to answer from, the address in the packet
		clear(said[:4])
	case said[0] == 0xff: // multicast: nothing leaves from there
		return nil
	case said[0] != 0xfe || said[1]&0xc0 != 0x80: // the address, and the interface: not link-local
		clear(said[16:20])
	}
	return a
}

// run is one system call on headers from to from+count.
func (m *messages) run(trap, fd uintptr) {
	n, _, errno := syscall.Syscall6(trap, fd, uintptr(unsafe.Pointer(&m.headers[m.from])), uintptr(m.count), unix.MSG_DONTWAIT, 0, 0)
	m.done, m.errno = int(n), errno
	if errno != 0 {
		m.done = 0
	}
}

// receiver takes many packets with one system call.
type receiver struct {
	*messages
	several bool // the socket is bound to no address: arrivals are asked for
}

func newReceiver(conn *net.UDPConn, six bool) (*receiver, error) {
	m, err := newMessages(conn, six)
	if err != nil {
		return nil, err
	}
	local, err := netip.ParseAddrPort(conn.LocalAddr().String())
	r := &receiver{m, err == nil && local.Addr().IsUnspecified() && m.askArrivals()}
	r.call = func(fd uintptr) bool {
		r.run(unix.SYS_RECVMMSG, fd)
		return r.errno != syscall.EAGAIN && r.errno != syscall.EINTR
	}
	return r, nil
}

// fill waits for packets and puts those that have come into b. The error is that of a closed socket, or of one that is broken.
func (r *receiver) fill(b *batch) error {
	for i := range r.headers {
		buf := b.buffer(i)
		r.vectors[i].Base = &buf[0]
		r.vectors[i].SetLen(len(buf))
		h := &r.headers[i].header
		h.Namelen = uint32(unsafe.Sizeof(r.names[i]))
		if r.several {
			h.Control = &r.control[i][0]
			h.SetControllen(len(r.control[i]))
		}
	}
	r.count = batchSize
	b.packets, b.arrivals, b.next = b.packets[:0], b.arrivals[:0], 0
	if err := r.raw.Read(r.call); err != nil {
		return err
	}
	if r.errno != 0 {
		return r.errno
	}
	for i := range r.done {
		addr := r.address(i)
		if !addr.IsValid() {
			continue
		}
		b.packets = append(b.packets, dht.Packet{Addr: addr, Data: b.buffer(i)[:r.headers[i].length]})
		if r.several {
			b.arrivals = append(b.arrivals, arrival{})
			if a := r.arrival(i); a != nil {
				b.arrivals[len(b.arrivals)-1] = *a
			}
		}
	}
	return nil
}

// address reads the i-th name.
func (m *messages) address(i int) netip.AddrPort {
	name := &m.names[i]
	port := binary.BigEndian.Uint16((*[2]byte)(unsafe.Pointer(&name.Port))[:])
	if m.six {
		return netip.AddrPortFrom(netip.AddrFrom16(name.Addr).Unmap(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr), port)
}

// setAddress writes the i-th name.
func (m *messages) setAddress(i int, addr netip.AddrPort) {
	name, h := &m.names[i], &m.headers[i].header
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&name.Port))[:], addr.Port())
	if m.six {
		name.Family, name.Addr, h.Namelen = unix.AF_INET6, addr.Addr().As16(), unix.SizeofSockaddrInet6
		return
	}
	name.Family, h.Namelen = unix.AF_INET, unix.SizeofSockaddrInet4
	(*unix.RawSockaddrInet4)(unsafe.Pointer(name)).Addr = addr.Addr().As4()
}

// setOrigin has the i-th packet leave from the address that a names; nil, or a zero one, leaves it to the routing table.
func (m *messages) setOrigin(i int, a *arrival) {
	h := &m.headers[i].header
	if a == nil || *a == (arrival{}) {
		h.Control = nil
		h.SetControllen(0)
		return
	}
	m.control[i] = *a
	size := unix.SizeofInet4Pktinfo
	if m.six {
		size = unix.SizeofInet6Pktinfo
	}
	h.Control = &m.control[i][0]
	h.SetControllen(unix.CmsgSpace(size))
}

// sender sends many packets with one system call.
type sender struct{ *messages }

func newSender(conn *net.UDPConn, six bool) (*sender, error) {
	m, err := newMessages(conn, six)
	if err != nil {
		return nil, err
	}
	s := &sender{m}
	s.call = func(fd uintptr) bool {
		s.run(unix.SYS_SENDMMSG, fd)
		return s.errno != syscall.EINTR
	}
	return s, nil
}

// send sends packets, at most batchSize, and returns how many could not be sent. Those that answer packets of b leave from the address
// these came to.
func (s *sender) send(packets []dht.Packet, b *batch) (failed int) {
	for i, p := range packets {
		s.vectors[i].Base = &p.Data[0]
		s.vectors[i].SetLen(len(p.Data))
		s.setAddress(i, p.Addr)
		s.setOrigin(i, b.arrivalOf(p.Addr))
	}
	for s.from = 0; s.from < len(packets); {
		s.count = len(packets) - s.from
		if s.raw.Write(s.call) != nil {
			return failed + s.count
		}
		if s.done == 0 { // this one cannot be sent: no route, no memory, forbidden
			failed++
			s.done = 1
		}
		s.from += s.done
	}
	return failed
}
