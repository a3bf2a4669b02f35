package swarm

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

const (
	pexInterval = time.Minute      // between our messages to one peer: "no more than one per minute" (BEP 11)
	pexFirst    = 5 * time.Second  // from a peer's extension handshake until the first one
	pexSettled  = 10 * time.Second // a peer is not told of before it has been connected so long
	pexClaimant = 10 * time.Minute // nor told of others, or these of it, where we hide what we have and it says that it is complete and did not show it
	pexAgain    = 10 * time.Second // until what there is to tell is looked at again
	pexTolerant = 30 * time.Second // between the messages of a peer; what comes earlier is not read
	pexHasty    = 200              // how much noise such a message is
	pexCross    = 15 * time.Second // from when one of two is told of the other until that one is: dials that cross are both lost
	maxTold     = 200              // peers that one knows from us at a time
	maxTellings = 16               // peers that are looked after at a time: for each there may be thousands of others to choose from
)

// An exchange is what one peer was told of others (BEP 11), and when.
type exchange struct {
	told  map[netip.AddrPort]time.Time
	due   time.Time // of our next message; zero before the peer's handshake
	heard time.Time // when its last one was read
}

// A rated is a peer that another may be told of, and their priority for each other.
type rated struct {
	priority uint32
	addr     netip.AddrPort
	peer     *peer
}

// hasten brings the first message forward: the peer turned out to be one that others should know, and it them.
func (x *exchange) hasten(now time.Time) {
	if x.told == nil && now.Before(x.due) {
		x.due = now
	}
}

// news returns what p is to be told now that those in current are connected: what it lost first, and those of the highest
// priority for the two of them (BEP 40), so that everybody is told of others.
func (x *exchange) news(now time.Time, p *peer, current map[netip.AddrPort]*peer) extension.PEX {
	var m extension.PEX
	for addr := range x.told {
		if current[addr] == nil && len(m.Dropped) < extension.MaxPEX {
			m.Dropped = append(m.Dropped, addr)
		}
	}
	var fresh []rated
	for addr, q := range current {
		if _, told := x.told[addr]; told || now.Sub(q.exchange.told[p.listens()]) < pexCross {
			continue
		}
		if q != p && addr != p.listens() && candidates.Usable(candidates.PEX, p.addr.Addr(), addr) {
			fresh = append(fresh, rated{priority: candidates.Priority(p.addr, addr), addr: addr, peer: q})
		}
	}
	// An address that is lost for another to come would be in both lists of a later message, never of one.
	room := max(0, min(extension.MaxPEX, maxTold-len(x.told)+len(m.Dropped)))
	if len(fresh) > room {
		slices.SortFunc(fresh, func(a, b rated) int {
			return cmp.Or(cmp.Compare(b.priority, a.priority), a.addr.Compare(b.addr))
		})
		fresh = fresh[:room]
	}
	for _, q := range fresh {
		m.Added = append(m.Added, extension.PEXPeer{Addr: q.addr, Flags: q.peer.pexFlags()})
	}
	return m
}

// noted keeps what was told.
func (x *exchange) noted(now time.Time, m extension.PEX) {
	if x.told == nil {
		x.told = map[netip.AddrPort]time.Time{}
	}
	for _, addr := range m.Dropped {
		delete(x.told, addr)
	}
	for _, q := range m.Added {
		x.told[q.Addr] = now
	}
}

// pexFlags says of a peer what others may want to know.
func (p *peer) pexFlags() (f extension.PEXFlags) {
	if p.wantsNothing() {
		f |= extension.PEXSeed
	}
	if p.dialled {
		f |= extension.PEXReachable
	}
	return f
}

// settled reports whether p may be told of others, and others of it. Where we hide what we have, these are peers that are known to be
// what they say, at once, those that claim to be complete after minutes, and the others as elsewhere.
func (l *loop) settled(now time.Time, p *peer) bool {
	after := pexSettled
	if _, hides := l.policy.(*masquerade); hides {
		switch {
		case p.verdict == Partner || p.verdict == Holder:
			return true
		case p.wantsNothing():
			after = pexClaimant
		}
	}
	return p.verdict != Liar && now.Sub(p.connected) >= after
}

// connectable returns the peers that others may be told of, by where they listen.
func (l *loop) connectable(now time.Time) map[netip.AddrPort]*peer {
	all := make(map[netip.AddrPort]*peer, len(l.peers))
	for p := range l.peers {
		if addr := p.listens(); addr.IsValid() && l.settled(now, p) && !slices.Contains(l.swarm.cfg.Own, addr) {
			all[addr] = p
		}
	}
	return all
}

// tellPeers sends each peer what is new, where it is time to. Nothing is told in a private torrent, since nobody was told an id for
// it; what is told says nothing about ourselves. A liar is told of nobody. Of many who came together some wait for the next tick.
func (l *loop) tellPeers(now time.Time) {
	var current map[netip.AddrPort]*peer
	tellings := 0
	l.untold = false
	for p := range l.peers {
		id := p.theirs.ID(extension.PEXName)
		if id == 0 || p.verdict == Liar || p.exchange.due.IsZero() || now.Before(p.exchange.due) {
			continue
		}
		if _, hides := l.policy.(*masquerade); hides && !l.settled(now, p) {
			continue
		}
		if tellings++; tellings > maxTellings {
			l.untold = true
			return
		}
		if current == nil {
			current = l.connectable(now)
		}
		m := p.exchange.news(now, p, current)
		p.exchange.due = now.Add(pexAgain)
		if len(m.Added)+len(m.Dropped) == 0 {
			continue
		}
		p.exchange.noted(now, m)
		p.exchange.due = now.Add(pexInterval)
		l.push(now, p, peerwire.Append(l.frames[:0], peerwire.Extended{ID: id, Payload: m.AppendTo(nil)}))
	}
}

// toldOfPeers takes a peer's message in. What it dropped is not forgotten: it may be the one that cannot be reached.
func (l *loop) toldOfPeers(now time.Time, p *peer, payload []byte) {
	x := &p.exchange
	if !x.heard.IsZero() && now.Sub(x.heard) < pexTolerant {
		p.noise += pexHasty
		return
	}
	p.noise++
	x.heard = now
	m, err := extension.ParsePEX(payload)
	if err != nil {
		l.log.Debug("peer exchange", "peer", p.addr, "err", err)
		return
	}
	peers := make([]candidates.Peer, 0, len(m.Added))
	for _, q := range m.Added {
		if !slices.Contains(l.swarm.cfg.Own, q.Addr) {
			peers = append(peers, candidates.Peer{Addr: q.Addr, Seed: q.Flags&extension.PEXSeed != 0})
		}
	}
	l.heardOf(now, candidates.PEX, p.addr.Addr(), peers)
}
