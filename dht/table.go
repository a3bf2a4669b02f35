package dht

import (
	"net/netip"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
)

const (
	bucketSize = 8                // contacts of a bucket, and of an answer (BEP 5)
	fresh      = 15 * time.Minute // BEP 5: "After 15 minutes of inactivity, a node becomes questionable"
	badAfter   = 2                // BEP 5: "Nodes become bad when they fail to respond to multiple queries in a row"
	gone       = 8                // failures after which even a contact without a successor is removed
	perSubnet  = 4                // contacts of one /24 of IPv4 or one /48 of IPv6
)

// topBuckets are larger: half of all lookups start in the first, and they must not all ask the same eight nodes.
var topBuckets = [...]int{16 * bucketSize, 8 * bucketSize, 4 * bucketSize, 2 * bucketSize}

// MaxTable is how many contacts the table of one family can hold.
const MaxTable = (16 + 8 + 4 + 2 + 160 - 4) * bucketSize

// contact is a node that has answered us.
type contact struct {
	id        ID
	addr      netip.AddrPort
	answered  time.Time // our last query that it answered
	queried   time.Time // its last query
	fails     uint8     // queries in a row without an answer
	compliant bool      // BEP 42
}

// good: "a node has responded to one of our queries within the last 15 minutes", or "has ever responded [...] and has sent us
// a query within the last 15 minutes" (BEP 5).
func (c *contact) good(now time.Time) bool {
	return c.fails == 0 && (now.Sub(c.answered) < fresh || now.Sub(c.queried) < fresh)
}

// bucket holds the contacts that share exactly so many bits with our id.
type bucket struct {
	keys      []uint64 // of contacts, side by side for a fast search
	contacts  []contact
	spare     []contact // answered when the bucket was full; the newest last
	changed   time.Time // a contact answered, or a refresh began
	refreshed time.Time // a refresh began
}

// table is the routing table of one family. Bucket i holds contacts that share i bits with our id, which is what splitting
// only the bucket of our own id comes to.
type table struct {
	own     ID
	buckets [160]bucket
	size    int
	hosts   map[netip.Prefix]int // contacts and spares of each address and each subnet
}

func newTable(own ID) *table { return &table{own: own, hosts: map[netip.Prefix]int{}} }

func capacity(bucket int) int {
	if bucket < len(topBuckets) {
		return topBuckets[bucket]
	}
	return bucketSize
}

// bucketOf returns the bucket of an id, nil for our own.
func (t *table) bucketOf(id *ID) (*bucket, int) {
	i := sharedBits(&t.own, id)
	if i == 160 {
		return nil, 0
	}
	return &t.buckets[i], i
}

// find returns the contact with this id at this address, or nil.
func (t *table) find(id *ID, addr netip.AddrPort) *contact {
	b, _ := t.bucketOf(id)
	if b == nil {
		return nil
	}
	if c := b.find(id); c != nil && c.addr == addr {
		return c
	}
	return nil
}

func (b *bucket) find(id *ID) *contact {
	key := id.key()
	for i, k := range b.keys {
		if k == key && b.contacts[i].id == *id {
			return &b.contacts[i]
		}
	}
	return nil
}

// wants reports whether a node that we know nothing of but its id and address would be put in, if it answers.
func (t *table) wants(id *ID, addr netip.AddrPort) bool {
	b, i := t.bucketOf(id)
	if b == nil || !t.admits(addr.Addr()) || b.find(id) != nil {
		return false
	}
	return len(b.contacts) < capacity(i) || len(b.spare) < bucketSize/2 || slices.ContainsFunc(b.contacts, func(c contact) bool { return c.fails >= badAfter })
}

