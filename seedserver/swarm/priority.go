package swarm

import (
	"net"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// worthKeeping is the least rate, bytes per second, for which a peer keeps its place among others.
const worthKeeping = 1 << 10

// rank returns the canonical priority of a connection (BEP 40): by the address at which peers know us, else by our end of it.
func (s *Swarm) rank(conn net.Conn, addr netip.AddrPort) uint32 {
	for _, own := range s.cfg.Own {
		if own.Addr().Unmap().Is4() == addr.Addr().Is4() {
			return candidates.Priority(own, addr)
		}
	}
	return candidates.Priority(addrPort(conn.LocalAddr().String()), addr)
}

// outranked returns the peer of the lowest priority, if that is lower than rank: "replace the lowest-priority peer" (BEP 40). Who
// has just come stays for a while, and who gets or gives more than most stays: an attacker with many addresses has enough of a high
// priority to push everybody out.
func (l *loop) outranked(now time.Time, rank uint32) *peer {
	var lowest *peer
	usual := (l.rate + l.downRate) / rate(max(len(l.peers), 1))
	for p := range l.peers {
		if busy := p.rate + p.downRate; busy >= worthKeeping && busy >= usual {
			continue
		}
		if p.rank < rank && now.Sub(p.connected) >= staleTimeout && (lowest == nil || p.rank < lowest.rank) {
			lowest = p
		}
	}
	return lowest
}
