package seedserver

import (
	"net"
	"net/netip"
	"sync"
)

// atMost returns a listener of which so many connections are open at a time: more of them wait to be accepted. One address, or one /64
// of IPv6, has each of them at most; more are closed at once, so that nobody takes the places of all others. Whom shared reports, a
// reverse proxy of ours, has as many as there are.
func atMost(l net.Listener, connections, each int, shared func(netip.Addr) bool) net.Listener {
	return &boundedListener{
		Listener: l, each: each, shared: shared,
		places: make(chan struct{}, connections), closed: make(chan struct{}), open: map[netip.Addr]int{},
	}
}

// placesEach returns how many of so many connections of the public listener one address has at most: an eighth, and 64 for many people
// behind one address.
func placesEach(connections int) int { return min(max(connections/8, 64), connections) }

type boundedListener struct {
	net.Listener
	each   int
	shared func(netip.Addr) bool
	places chan struct{} // holds a value for each connection that is open
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open map[netip.Addr]int // connections, by network
}

// Accept is part of net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			<-l.places
			return nil, err
		}
		from := remoteNetwork(conn)
		if l.enter(from) {
			return &placedConn{Conn: conn, leave: func() { l.leave(from) }}, nil
		}
		conn.Close()
	}
}

// enter counts a connection of a network, or reports that it has as many as it may.
func (l *boundedListener) enter(from netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.each && !l.shared(from) {
		return false
	}
	l.open[from]++
	return true
}

func (l *boundedListener) leave(from netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
	<-l.places
}

// Close is part of net.Listener.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// remoteNetwork returns what counts as the address of the other end: in IPv6, where a host has as many as it likes, the /64, but for
// one of this host.
func remoteNetwork(conn net.Conn) netip.Addr {
	at, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := at.Addr().Unmap().WithZone("")
	if !addr.Is6() || addr.IsLoopback() {
		return addr
	}
	prefix, _ := addr.Prefix(64)
	return prefix.Addr()
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// SetKeepAlive is that of a TCP connection.
func (c *placedConn) SetKeepAlive(on bool) error {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		return tcp.SetKeepAlive(on)
	}
	return nil
}

// Close is part of net.Conn.
func (c *placedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.leave)
	return err
}
