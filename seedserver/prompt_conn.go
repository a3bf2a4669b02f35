package seedserver

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// stallTime is how long who asked over HTTP may take nothing of the answer; it is seen after twice that at the latest. Whoever goes on
// taking, however slowly, is served to the end.
const stallTime = time.Minute

// promptTakers returns a listener whose connections fail when nothing of what is written to them is taken, be it because the other end is
// gone or because it holds our places on purpose. It has to be below TLS, which cannot go on after half a record.
func promptTakers(l net.Listener) net.Listener { return promptListener{l} }

type promptListener struct{ net.Listener }

// Accept is part of net.Listener.
func (l promptListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &promptConn{Conn: conn, acknowledged: acknowledged}, nil
}

// promptConn is a connection whose writes end when nothing is taken. Deadlines that are set are kept besides.
type promptConn struct {
	net.Conn
	acknowledged func(net.Conn) uint64 // bytes
	acked        uint64                // what it returned last; only the one who writes looks

	mu    sync.Mutex
	asked time.Time // the deadline that was set
	stall time.Time // when the other end has to have taken something
}

// Write is part of io.Writer.
func (c *promptConn) Write(b []byte) (n int, err error) {
	for {
		if err := c.setDeadline(func() { c.stall = time.Now().Add(stallTime) }); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(b[n:])
		n += m
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.due() || m == 0 && !c.taken() {
			return n, err
		}
	}
}

// taken reports whether the other end has taken some of what the kernel holds for it, as far as that can be known: the kernel asks for more
// only when a good part of its buffer is free, which takes a slow reader minutes.
func (c *promptConn) taken() bool {
	before := c.acked
	c.acked = c.acknowledged(c.Conn)
	return c.acked != before
}

// due reports whether the deadline that was set has passed.
func (c *promptConn) due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.asked.IsZero() && !time.Now().Before(c.asked)
}

// setDeadline has the sooner one of both deadlines end writes, after change.
func (c *promptConn) setDeadline(change func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
	if !c.asked.IsZero() && c.asked.Before(c.stall) {
		return c.Conn.SetWriteDeadline(c.asked)
	}
	return c.Conn.SetWriteDeadline(c.stall)
}

// SetWriteDeadline is part of net.Conn.
func (c *promptConn) SetWriteDeadline(t time.Time) error {
	return c.setDeadline(func() { c.asked = t })
}

// SetDeadline is part of net.Conn.
func (c *promptConn) SetDeadline(t time.Time) error {
	return errors.Join(c.Conn.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// SetKeepAlive is that of a TCP connection.
func (c *promptConn) SetKeepAlive(on bool) error {
	if lasting, ok := c.Conn.(interface{ SetKeepAlive(bool) error }); ok {
		return lasting.SetKeepAlive(on)
	}
	return nil
}
