package dht

import (
	"net/netip"
	"time"
)

const (
	recentSize = 1024             // nodes that answered lookups last
	recentLife = 10 * time.Minute // for that long they are worth asking first
)

// recent remembers who answered our lookups, so that the next lookup nearby need not come all the way from the table: those of
// thousands of torrents, announced in the order of their infohashes, share the way.
type recent struct {
	keys  []uint64
	nodes []acquaintance
	next  int
}

type acquaintance struct {
	id   ID
	addr netip.AddrPort
	at   time.Time
}

// add takes note of a node that answered.
func (r *recent) add(f *family, c *candidate) {
	if f.isRouter(c.addr) {
		return
	}
	a := acquaintance{c.id, c.addr, f.node.now}
	if len(r.nodes) < recentSize {
		r.keys, r.nodes = append(r.keys, c.id.key()), append(r.nodes, a)
		return
	}
	r.keys[r.next], r.nodes[r.next] = c.id.key(), a
	r.next = (r.next + 1) % recentSize
}

// drop forgets a node that did not answer.
func (r *recent) drop(c *candidate) {
	for i, key := range r.keys {
		if key == c.id.key() && r.nodes[i].addr == c.addr {
			r.nodes[i].at = time.Time{}
		}
	}
}

// closest gives a lookup the eight that are closest to its target.
func (r *recent) closest(l *lookup) {
	var best [bucketSize]int
	size, target := 0, l.target.key()
	for i, key := range r.keys {
		distance := target ^ key
		if size == bucketSize && distance >= target^r.keys[best[size-1]] {
			continue
		}
		if a := &r.nodes[i]; a.addr.Addr().Is6() != l.family.six || l.started.Sub(a.at) > recentLife {
			continue
		}
		if size < bucketSize {
			size++
		}
		at := size - 1
		for ; at > 0 && distance < target^r.keys[best[at-1]]; at-- {
			best[at] = best[at-1]
		}
		best[at] = i
	}
	for _, i := range best[:size] {
		l.add(r.nodes[i].id, true, r.nodes[i].addr, nil)
	}
}
