package httptracker

import (
	"io"
	"net"
)

// pass returns a connection that begins with bytes already read. Over TCP it can
// do what a *net.TCPConn can: net/http has it send files by itself and end its
// half.
func pass(conn net.Conn, read []byte) net.Conn {
	if lasting, ok := conn.(interface{ SetKeepAlive(bool) error }); ok {
		lasting.SetKeepAlive(true) // the listener may leave it out
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		return &passedTCP{TCPConn: tcp, rest: read}
	}
	return &passedConn{Conn: conn, rest: read}
}

type passedConn struct {
	net.Conn
	rest []byte
}

func (c *passedConn) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.Conn.Read(b)
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

type passedTCP struct {
	*net.TCPConn
	rest []byte
}

func (c *passedTCP) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return c.TCPConn.Read(b)
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// WriteTo is part of io.WriterTo, whose other half would pass the rest over.
func (c *passedTCP) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.rest)
	c.rest = c.rest[n:]
	if err != nil || len(c.rest) > 0 {
		return int64(n), err
	}
	m, err := c.TCPConn.WriteTo(w)
	return int64(n) + m, err
}
