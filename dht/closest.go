package dht

// nearest holds the contacts closest to a target among those offered, the closest first.
type nearest struct {
	target   ID
	public   bool // leave out contacts at local addresses
	distance [startSize]uint64
	contacts [startSize]*contact
	size     int
	limit    int // at most startSize
}

// closest fills n with the contacts closest to its target that are not bad. It is the table's part of every answer: nothing is
// allocated, and few buckets are looked at. With i the bits that the target shares with our id, the contacts of bucket i are
// closer to it than those of all deeper buckets, and these closer than bucket i-1, and so on.
func (t *table) closest(n *nearest) {
	i := min(sharedBits(&t.own, &n.target), len(t.buckets)-1)
	n.offer(&t.buckets[i])
	if n.size == n.limit {
		return
	}
	for k := i + 1; k < len(t.buckets); k++ {
		n.offer(&t.buckets[k])
	}
	for k := i - 1; k >= 0 && n.size < n.limit; k-- {
		n.offer(&t.buckets[k])
	}
}

func (n *nearest) offer(b *bucket) {
	target := n.target.key()
	for i, key := range b.keys {
		distance := target ^ key
		if n.size == n.limit && distance > n.distance[n.size-1] {
			continue
		}
		c := &b.contacts[i]
		if c.fails >= badAfter || n.public && IsLocal(c.addr.Addr()) {
			continue
		}
		n.insert(distance, c)
	}
}

func (n *nearest) insert(distance uint64, c *contact) {
	at := n.size
	for at > 0 && (distance < n.distance[at-1] || distance == n.distance[at-1] &&
		compareDistance(&n.target, &c.id, &n.contacts[at-1].id) < 0) {
		at--
	}
	if at == n.limit {
		return
	}
	if n.size < n.limit {
		n.size++
	}
	copy(n.distance[at+1:n.size], n.distance[at:])
	copy(n.contacts[at+1:n.size], n.contacts[at:])
	n.distance[at], n.contacts[at] = distance, c
}
