package swarm

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

// HostConfig sets a [Host]. The zero value works, but for the peer id.
type HostConfig struct {
	// PeerID is our name in swarms whose Config gives none. It must be new for each process.
	PeerID peerwire.PeerID
	// MaxPeers is how many connections there are in all torrents together, those with the handshake to come included. If
	// zero, 5000. If negative, no bound.
	MaxPeers int
	// MaxPerIP is how many of them come from one address, or from one /64 network of IPv6. If zero, 64: many peers may be
	// behind one address. If negative, no bound.
	MaxPerIP int
	// MaxPending is how many connections of one listener may be without a complete handshake. Where there are more, the
	// oldest is closed: an honest peer is done within a round trip. If zero, 512.
	MaxPending int
	// Wake, if set, is asked for the Swarm of a torrent that was not added, and which a peer asks for; nil is none. It may add
	// it. It is called from the goroutine of that peer's handshake, and may take its time.
	Wake func(metainfo.InfoHash) *Swarm
	// DialRate is how many connections are dialled per second, in all torrents together. If zero, 20.
	DialRate int
	// MaxDials is how many dials are under way at a time, their handshakes included. If zero, 64.
	MaxDials int
	// Bind is the address that dials leave from. If zero or unspecified, the system chooses.
	Bind netip.Addr
	// Dial connects to a peer. If nil, by TCP.
	Dial func(ctx context.Context, addr netip.AddrPort) (net.Conn, error)
	// Logger is for people. If nil, nothing is logged. What strangers can cause is logged at Debug.
	Logger *slog.Logger
}

func (c *HostConfig) maxPeers() int   { return orOff(c.MaxPeers, 5000) }
func (c *HostConfig) maxPerIP() int   { return orOff(c.MaxPerIP, 64) }
func (c *HostConfig) maxPending() int { return max(1, cmp.Or(c.MaxPending, 512)) }
func (c *HostConfig) dialRate() int   { return max(1, cmp.Or(c.DialRate, 20)) }
func (c *HostConfig) maxDials() int   { return max(1, cmp.Or(c.MaxDials, 64)) }

// A Host takes the connections of all torrents, on one port: it reads the handshake and hands each connection to the [Swarm]
// it asks for. It dials for them, too. Its methods may be called from anywhere.
type Host struct {
	cfg HostConfig

	mu     sync.Mutex // a leaf: held for map work only
	swarms map[metainfo.InfoHash]*Swarm
	peers  int
	perIP  map[netip.Addr]int

	wanting queue // torrents that want to dial
}

// NewHost returns a Host without torrents.
func NewHost(cfg HostConfig) *Host {
	return &Host{cfg: cfg, swarms: map[metainfo.InfoHash]*Swarm{}, perIP: map[netip.Addr]int{}}
}

// Add makes s known: from now on peers are handed to it. One of the same infohash is replaced. The caller runs s.
func (h *Host) Add(s *Swarm) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.swarms[s.InfoHash()] = s
	s.host.Store(h)
	s.nudge()
}

// Remove makes peers that ask for the infohash of s unwelcome, as for any torrent that is not there, unless another Swarm has taken
// its place. The connections of s are its own, and end with its Run.
func (h *Host) Remove(s *Swarm) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.swarms[s.InfoHash()] == s {
		delete(h.swarms, s.InfoHash())
	}
}

// Connections returns how many connections there are, those with the handshake to come included.
func (h *Host) Connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.peers
}

// lookup returns the Swarm of infohash, nil if there is none.
func (h *Host) lookup(infohash metainfo.InfoHash) *Swarm {
	h.mu.Lock()
	s := h.swarms[infohash]
	h.mu.Unlock()
	if s == nil && h.cfg.Wake != nil {
		return h.cfg.Wake(infohash)
	}
	return s
}

// reserve counts a connection from addr, or reports false if there are too many.
func (h *Host) reserve(addr netip.Addr) bool { return h.reserveBelow(addr, h.cfg.maxPeers()) }

// reserveDial counts likewise one to addr. A fifth of the room is left for those that come by themselves.
func (h *Host) reserveDial(addr netip.Addr) bool {
	return h.reserveBelow(addr, h.cfg.maxPeers()-h.cfg.maxPeers()/5)
}

func (h *Host) reserveBelow(addr netip.Addr, maxPeers int) bool {
	key := network(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.peers >= maxPeers || h.perIP[key] >= h.cfg.maxPerIP() {
		return false
	}
	h.peers++
	h.perIP[key]++
	return true
}

func (h *Host) release(addr netip.Addr) {
	key := network(addr)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.peers--
	if h.perIP[key]--; h.perIP[key] <= 0 {
		delete(h.perIP, key)
	}
}

// network returns what counts as one address: in IPv6, where a host has as many as it likes, the /64.
func network(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	p, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return addr
	}
	return p.Addr()
}

// Serve accepts connections from ln until ctx ends, and returns the cause when the handshakes under way have ended; or the
// error of ln, if that is closed by another. It closes ln. Several listeners may be served at a time. Connections that were
// handed to a Swarm stay.
func (h *Host) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer ln.Close()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()

	d := newDoor(h)
	defer d.close()
	var said time.Time
	for pause := time.Duration(0); ; {
		conn, err := ln.Accept()
		switch {
		case err == nil:
			pause = 0
			d.enter(ctx, conn)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !temporary(err):
			return err
		default:
			// Out of descriptors, most likely: they come back as connections end.
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			if now := time.Now(); now.Sub(said) >= time.Minute {
				said = now
				orDiscard(h.cfg.Logger).Warn("connections cannot be accepted for the moment", "err", err)
			}
			sleep(ctx, pause)
		}
	}
}

func temporary(err error) bool {
	t, ok := err.(interface{ Temporary() bool })
	return ok && t.Temporary()
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
