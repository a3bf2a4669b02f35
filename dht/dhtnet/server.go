package dhtnet

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/dht"
)

// ErrClosed is what calls get once the server has ended.
var ErrClosed = fmt.Errorf("dhtnet: server closed: %w", net.ErrClosed)

const (
	resolveEvery = time.Minute
	saveEvery    = 10 * time.Minute
	maxPause     = time.Second // after an error of a socket that may pass
)

// Server runs a node. Make it with New and Run it; all other methods may be called at any time, from anywhere.
type Server struct {
	cfg     Config
	log     *slog.Logger
	node    *dht.Node // owned by the loop
	sockets []*socket
	inbox   chan *batch
	calls   chan func(now time.Time, node *dht.Node)
	done    chan struct{}
	unsent  atomic.Uint64

	// Of the loop: who waits for what.
	lookups map[dht.LookupID]*waiter
	pings   map[dht.PingID]chan dht.Pong
	split   [2][]dht.Packet
}

// waiter is a caller of Lookup.
type waiter struct {
	found func([]netip.AddrPort)
	done  []dht.Finished
	left  int
	over  chan struct{}
}

// New prepares a server: it reads the file, and nothing from the network before Run. A file that is damaged is not used, and said
// so to the logger.
func New(cfg Config) (*Server, error) {
	s := &Server{
		cfg: cfg, log: cfg.logger(), inbox: make(chan *batch, 2*batches), calls: make(chan func(time.Time, *dht.Node), 64),
		done: make(chan struct{}), lookups: map[dht.LookupID]*waiter{}, pings: map[dht.PingID]chan dht.Pong{},
	}
	if len(cfg.Conns) == 0 {
		return nil, errors.New("dhtnet: no socket")
	}
	node := cfg.Node
	var seed [32]byte
	_, _ = crand.Read(seed[:]) // never fails
	node.Rand = rand.New(rand.NewPCG(binary.LittleEndian.Uint64(seed[:]), binary.LittleEndian.Uint64(seed[8:])))
	copy(node.Secret[:], seed[16:])
	for _, conn := range cfg.Conns {
		k, err := newSocket(conn)
		if err != nil {
			return nil, fmt.Errorf("dhtnet: %w", err)
		}
		s.sockets = append(s.sockets, k)
		node.IPv4, node.IPv6 = node.IPv4 || !k.six, node.IPv6 || k.six
	}
	node.Saved = s.load()
	s.node = dht.New(time.Now(), node)
	return s, nil
}

// Run serves until ctx ends, then writes the file and returns nil; or the error of a socket that cannot be used any more. All it
// started has ended then, and the sockets are closed.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	var parts sync.WaitGroup
	for _, k := range s.sockets {
		parts.Go(func() {
			if err := s.receive(ctx, k); err != nil {
				cancel(err)
			}
		})
	}
	parts.Go(func() { s.resolve(ctx) })
	s.loop(ctx)
	close(s.done)
	for _, k := range s.sockets {
		k.conn.Close()
	}
	parts.Wait()
	s.save()
	err := context.Cause(ctx)
	cancel(nil)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// receive reads one socket until it is closed.
func (s *Server) receive(ctx context.Context, k *socket) error {
	pause := time.Millisecond
	for {
		var b *batch
		select {
		case b = <-k.free:
		case <-ctx.Done():
			return nil
		}
		err := k.read.fill(b)
		switch {
		case err == nil:
			pause = time.Millisecond
		case errors.Is(err, net.ErrClosed) || ctx.Err() != nil:
			return nil
		case pause > maxPause:
			return fmt.Errorf("reading packets of the DHT: %w", err)
		default: // what others' refusals leave behind, on some systems
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return nil
			}
			pause *= 2
		}
		select {
		case s.inbox <- b:
		case <-ctx.Done():
			return nil
		}
	}
}

