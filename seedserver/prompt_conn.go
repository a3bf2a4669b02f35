package seedserver

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// stallTime is how long who asked over HTTP may take nothing of the answer; it is seen a step later at the latest. Whoever goes on taking,
// however slowly, is served to the end. Loopback, where reverse proxies are, takes 64 KiB at a time, which may be a while for one whose
// client is slow.
const (
	stallTime     = time.Minute
	stallLoopback = 10 * time.Minute
	stallStep     = 15 * time.Second
)

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
	c := &promptConn{Conn: conn, patience: stallTime, acknowledged: acknowledged}
	if remoteOf(conn).addr.IsLoopback() {
		c.patience = stallLoopback
	}
	return c, nil
}

// promptConn is a connection whose writes end when nothing is taken. Deadlines that are set are kept besides.
type promptConn struct {
	net.Conn
	patience     time.Duration
	acknowledged func(net.Conn) (bytes uint64, known bool)
	acked        uint64 // bytes that the other end had taken when that was last looked at; only the one who writes looks

	mu    sync.Mutex
	asked time.Time // the deadline that was set
	look  time.Time // when it is looked at whether the other end takes anything
}

// Write is part of io.Writer.
func (c *promptConn) Write(b []byte) (n int, err error) {
	for idle := time.Duration(0); ; {
		if err := c.setDeadline(func() { c.look = time.Now().Add(stallStep) }); err != nil {
			return n, err
		}
		m, err := c.Conn.Write(b[n:])
		n += m
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.due() {
			return n, err
		}
		if idle += stallStep; c.taken(m) {
			idle = 0
		}
		if idle >= c.patience {
			if tcp, ok := c.Conn.(*net.TCPConn); ok {
				tcp.SetLinger(0) // what the kernel holds for it goes, too
			}
			return n, err
		}
	}
}

// taken reports whether the other end has taken something since it was last looked at. What was written says little where the kernel tells
// more: it holds megabytes for a reader, and asks for more only when a good part of them is gone, which takes a slow one minutes.
func (c *promptConn) taken(written int) bool {
	acked, known := c.acknowledged(c.Conn)
	if !known {
		return written > 0
	}
	before := c.acked
	c.acked = acked
	return acked != before
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
	if !c.asked.IsZero() && c.asked.Before(c.look) {
		return c.Conn.SetWriteDeadline(c.asked)
	}
	return c.Conn.SetWriteDeadline(c.look)
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
