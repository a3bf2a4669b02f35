package httptracker

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// plainConn is a connection that a front answers.
type plainConn struct {
	conn    net.Conn
	request http.Request // of all requests of the connection, one after the other
	url     url.URL
	head    head
	until   time.Time // when the connection is given up
	buf     [maxHead]byte
	n       int    // bytes in buf
	out     []byte // the answer
}

var plainConns = sync.Pool{New: func() any { return new(plainConn) }}

// serve answers the plain requests of a connection, until it ends or goes over
// to net/http.
func (f *Front) serve(ctx context.Context, conn net.Conn, who netip.Addr) {
	p := plainConns.Get().(*plainConn)
	*p = plainConn{conn: conn, out: p.out[:0], head: head{fields: p.head.fields[:0]}}
	over := p.serve(ctx, f)
	passed := f.leave(conn, who) && over
	var rest []byte
	if passed {
		rest = append(rest, p.buf[:p.n]...)
	}
	*p = plainConn{out: p.out[:0], head: head{fields: p.head.fields[:0]}}
	plainConns.Put(p)
	if !passed {
		conn.Close()
		return
	}
	conn.SetDeadline(time.Time{})
	select {
	case f.passed <- pass(conn, rest):
	case <-f.done:
		conn.Close()
	}
}

// serve answers requests and reports whether the next one is for net/http.
func (p *plainConn) serve(ctx context.Context, f *Front) (over bool) {
	for {
		switch p.head.parse(p.buf[:p.n]) {
		case other:
			return p.n > 0
		case partial:
			if !p.read(f) {
				return false
			}
		case plain:
			if !p.answer(ctx, f) {
				return false
			}
		}
	}
}

// read waits for more bytes, which do not prolong the time of a request.
func (p *plainConn) read(f *Front) bool {
	if p.until.IsZero() {
		p.hurry(f, time.Now(), f.cfg.Timeout)
	}
	n, _ := p.conn.Read(p.buf[p.n:])
	p.n += n
	return n > 0
}

// hurry gives the connection up when d is over, counted by the second: moving a
// deadline costs as much as reading a request.
func (p *plainConn) hurry(f *Front, now time.Time, d time.Duration) {
	if f.crowded() {
		d /= 5
	}
	if until := now.Add(d); until.Sub(p.until).Abs() > time.Second {
		p.until = until
		p.conn.SetDeadline(until)
	}
}

// answer answers the request at the beginning of buf, and reports whether there
// may be another one.
func (p *plainConn) answer(ctx context.Context, f *Front) bool {
	h := f.cfg.Handler
	if p.request.URL == nil {
		p.prepare(ctx)
	}
	r, target := &p.request, string(p.head.target)
	path := p.head.path
	p.url = url.URL{Path: target[:path], RawQuery: target[path+1:]}
	r.Host, r.Header, r.Close, r.RequestURI = p.head.host, p.head.header, p.head.close, target
	p.n = copy(p.buf[:], p.buf[p.head.size:p.n])
	name, key, _ := tracker.CutPath(p.url.Path)
	x := h.answer(r, name, key)
	p.out = appendAnswer(p.out[:0], x.access.Time, x.body, p.head.close)
	now := x.access.Time
	_, err := p.conn.Write(p.out)
	if f.cfg.Log != nil {
		x.access.Bytes = len(x.body)
		f.cfg.Log(x.access)
	}
	h.finish(x)
	if err != nil || p.head.close {
		return false
	}
	p.hurry(f, now, f.cfg.Idle)
	return true
}

// appendAnswer appends an answer with the header that net/http would give it.
func appendAnswer(dst []byte, now time.Time, body []byte, last bool) []byte {
	dst = append(dst, "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Type: text/plain\r\nDate: "...)
	dst = append(dst, date(now)...)
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(body)), 10)
	if last {
		dst = append(dst, "\r\nConnection: close"...)
	}
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, body...)
}

// dated is a second in the form of HTTP.
type dated struct {
	unix int64
	text string
}

var latest atomic.Pointer[dated]

// date returns now in the form of HTTP, which it writes once a second.
func date(now time.Time) string {
	if d := latest.Load(); d != nil && d.unix == now.Unix() {
		return d.text
	}
	d := &dated{now.Unix(), now.UTC().Format(http.TimeFormat)}
	latest.Store(d)
	return d.text
}

// prepare fills in what is the same in all requests of a connection.
func (p *plainConn) prepare(ctx context.Context) {
	ctx = context.WithValue(ctx, http.LocalAddrContextKey, p.conn.LocalAddr())
	p.request = *(&http.Request{
		Method: http.MethodGet, URL: &p.url, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		RemoteAddr: p.conn.RemoteAddr().String(), Body: http.NoBody,
	}).WithContext(ctx)
	p.request.URL = &p.url
}
