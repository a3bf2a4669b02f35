package swarm

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	xrate "golang.org/x/time/rate"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// dialTimeout is what a connection may take to come about; the handshake has as much again.
const dialTimeout = 10 * time.Second

// A queue is the torrents that want to dial, each once, in the order they came: none of them can keep others waiting. The zero
// value is empty.
type queue struct {
	mu     sync.Mutex
	inLine map[*Swarm]struct{}
	line   []*Swarm
	filled chan struct{} // nil while nobody waits
}

// join puts s at the end, if it is not in line.
func (q *queue) join(s *Swarm) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, there := q.inLine[s]; there {
		return
	}
	if q.inLine == nil {
		q.inLine = map[*Swarm]struct{}{}
	}
	q.inLine[s] = struct{}{}
	q.line = append(q.line, s)
	if q.filled != nil {
		close(q.filled)
		q.filled = nil
	}
}

// next waits for the first in line, and returns nil when ctx ends.
func (q *queue) next(ctx context.Context) *Swarm {
	for {
		s, filled := q.take()
		if s != nil {
			return s
		}
		select {
		case <-filled:
		case <-ctx.Done():
			return nil
		}
	}
}

// take takes the first one, or returns a channel that is closed when there is one.
func (q *queue) take() (*Swarm, <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.line) == 0 {
		if q.filled == nil {
			q.filled = make(chan struct{})
		}
		return nil, q.filled
	}
	s := q.line[0]
	q.line[0] = nil
	q.line = q.line[1:]
	delete(q.inLine, s)
	return s, nil
}

// A dialer connects to the candidates of all torrents.
type dialer struct {
	host  *Host
	slots chan struct{} // one for each dial under way

	mu      sync.Mutex // a leaf
	targets candidates.Targets
}

// Dial connects to the candidates of the torrents, within the bounds of [HostConfig], until ctx ends, and returns the cause when
// the dials under way have ended. Without it no torrent dials. It may be called once.
func (h *Host) Dial(ctx context.Context) error {
	var started sync.WaitGroup
	defer started.Wait()
	d := &dialer{host: h, slots: make(chan struct{}, h.cfg.maxDials())}
	pace := xrate.NewLimiter(xrate.Limit(h.cfg.dialRate()), max(1, h.cfg.dialRate()/4))
	for {
		s := h.wanting.next(ctx)
		if s == nil || pace.Wait(ctx) != nil {
			return context.Cause(ctx)
		}
		select {
		case d.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		c, ok := ask(s, func(l *loop, now time.Time) candidates.Candidate { return l.nextCandidate(now) })
		if !ok || !c.Addr.IsValid() || !d.begin(s, c.Addr) {
			<-d.slots
			continue
		}
		started.Go(func() {
			defer func() { <-d.slots }()
			d.dial(ctx, s, c.Addr)
		})
	}
}

// begin reports whether addr may be dialled now; if not, s knows.
func (d *dialer) begin(s *Swarm, addr netip.AddrPort) bool {
	now := time.Now()
	d.mu.Lock()
	again, ok := d.targets.Take(now, addr)
	d.mu.Unlock()
	switch {
	case !ok && again.IsZero():
		s.post(&dialEnded{addr: addr, own: true})
	case !ok:
		s.post(&dialEnded{addr: addr, again: again})
	case d.host.lookup(s.InfoHash()) != s || !d.host.reserveDial(addr.Addr()): // removed, or no room
		d.done(addr, true)
		s.post(&dialEnded{addr: addr, again: now.Add(time.Minute)})
		ok = false
	}
	return ok
}

func (d *dialer) done(addr netip.AddrPort, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.targets.Done(time.Now(), addr, ok)
}

// dial connects to addr and hands the connection to s.
func (d *dialer) dial(ctx context.Context, s *Swarm, addr netip.AddrPort) {
	a, err := d.connect(ctx, s, addr)
	d.done(addr, err == nil || errors.Is(err, errOurselves))
	if err == nil && hand(ctx, s, a) {
		return
	}
	if err == nil {
		a.conn.Close()
	}
	d.host.release(addr.Addr())
	own := errors.Is(err, errOurselves)
	if own {
		d.mu.Lock()
		d.targets.Own(addr)
		d.mu.Unlock()
	}
	s.post(&dialEnded{addr: addr, own: own, err: err})
}

var (
	errOurselves    = errors.New("dialled ourselves")
	errOtherTorrent = errors.New("answered for another torrent")
)

// connect returns a connection to addr whose handshake is done.
func (d *dialer) connect(ctx context.Context, s *Swarm, addr netip.AddrPort) (admission, error) {
	dialCtx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := dialing(d.host.cfg.Dial, d.host.cfg.Bind)(dialCtx, addr)
	if err != nil {
		return admission{}, err
	}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	conn.SetDeadline(time.Now().Add(handshakeTimeout))
	ours := d.host.handshake(s)
	theirs, err := introduce(conn, ours)
	if err != nil {
		conn.Close()
		return admission{}, err
	}
	conn.SetDeadline(time.Time{})
	return admission{
		conn:     conn,
		addr:     addr,
		id:       theirs.PeerID,
		ours:     ours.PeerID,
		reserved: theirs.Reserved,
		dialled:  true,
		release:  func() { d.host.release(addr.Addr()) },
	}, nil
}

// introduce sends our handshake and returns theirs, if it is one for the same torrent and of somebody else.
func introduce(conn net.Conn, ours peerwire.Handshake) (peerwire.Handshake, error) {
	if _, err := conn.Write(ours.AppendTo(nil)); err != nil {
		return peerwire.Handshake{}, err
	}
	theirs, err := peerwire.ReadHandshake(conn)
	switch {
	case err != nil:
		return peerwire.Handshake{}, err
	case theirs.InfoHash != ours.InfoHash:
		return peerwire.Handshake{}, errOtherTorrent
	case theirs.PeerID == ours.PeerID:
		return peerwire.Handshake{}, errOurselves
	}
	return theirs, nil
}

// handshake returns what we send for s.
func (h *Host) handshake(s *Swarm) peerwire.Handshake {
	ours := s.cfg.PeerID
	if ours == (peerwire.PeerID{}) {
		ours = h.cfg.PeerID
	}
	return peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol, peerwire.Fast),
		InfoHash: metainfo.InfoHash(s.InfoHash()),
		PeerID:   ours,
	}
}

// dialing returns how peers are dialled: by dial, or if that is nil by TCP, from an address of ours if bind is one.
func dialing(dial func(context.Context, netip.AddrPort) (net.Conn, error), bind netip.Addr) func(context.Context, netip.AddrPort) (net.Conn, error) {
	switch {
	case dial != nil:
		return dial
	case bind.IsValid() && !bind.IsUnspecified():
		return dialFrom(bind)
	}
	return dialTCP
}

// dialTCP is how peers are dialled where nothing else is said.
func dialTCP(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "tcp", addr.String())
}

// dialFrom is dialTCP from an address of ours.
func dialFrom(bind netip.Addr) func(context.Context, netip.AddrPort) (net.Conn, error) {
	d := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(bind, 0))}
	return func(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
		return d.DialContext(ctx, "tcp", addr.String())
	}
}
