package httptracker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Front answers plain announces and scrapes in front of net/http, which costs
// several times as much. It reads the beginning of each connection: what is
// surely an announce or a scrape of the form that clients send is answered by a
// [Handler], and everything else goes to the [http.Server] that serves the
// Front as its listener, as if nothing had happened.
//
//	front := httptracker.NewFront(httptracker.FrontConfig{Handler: handler})
//	go server.Serve(front)
//	err := front.Serve(ctx, listener)
//
// A listener without keep-alive probes, [net.ListenConfig].KeepAlive -1, saves
// four system calls a connection; those that go over to net/http get them.
//
// No byte is read by both. A request is answered here only if its end is beyond
// doubt: it has no body and no header field but a few harmless ones. A
// connection goes over to net/http for good, and only before the first byte of
// a request: the same place where net/http would begin to read it.
type Front struct {
	cfg    FrontConfig
	passed chan net.Conn
	done   chan struct{} // closed when the Front is
	once   sync.Once

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	from  map[netip.Addr]int // connections of each address
	addr  net.Addr
}

// FrontConfig is what a [Front] is made with. Only Handler is required.
type FrontConfig struct {
	// Handler answers. It gets requests with method, URL, host, header and
	// remote address, and the local address in their context. The header is
	// shared by requests of a connection.
	Handler *Handler

	// Log is told of every request answered here, before the handler's own Log:
	// for what a handler around it does with the requests that net/http reads.
	// If nil, nobody is.
	Log func(Access)

	// MaxConns bounds the connections that have not gone over to net/http; one
	// more is closed at once. Each costs about 10 KB. If zero, 4,096. If
	// negative, off.
	MaxConns int

	// PerAddress bounds those from one address; an IPv6 address stands for its
	// /64. Loopback is not bounded. If zero, 256. If negative, off.
	PerAddress int

	// Timeout is how long a connection may take to send a request, and to take
	// its answer. While more than half of MaxConns are open, it is a fifth of
	// that. If zero or negative, 10 seconds.
	Timeout time.Duration

	// Idle is how long a connection is kept for the next request. If zero or
	// negative, 30 seconds.
	Idle time.Duration
}

const (
	defaultMaxConns   = 4096
	defaultPerAddress = 256
	defaultTimeout    = 10 * time.Second
	defaultIdle       = 30 * time.Second
)

// NewFront returns a front. It panics if cfg.Handler is nil.
func NewFront(cfg FrontConfig) *Front {
	if cfg.Handler == nil {
		panic("httptracker: FrontConfig.Handler is nil")
	}
	if cfg.MaxConns == 0 {
		cfg.MaxConns = defaultMaxConns
	}
	if cfg.PerAddress == 0 {
		cfg.PerAddress = defaultPerAddress
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Idle <= 0 {
		cfg.Idle = defaultIdle
	}
	return &Front{
		cfg: cfg, passed: make(chan net.Conn), done: make(chan struct{}),
		conns: make(map[net.Conn]struct{}), from: make(map[netip.Addr]int), addr: &net.TCPAddr{},
	}
}

// Serve takes the connections of l until ctx ends, l breaks or the front is
// closed, then closes l and all connections that have not gone over to
// net/http, and returns why it ended when they are done with. It is called
// once.
func (f *Front) Serve(ctx context.Context, l net.Listener) error {
	f.mu.Lock()
	f.addr = l.Addr()
	f.mu.Unlock()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer stop()
	wg.Go(func() {
		<-f.done
		l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for c := range f.conns {
			c.Close()
		}
	})
	for delay := time.Duration(0); ; {
		c, err := l.Accept()
		switch {
		case err == nil:
			delay = 0
			if who := source(c); f.enter(c, who) {
				wg.Go(func() { f.serve(ctx, c, who) })
			} else {
				c.Close()
			}
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case f.closed():
			return net.ErrClosed
		case errors.Is(err, net.ErrClosed):
			return err
		default: // such as too many open files: it passes
			delay = min(max(2*delay, 5*time.Millisecond), time.Second)
			f.pause(delay)
		}
	}
}

func (f *Front) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-f.done:
	}
}

func (f *Front) closed() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// Accept returns the next connection that is for net/http.
func (f *Front) Accept() (net.Conn, error) {
	select {
	case c := <-f.passed:
		return c, nil
	case <-f.done:
		return nil, net.ErrClosed
	}
}

// Close ends Serve and Accept.
func (f *Front) Close() error {
	f.once.Do(func() { close(f.done) })
	return nil
}

// Addr returns the address of the listener.
func (f *Front) Addr() net.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.addr
}

// source returns whom the connections of c's address are counted for.
func source(c net.Conn) netip.Addr {
	tcp, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is6() {
		network, _ := ip.Prefix(64)
		return network.Addr()
	}
	return ip
}

// enter counts a connection, or reports false if there are too many.
func (f *Front) enter(c net.Conn, who netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed():
		return false
	case f.cfg.MaxConns > 0 && len(f.conns) >= f.cfg.MaxConns:
		return false
	case f.cfg.PerAddress > 0 && !who.IsLoopback() && f.from[who] >= f.cfg.PerAddress:
		return false
	}
	f.conns[c] = struct{}{}
	f.from[who]++
	return true
}

// leave no longer counts a connection, and reports whether it was open still.
func (f *Front) leave(c net.Conn, who netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.conns, c)
	if f.from[who]--; f.from[who] <= 0 {
		delete(f.from, who)
	}
	return !f.closed()
}

// crowded reports whether connections have to hurry.
func (f *Front) crowded() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cfg.MaxConns > 0 && len(f.conns) > f.cfg.MaxConns/2
}
