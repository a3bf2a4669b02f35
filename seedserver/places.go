package seedserver

import (
	"net"
	"net/netip"
	"sync"
)

// atMost returns a listener of which so many connections are open at a time: more of them wait to be accepted. One address, or one /64
// of IPv6, has each of them at most, and a public network of /24 or /48, which one person may have, half of all; more are closed at
// once, so that nobody takes the places of all others. Whom shared reports, a reverse proxy of ours, has as many as there are.
func atMost(l net.Listener, connections, each int, shared func(netip.Addr) bool) net.Listener {
	return &boundedListener{
		Listener: l, each: each, wide: max(each, connections/2), shared: shared,
		places: make(chan struct{}, connections), closed: make(chan struct{}), open: map[netip.Prefix]int{},
	}
}

// placesEach returns how many of so many connections of the public listener one address has at most: an eighth, and 64 for many people
// behind one address.
func placesEach(connections int) int { return min(max(connections/8, 64), connections) }

type boundedListener struct {
	net.Listener
	each   int // connections of an address
	wide   int // of a network
	shared func(netip.Addr) bool
	places chan struct{} // holds a value for each connection that is open
	closed chan struct{}
	once   sync.Once

	mu   sync.Mutex
	open map[netip.Prefix]int // connections, by address and by network
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
		from := remoteOf(conn)
		if l.enter(from) {
			return &placedConn{Conn: conn, leave: func() { l.leave(from) }}, nil
		}
		conn.Close()
	}
}

// enter counts a connection, or reports that its address or its network has as many as it may.
func (l *boundedListener) enter(from remote) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	full := l.open[from.address] >= l.each || from.network.IsValid() && l.open[from.network] >= l.wide
	if full && !l.shared(from.addr) {
		return false
	}
	l.open[from.address]++
	l.open[from.network]++
	return true
}

func (l *boundedListener) leave(from remote) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range []netip.Prefix{from.address, from.network} {
		if l.open[p]--; l.open[p] == 0 {
			delete(l.open, p)
		}
	}
	<-l.places
}

// Close is part of net.Listener.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// remote is where a connection comes from.
type remote struct {
	addr    netip.Addr
	address netip.Prefix // in IPv6, where a host has as many as it likes, the /64, but for one of this host
	network netip.Prefix // not valid for private addresses, whose networks are of many people
}

// remoteOf returns where conn comes from.
func remoteOf(conn net.Conn) remote {
	at, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
	addr := at.Addr().Unmap().WithZone("")
	address, network := addr.BitLen(), 24
	if addr.Is6() && !addr.IsLoopback() {
		address, network = 64, 48
	}
	r := remote{addr: addr}
	r.address, _ = addr.Prefix(address)
	if addr.IsGlobalUnicast() && !addr.IsPrivate() {
		r.network, _ = addr.Prefix(network)
	}
	return r
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

// SetKeepAlive is that of a TCP connection.
func (c *placedConn) SetKeepAlive(on bool) error {
	if lasting, ok := c.Conn.(interface{ SetKeepAlive(bool) error }); ok {
		return lasting.SetKeepAlive(on)
	}
	return nil
}

// Close is part of net.Conn.
func (c *placedConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.leave)
	return err
}