// answered tells that the node id at addr answered us. It returns a contact that is to be asked whether it is still there:
// the one of its bucket not seen for longest, which gives way if it is not.
func (t *table) answered(now time.Time, id *ID, addr netip.AddrPort) (doubtful *contact) {
	b, i := t.bucketOf(id)
	if b == nil {
		return nil
	}
	b.changed = now
	if c := b.find(id); c != nil {
		switch {
		case c.addr == addr:
			c.answered, c.fails = now, 0
		case c.fails >= badAfter && t.admits(addr.Addr()): // it moved
			t.count(c.addr.Addr(), -1)
			*c = contact{id: *id, addr: addr, answered: now, compliant: Compliant(*id, addr.Addr())}
			t.count(addr.Addr(), 1)
		}
		return nil
	}
	for k := range b.spare {
		if b.spare[k].id == *id {
			if b.spare[k].addr == addr {
				b.spare[k].answered = now
			}
			return b.doubtful(now)
		}
	}
	if !t.admits(addr.Addr()) {
		return nil
	}
	c := contact{id: *id, addr: addr, answered: now, compliant: Compliant(*id, addr.Addr())}
	t.count(addr.Addr(), 1)
	if len(b.contacts) < capacity(i) {
		b.keys, b.contacts = append(b.keys, id.key()), append(b.contacts, c)
		t.size++
		return nil
	}
	for k := range b.contacts {
		if b.contacts[k].fails >= badAfter {
			t.replace(b, k, c)
			return nil
		}
	}
	if len(b.spare) == bucketSize {
		t.count(b.spare[0].addr.Addr(), -1)
		b.spare = append(b.spare[:0], b.spare[1:]...)
	}
	b.spare = append(b.spare, c)
	return b.doubtful(now)
}

// doubtful returns the questionable contact not seen for longest, or nil.
func (b *bucket) doubtful(now time.Time) (oldest *contact) {
	for k := range b.contacts {
		if c := &b.contacts[k]; !c.good(now) && (oldest == nil || c.answered.Before(oldest.answered)) {
			oldest = c
		}
	}
	return oldest
}

// failed tells that the node did not answer a query. When it becomes bad, the newest spare takes its place.
func (t *table) failed(id *ID, addr netip.AddrPort) {
	b, _ := t.bucketOf(id)
	if b == nil {
		return
	}
	c := b.find(id)
	if c == nil || c.addr != addr {
		return
	}
	c.fails++
	k := slices.IndexFunc(b.contacts, func(o contact) bool { return o.id == *id })
	switch {
	case c.fails >= badAfter && len(b.spare) > 0:
		last := len(b.spare) - 1
		s := b.spare[last]
		b.spare = b.spare[:last]
		t.replace(b, k, s)
	case c.fails >= gone:
		t.remove(b, k)
	}
}

func (t *table) remove(b *bucket, k int) {
	t.count(b.contacts[k].addr.Addr(), -1)
	b.keys, b.contacts = slices.Delete(b.keys, k, k+1), slices.Delete(b.contacts, k, k+1)
	t.size--
}

// expel removes a contact.
func (t *table) expel(id *ID, addr netip.AddrPort) {
	if b, _ := t.bucketOf(id); b != nil {
		if k := slices.IndexFunc(b.contacts, func(c contact) bool { return c.id == *id && c.addr == addr }); k >= 0 {
			t.remove(b, k)
		}
	}
}

// replace puts c, which is counted already, in the place of contact k.
func (t *table) replace(b *bucket, k int, c contact) {
	t.count(b.contacts[k].addr.Addr(), -1)
	b.keys[k], b.contacts[k] = c.id.key(), c
}

// admits reports whether one more contact at addr may be kept: one of each address (one of each /64 of IPv6), few of each
// subnet, so that nobody fills the table with nodes of his own. Local addresses are exempt.
func (t *table) admits(addr netip.Addr) bool {
	if IsLocal(addr) {
		return true
	}
	host, subnet := prefixes(addr)
	return t.hosts[host] == 0 && t.hosts[subnet] < perSubnet
}

func (t *table) count(addr netip.Addr, by int) {
	if IsLocal(addr) {
		return
	}
	host, subnet := prefixes(addr)
	for _, p := range [...]netip.Prefix{host, subnet} {
		if t.hosts[p] += by; t.hosts[p] == 0 {
			delete(t.hosts, p)
		}
	}
}

func prefixes(addr netip.Addr) (host, subnet netip.Prefix) {
	bits := [2]int{64, 48}
	if addr.Is4() {
		bits = [2]int{32, 24}
	}
	host, _ = addr.Prefix(bits[0])
	subnet, _ = addr.Prefix(bits[1])
	return host, subnet
}

// nodes returns all contacts that are not bad, those that answered last first: what is worth keeping over a restart.
func (t *table) nodes() []compact.Node {
	var all []*contact
	for i := range t.buckets {
		for k := range t.buckets[i].contacts {
			if c := &t.buckets[i].contacts[k]; c.fails < badAfter {
				all = append(all, c)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *contact) int { return b.answered.Compare(a.answered) })
	nodes := make([]compact.Node, len(all))
	for i, c := range all {
		nodes[i] = compact.Node{ID: c.id, Addr: c.addr}
	}
	return nodes
}
