package swarm

import (
	"net"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

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
// has just come stays for a while.
func (l *loop) outranked(now time.Time, rank uint32) *peer {
	var lowest *peer
	for p := range l.peers {
		if p.rank < rank && now.Sub(p.connected) >= staleTimeout && (lowest == nil || p.rank < lowest.rank) {
			lowest = p
		}
	}
	return lowest
}
