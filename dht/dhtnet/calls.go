package dhtnet

import (
	"context"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht"
)

// do has the loop call f, and returns when it has taken it, not when f has run.
func (s *Server) do(ctx context.Context, f func(now time.Time, node *dht.Node)) error {
	select {
	case s.calls <- f:
		return nil
	case <-s.done:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Publish announces an infohash from now on. Private torrents are never to be published (BEP 27).
func (s *Server) Publish(infohash [20]byte) {
	_ = s.do(context.Background(), func(now time.Time, node *dht.Node) { node.Publish(now, infohash) })
}

// Withdraw ends that.
func (s *Server) Withdraw(infohash [20]byte) {
	_ = s.do(context.Background(), func(_ time.Time, node *dht.Node) { node.Withdraw(infohash) })
}

// Demand announces a published infohash ahead of others: somebody asks for it.
func (s *Server) Demand(infohash [20]byte) {
	_ = s.do(context.Background(), func(now time.Time, node *dht.Node) { node.Demand(now, infohash) })
}

// AddNodes names nodes that may be there.
func (s *Server) AddNodes(addrs ...netip.AddrPort) {
	_ = s.do(context.Background(), func(now time.Time, node *dht.Node) { node.AddNodes(now, addrs...) })
}

// Lookup looks for the nodes or peers of target, or announces us there once, and returns when that is over: one result for each
// DHT. found, unless nil, is called with peers as they are found, from the server's own goroutine: it must not block. The error
// is that of ctx, or [ErrClosed].
func (s *Server) Lookup(ctx context.Context, target [20]byte, goal dht.Goal, found func([]netip.AddrPort)) ([]dht.Finished, error) {
	if found == nil {
		found = func([]netip.AddrPort) {}
	}
	w := &waiter{found: found, over: make(chan struct{})}
	started := make(chan dht.LookupID, 1)
	err := s.do(ctx, func(now time.Time, node *dht.Node) {
		w.left = len(s.sockets)
		id := node.Lookup(now, target, goal)
		s.lookups[id] = w
		started <- id
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-w.over:
		return w.done, nil
	case <-s.done:
		return nil, ErrClosed
	case <-ctx.Done():
		_ = s.do(context.WithoutCancel(ctx), func(_ time.Time, node *dht.Node) {
			id := <-started // has been sent: calls come in order
			delete(s.lookups, id)
			node.Stop(id)
		})
		return nil, context.Cause(ctx)
	}
}

// Ping asks whether a node is at addr, and waits for the answer or 5 seconds. The error is that of ctx, or [ErrClosed].
func (s *Server) Ping(ctx context.Context, addr netip.AddrPort) (dht.Pong, error) {
	answer := make(chan dht.Pong, 1)
	if err := s.do(ctx, func(now time.Time, node *dht.Node) { s.pings[node.Ping(now, addr)] = answer }); err != nil {
		return dht.Pong{}, err
	}
	select {
	case pong := <-answer:
		return pong, nil
	case <-s.done:
		return dht.Pong{}, ErrClosed
	case <-ctx.Done():
		return dht.Pong{}, context.Cause(ctx)
	}
}

// Stats counts what the node does; Unsent are packets that the system would not take.
type Stats struct {
	dht.Stats
	Unsent uint64
}

// Stats returns the counts.
func (s *Server) Stats(ctx context.Context) (Stats, error) {
	answer := make(chan dht.Stats, 1)
	if err := s.do(ctx, func(now time.Time, node *dht.Node) { answer <- node.Stats(now) }); err != nil {
		return Stats{}, err
	}
	select {
	case st := <-answer:
		return Stats{st, s.unsent.Load()}, nil
	case <-s.done:
		return Stats{}, ErrClosed
	case <-ctx.Done():
		return Stats{}, context.Cause(ctx)
	}
}

// Addrs returns where the node listens.
func (s *Server) Addrs() []netip.AddrPort {
	var addrs []netip.AddrPort
	for _, k := range s.sockets {
		if addr, err := netip.ParseAddrPort(k.conn.LocalAddr().String()); err == nil {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}