// loop owns the node.
func (s *Server) loop(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	save := time.NewTicker(saveEvery)
	defer save.Stop()
	var armed time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case b := <-s.inbox:
			now := time.Now()
			for _, p := range b.packets {
				s.node.Receive(now, p)
			}
			s.send(b)
			b.socket.free <- b
		case f := <-s.calls:
			f(time.Now(), s.node)
			s.send(nil)
		case <-timer.C:
			armed = time.Time{}
			s.node.Advance(time.Now())
			s.send(nil)
		case <-save.C:
			s.save()
		}
		s.tell()
		if at := s.node.Deadline(); armed.IsZero() || at.Before(armed) {
			armed = at
			timer.Reset(time.Until(at))
		}
	}
}

// send sends what the node wants to send after the packets of b came; nil if none did.
func (s *Server) send(b *batch) {
	packets := s.node.Drain()
	if len(s.sockets) == 1 {
		s.write(s.sockets[0], packets, b)
		return
	}
	for i := range s.split {
		s.split[i] = s.split[i][:0]
	}
	for _, p := range packets {
		i := 0
		if p.Addr.Addr().Is6() {
			i = 1
		}
		s.split[i] = append(s.split[i], p)
	}
	for _, k := range s.sockets {
		i := 0
		if k.six {
			i = 1
		}
		if b != nil && b.socket == k {
			s.write(k, s.split[i], b)
		} else {
			s.write(k, s.split[i], nil)
		}
	}
}

func (s *Server) write(k *socket, packets []dht.Packet, b *batch) {
	for len(packets) > 0 {
		n := min(len(packets), batchSize)
		if failed := k.send.send(packets[:n], b); failed > 0 {
			s.unsent.Add(uint64(failed))
		}
		packets = packets[n:]
	}
}

// tell brings results to who waits for them.
func (s *Server) tell() {
	for _, r := range s.node.Results() {
		switch r := r.(type) {
		case dht.Found:
			if w := s.lookups[r.Lookup]; w != nil {
				w.found(r.Peers)
			} else if r.Lookup == 0 && s.cfg.Found != nil {
				s.cfg.Found(r.Infohash, r.From, r.Peers)
			}
		case dht.Finished:
			if w := s.lookups[r.Lookup]; w != nil {
				w.done = append(w.done, r)
				if w.left--; w.left == 0 {
					delete(s.lookups, r.Lookup)
					close(w.over)
				}
			}
		case dht.Pong:
			if c := s.pings[r.Ping]; c != nil {
				delete(s.pings, r.Ping)
				c <- r
			}
		}
	}
}

// resolve finds the addresses of the routers.
func (s *Server) resolve(ctx context.Context) {
	if len(s.cfg.Routers) == 0 {
		return
	}
	for {
		var addrs []netip.AddrPort
		for _, router := range s.cfg.Routers {
			found, err := Resolve(ctx, router)
			if err != nil {
				s.log.Debug("a router of the DHT cannot be found", "addr", router, "err", err)
			}
			addrs = append(addrs, found...)
		}
		if len(addrs) > 0 {
			_ = s.do(ctx, func(now time.Time, node *dht.Node) { node.AddRouters(now, addrs...) })
			return
		}
		if ctx.Err() == nil {
			s.log.Warn("no router of the DHT can be found; it is tried again, see --dht-router", "addr", s.cfg.Routers)
		}
		select {
		case <-time.After(resolveEvery):
		case <-ctx.Done():
			return
		}
	}
}

// Resolve finds the addresses of a node HOST:PORT.
func Resolve(ctx context.Context, node string) ([]netip.AddrPort, error) {
	host, port, err := net.SplitHostPort(node)
	if err != nil {
		return nil, fmt.Errorf("node %q: give HOST:PORT", node)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	number, err := net.DefaultResolver.LookupPort(ctx, "udp", port)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", node, err)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, fmt.Errorf("node %q: %w", node, err)
	}
	addrs := make([]netip.AddrPort, len(ips))
	for i, ip := range ips {
		addrs[i] = netip.AddrPortFrom(ip.Unmap(), uint16(number))
	}
	return addrs, nil
}
