package swarm

import (
	crand "crypto/rand"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// AddCandidates tells of addresses at which peers of the torrent may listen: source and from say who told, from being the zero
// Addr for ourselves, a person, or a tracker in this process. They are dialled when the torrent wants peers, and a [Host] that has
// it dials. It does not wait, and may be called before Run; where the Swarm is behind, or has ended, they are lost and it reports
// false. Of a private torrent, only those of its tracker and of a person are taken (BEP 27). Any goroutine may call it; peers is
// the Swarm's then.
func (s *Swarm) AddCandidates(source candidates.Source, from netip.Addr, peers ...candidates.Peer) bool {
	if s.cfg.Info.Private && source != candidates.User && source != candidates.Tracker {
		return true
	}
	select {
	case <-s.done:
		return false
	default:
		return s.heard.add(hint{source, from, peers})
	}
}

// WantsPeers reports whether the torrent has fewer peers than it dials for; those that want nothing do not count. Any goroutine may
// call it.
func (s *Swarm) WantsPeers() bool {
	return int(s.counters.peers.Load()-s.counters.seeds.Load()) < s.cfg.dialPeers()
}

// A hint is peers somebody told of.
type hint struct {
	source candidates.Source
	from   netip.Addr
	peers  []candidates.Peer
}

// maxHeard is how many peers wait for the loop; more are lost.
const maxHeard = 1000

// hearsay is what waits for the loop: a flood of it does not keep events of peers waiting.
type hearsay struct {
	filled chan struct{} // holds one

	mu    sync.Mutex // a leaf
	hints []hint
	peers int
}

func (h *hearsay) add(x hint) bool {
	h.mu.Lock()
	room := h.peers+len(x.peers) <= maxHeard || h.peers == 0
	if room && len(x.peers) > 0 {
		h.hints = append(h.hints, x)
		h.peers += len(x.peers)
	}
	h.mu.Unlock()
	select {
	case h.filled <- struct{}{}:
	default: // the loop has yet to look
	}
	return room
}

func (h *hearsay) take() []hint {
	h.mu.Lock()
	defer h.mu.Unlock()
	hints := h.hints
	h.hints, h.peers = nil, 0
	return hints
}

// heardOf takes candidates in. The pool is made with the first: most torrents of a server have none.
func (l *loop) heardOf(now time.Time, source candidates.Source, from netip.Addr, peers []candidates.Peer) {
	if l.pool == nil {
		var seed [32]byte
		crand.Read(seed[:])
		l.pool = candidates.New(candidates.Config{Own: l.swarm.cfg.Own, Patience: l.swarm.cfg.dialPatience()}, rand.New(rand.NewChaCha8(seed)))
	}
	if l.pool.Add(now, source, from, peers...) > 0 {
		for p := range l.peers {
			l.pool.Connected(p.listens())
		}
		l.considerDialling(now)
	}
}

// wantsPeers reports whether the torrent would dial if it had whom to.
func (l *loop) wantsPeers() bool {
	return l.pool != nil && !l.paused && len(l.peers)+l.dials < l.swarm.cfg.maxPeers() &&
		len(l.peers)-int(l.tally.seeds)+l.dials < l.swarm.cfg.dialPeers()
}

// considerDialling gets in the Host's line, or sees to it that it is called again when it is time to.
func (l *loop) considerDialling(now time.Time) {
	l.dialDue = time.Time{}
	if h := l.swarm.host.Load(); h != nil && l.wantsPeers() {
		l.dialDue = l.pool.Ready(l.wanted(now))
	}
}

// lineUp gets in the Host's line if it is time to.
func (l *loop) lineUp(now time.Time) {
	if !l.dialDue.IsZero() && !now.Before(l.dialDue) {
		l.dialDue = time.Time{}
		l.swarm.host.Load().wanting.join(l.swarm)
	}
}

// wanted says which candidates are dialled as things are.
func (l *loop) wanted(now time.Time) func(candidates.Candidate) bool {
	dials, admit := l.policy.dials(now), l.swarm.cfg.Admit
	return func(c candidates.Candidate) bool {
		return dials(c) && !l.mayBeHere(c.Addr) && (admit == nil || admit(c.Addr.Addr(), peerwire.PeerID{}))
	}
}

// mayBeHere reports whether one is connected from the address of a candidate that did not say where it listens.
func (l *loop) mayBeHere(addr netip.AddrPort) bool {
	for p := range l.peers {
		if p.addr.Addr() == addr.Addr() && (p.listenPort == 0 || p.listens() == addr) {
			return true
		}
	}
	return false
}

// nextCandidate returns the candidate to dial, now that the Host has come to us in its line; the zero value if there is none.
func (l *loop) nextCandidate(now time.Time) candidates.Candidate {
	if !l.wantsPeers() {
		return candidates.Candidate{}
	}
	c, ok := l.pool.Next(now, l.wanted(now))
	if ok {
		l.dials++
	}
	l.considerDialling(now)
	return c
}

// A dialEnded is what a dial came to that did not end in an admission.
type dialEnded struct {
	addr  netip.AddrPort
	own   bool      // we found ourselves
	again time.Time // it was not dialled, and may be then
	err   error
}

func (e *dialEnded) apply(l *loop, now time.Time) {
	l.dials--
	switch {
	case e.own:
		l.pool.Own(e.addr)
	case !e.again.IsZero():
		l.pool.Put(e.addr, e.again)
	default:
		l.pool.Failed(now, e.addr)
		l.log.Debug("dialling", "peer", e.addr, "err", e.err)
	}
	l.considerDialling(now)
}

// dialArrived notes that a dial came to a connection, and dialRefused that it was closed again: the peer is here already.
func (l *loop) dialArrived(addr netip.AddrPort) {
	l.dials--
	l.pool.Connected(addr)
}

func (l *loop) dialRefused(now time.Time, addr netip.AddrPort) {
	l.pool.Left(now, addr, candidates.Stay{})
	l.considerDialling(now)
}

// departed notes that p, which was connected, is not any more.
func (l *loop) departed(now time.Time, p *peer) {
	if l.pool != nil {
		d, ok := l.policy.(*download)
		missed := ok && d.leeching() && p.downloaded > 0
		l.pool.Left(now, p.listens(), candidates.Stay{Lasted: now.Sub(p.connected), Seed: p.wantsNothing(), Missed: missed})
		l.considerDialling(now)
	}
}

// listens returns where p takes connections, the zero value if that is not known.
func (p *peer) listens() netip.AddrPort {
	if p.listenPort == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.addr.Addr(), p.listenPort)
}
