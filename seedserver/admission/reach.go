package admission

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

const (
	reachWorkers = 16              // connections that are tried at once
	reachQueue   = 1024            // clients that wait for one
	reachTimeout = 4 * time.Second // of one connection
	reachAgain   = 30 * time.Minute
	maxReached   = 1 << 16 // clients that are remembered
	leastPort    = 1024    // nobody makes us speak to system services
)

// Reach finds out whether clients can be connected to. It connects to the
// address a client announced from and the port it named, once in half an hour at
// most, and sends nothing. Its methods may be called concurrently.
type Reach struct {
	// Dial connects to a client. If nil, [net.Dialer] does.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	mu    sync.Mutex
	known map[netip.AddrPort]reached
	queue chan visitor
}

// reached is what is known of a client.
type reached struct {
	at      time.Time
	yes     bool
	pending bool
}

// visitor is a client that is to be tried.
type visitor struct {
	addr netip.AddrPort
	then func()
}

// NewReach returns a Reach that knows nobody. Run tries them.
func NewReach() *Reach {
	return &Reach{known: map[netip.AddrPort]reached{}, queue: make(chan visitor, reachQueue)}
}

// Reachable reports whether a client can be connected to, as far as is known. If
// that is not known, it is found out, and then is called if it can; a client
// whose turn does not come, for too many are waiting, is tried when it asks
// again.
func (r *Reach) Reachable(now time.Time, addr netip.AddrPort, then func()) bool {
	if addr.Port() < leastPort {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k, seen := r.known[addr]
	if seen && (k.pending || now.Sub(k.at) < reachAgain) {
		return k.yes
	}
	if !seen && len(r.known) >= maxReached {
		r.forget(now)
	}
	select {
	case r.queue <- visitor{addr, then}:
		r.known[addr] = reached{at: now, yes: k.yes, pending: true}
	default: // too many are waiting
	}
	return k.yes
}

// forget makes room for a quarter more at once, so that it is seldom: of what is
// old, then of anybody.
func (r *Reach) forget(now time.Time) {
	for addr, k := range r.known {
		if now.Sub(k.at) >= reachAgain {
			delete(r.known, addr)
		}
	}
	for addr := range r.known {
		if len(r.known) <= maxReached*3/4 {
			return
		}
		delete(r.known, addr)
	}
}

// Run tries clients until ctx ends, and returns its cause.
func (r *Reach) Run(ctx context.Context) error {
	dial := r.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	var workers sync.WaitGroup
	for range reachWorkers {
		workers.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case v := <-r.queue:
					r.try(ctx, dial, v)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}

func (r *Reach) try(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), v visitor) {
	timed, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	conn, err := dial(timed, "tcp", v.addr.String())
	if err == nil {
		conn.Close()
	}
	r.mu.Lock()
	before := r.known[v.addr]
	r.known[v.addr] = reached{at: time.Now(), yes: err == nil}
	r.mu.Unlock()
	if err == nil && !before.yes {
		v.then()
	}
}

// Store is where a tracker announces to: Peers behind Networks and Reach. It may
// be used concurrently.
type Store struct {
	Peers interface {
		Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error)
		Scrape(infohash [20]byte) (tracker.ScrapeStats, bool)
		Each(visit func(infohash [20]byte, stats tracker.ScrapeStats) bool)
	}
	Networks Networks
	Reach    *Reach // nil if unreachable clients are handed out, too
}

var errNetwork = &tracker.FailureError{Reason: "this tracker is not for your network", RetryAfter: -1}

// Announce is that of Peers. A client of a network that is not admitted is
// refused; one that cannot be reached, or not as far as is known, is answered
// but not told to others.
func (s *Store) Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error) {
	if !s.Networks.Admits(req.Addr.Addr()) {
		return 0, errNetwork
	}
	if s.Reach != nil && req.Event != tracker.EventStopped {
		late := *req
		late.NumWant = 0
		addr := netip.AddrPortFrom(req.Addr.Addr().Unmap(), req.Addr.Port())
		req.Unlisted = !s.Reach.Reachable(now, addr, func() { s.Peers.Announce(time.Now(), &late, new(tracker.AnnounceResponse)) })
	}
	return s.Peers.Announce(now, req, res)
}

// Scrape is that of Peers.
func (s *Store) Scrape(infohash [20]byte) (tracker.ScrapeStats, bool) {
	return s.Peers.Scrape(infohash)
}

// Each is that of Peers.
func (s *Store) Each(visit func(infohash [20]byte, stats tracker.ScrapeStats) bool) {
	s.Peers.Each(visit)
}
