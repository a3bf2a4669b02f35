package dht

import (
	"net/netip"
	"time"
)

const (
	maxRumours = 64        // kept at a time
	followUp   = 4         // of them that a sweep asks
	shunFor    = time.Hour // who named nodes that are somebody else
	maxLiars   = 256       // remembered in each family
)

// rumour is a node that another named, and that the table has room for: it is asked, some time, as a table that only waits to be
// asked fills with those who ask most, among them those with an interest in being in it.
type rumour struct {
	id   ID
	addr netip.AddrPort
}

// heardOf takes note of a node that the node at by named.
func (f *family) heardOf(id ID, addr netip.AddrPort, by netip.Addr) {
	if len(f.rumours) >= maxRumours || addr.Port() < lowestPort || !f.holds(addr) || IsLocal(addr.Addr()) && !IsLocal(by) ||
		!Compliant(id, addr.Addr()) || f.shunned(addr.Addr()) || !f.table.wants(&id, addr) {
		return
	}
	f.rumours = append(f.rumours, rumour{id, addr})
}

// followRumours asks some of them.
func (f *family) followRumours(now time.Time) {
	for range min(followUp, len(f.rumours)) {
		i := f.node.rand.IntN(len(f.rumours))
		r := f.rumours[i]
		f.rumours[i] = f.rumours[len(f.rumours)-1]
		f.rumours = f.rumours[:len(f.rumours)-1]
		if f.table.wants(&r.id, r.addr) && !f.isRouter(r.addr) {
			f.verify(now, r.addr, r.id, true)
		}
	}
}

// shun keeps a node out of the table and of lookups for a while, which named others under ids that are not theirs.
func (f *family) shun(now time.Time, c *candidate) {
	f.table.expel(&c.id, c.addr)
	f.node.recent.drop(c)
	if IsLocal(c.addr.Addr()) { // not all of a host, which may be ours
		return
	}
	if len(f.liars) >= maxLiars {
		for addr, at := range f.liars {
			if now.Sub(at) > shunFor || len(f.liars) >= maxLiars {
				delete(f.liars, addr)
			}
		}
	}
	f.liars[c.addr.Addr()] = now
	f.node.stats.Shunned++
}

func (f *family) shunned(addr netip.Addr) bool {
	at, listed := f.liars[addr]
	return listed && f.node.now.Sub(at) < shunFor
}
