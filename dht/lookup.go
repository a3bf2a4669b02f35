package dht

import (
	"bytes"
	"net/netip"
	"slices"
	"sort"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht/krpc"
)

const (
	alpha         = 4                // queries under way of a lookup, not counting slow ones
	maxCandidates = 128              // nodes that a lookup keeps in view, the closest
	maxAsked      = 96               // nodes that a lookup asks at most
	maxFound      = 1000             // peers that a lookup tells of at most
	maxInvented   = 3                // dead nodes that one node may name before nothing it named is believed
	lookupLife    = 60 * time.Second // then it ends with what it has
	lowestPort    = 1024             // below it are other services than peers and nodes
)

// standing is how far a lookup is with a candidate.
type standing uint8

const (
	unasked standing = iota
	asked
	slow     // asked, but the lookup goes on without waiting
	replied  // answered
	rejected // did not answer, or is not to be asked
)

// candidate is a node that a lookup knows of.
type candidate struct {
	id        ID
	known     bool // id is; a router's is not before it answers
	addr      netip.AddrPort
	standing  standing
	secure    bool // BEP 42
	token     []byte
	hops      int
	named     *candidate // who named it; nil: it is of our table
	invented  int        // nodes it named that did not answer, or are somebody else
	wrong     int        // of these, those that are somebody else
	confirmed int        // nodes it named that are who it said
}

// lookup goes towards a target, asking the closest nodes it knows for closer ones (BEP 5). It ends when the eight closest have
// answered. Nodes whose id is not theirs to choose count among those eight only (BEP 42): others are asked too, but cannot
// crowd them out. Nor do those count that have named nodes that are not there.
type lookup struct {
	id         LookupID
	family     *family
	target     ID
	method     krpc.Method // find_node or get_peers
	announce   bool
	item       *published // whose announce it is; nil: a caller's
	candidates []*candidate
	seen       map[netip.AddrPort]*candidate // by host, the port of which is 0 here unless it is local: one candidate each
	found      map[netip.AddrPort]bool
	underWay   int // queries not answered, lost or slow
	waiting    int // slow ones
	askedNodes int
	doubts     int // nodes that do not comply with BEP 42 and did not answer, or were somebody else
	packets    int
	answers    int
	announcing bool
	pending    int // announces under way
	announced  int
	started    time.Time
	over       bool
	bootstrap  bool
}

// add takes note of a node. Those that cannot be right are passed over: our own, local ones that a public node named, ports
// below 1024, a second one at the same host.
func (l *lookup) add(id ID, known bool, addr netip.AddrPort, by *candidate) {
	host := addr.Addr()
	if l.family.shunned(host) {
		return
	}
	if !host.IsValid() || host.Is6() != l.family.six || known && id == l.family.id || host.IsUnspecified() || host.IsMulticast() {
		return
	}
	if by != nil && (addr.Port() < lowestPort || IsLocal(host) && !IsLocal(by.addr.Addr())) {
		return
	}
	place := addr
	if !IsLocal(host) {
		place = netip.AddrPortFrom(host, 0)
	}
	if known := l.seen[place]; known != nil {
		if by != nil && known.named.discredited() {
			known.named = by
		}
		return
	}
	c := &candidate{id: id, known: known, addr: addr, named: by, secure: known && Compliant(id, host)}
	if by != nil {
		c.hops = by.hops + 1
	}
	if l.insert(c) {
		l.seen[place] = c
	}
}

// discredited reports whether a node has named so many that are not there that the rest is not believed.
func (c *candidate) discredited() bool {
	return c != nil && c.invented >= maxInvented && c.invented > 2*c.confirmed
}

// liedTo reports whether so much was wrong that some of those who answered must be lying. As a lookup asks only so many nodes that
// chose their own ids, what each liar said is then not tried out far enough to tell who they are.
func (l *lookup) liedTo() bool { return l.doubts >= bucketSize }

// needed returns how many answers end the lookup: eight, twice that if it was lied to, so that liars alone cannot end it.
func (l *lookup) needed() int {
	if l.liedTo() {
		return 2 * bucketSize
	}
	return bucketSize
}

// counts reports whether c is one of those whose answers end the lookup.
func (l *lookup) counts(c *candidate) bool {
	return c.secure && !c.discredited() && (!l.liedTo() || c.invented <= c.confirmed)
}

// doubt takes note that what was said of c was wrong: it is not there, or another node is.
func (l *lookup) doubt(c *candidate, other bool) {
	if by := c.named; by != nil {
		by.invented++
		if other {
			by.wrong++
		}
		if by.wrong == maxInvented && by.wrong > by.confirmed {
			l.family.shun(l.family.node.now, by)
		}
	}
	if c.known && !c.secure {
		l.doubts++
	}
}

// insert puts c where its distance says, those without an id last. It reports false if c is too far away to keep.
func (l *lookup) insert(c *candidate) bool {
	at := sort.Search(len(l.candidates), func(i int) bool { return !l.before(l.candidates[i], c) })
	if at >= maxCandidates {
		return false
	}
	l.candidates = slices.Insert(l.candidates, at, c)
	if last := len(l.candidates) - 1; last >= maxCandidates && (l.candidates[last].standing == unasked || l.candidates[last].standing == rejected) {
		l.candidates = l.candidates[:last]
	}
	return true
}

func (l *lookup) before(a, b *candidate) bool {
	if a.known != b.known {
		return a.known
	}
	return a.known && compareDistance(&l.target, &a.id, &b.id) < 0
}

// step asks whom there is to ask, and ends what has nobody left. It returns false if it could not send what it wants to.
func (l *lookup) step(now time.Time) (satisfied bool) {
	if l.over {
		return true
	}
	n := l.family.node
	if now.Sub(l.started) >= lookupLife {
		l.end(now)
		return true
	}
	if l.announcing {
		if l.pending == 0 {
			l.end(now)
		}
		return true
	}
	satisfied = true
	open, secure, others := false, 0, 0
	for _, c := range l.candidates {
		if secure >= l.needed() || l.askedNodes >= maxAsked {
			break
		}
		if c.standing == rejected || c.standing == unasked && c.named.discredited() {
			continue
		}
		if l.counts(c) {
			secure++
		} else if others++; c.known && !c.secure && c.standing == unasked && (others > bucketSize || l.doubts >= bucketSize) {
			continue
		}
		switch c.standing {
		case asked:
			open = true
		case unasked:
			if l.underWay >= alpha {
				return satisfied
			}
			open = true
			if !n.mayAsk(now, c.addr) {
				satisfied = false
				continue
			}
			c.standing = asked
			l.underWay++
			l.askedNodes++
			l.packets++
			n.ask(now, transaction{family: l.family, addr: c.addr, id: c.id, known: c.known, method: l.method, lookup: l, asked: c}, l.target)
		}
	}
	if open || l.underWay > 0 {
		return satisfied
	}
	if l.waiting > 0 && l.slowNeeded() {
		return true
	}
	l.converged(now)
	return true
}

// slowNeeded reports whether one of the slow nodes would be among the eight closest: then its answer is waited for.
func (l *lookup) slowNeeded() bool {
	answered := 0
	for _, c := range l.candidates {
		switch {
		case answered >= l.needed():
			return false
		case c.standing == slow:
			return true
		case c.standing == replied && l.counts(c):
			answered++
		}
	}
	return false
}

// stalled tells that a node takes its time.
func (l *lookup) stalled(now time.Time, c *candidate) {
	if c.standing == asked {
		c.standing = slow
		l.underWay--
		l.waiting++
		l.family.node.step(now, l)
	}
}

// settle ends the query to c.
func (l *lookup) settle(c *candidate, s standing) {
	switch c.standing {
	case asked:
		l.underWay--
	case slow:
		l.waiting--
	}
	c.standing = s
}

// failed tells that a node did not answer, or refused.
func (l *lookup) failed(now time.Time, c *candidate, method krpc.Method) {
	if method == krpc.AnnouncePeer {
		l.pending--
	} else {
		l.settle(c, rejected)
		l.family.node.recent.drop(c)
		l.doubt(c, false)
	}
	l.family.node.step(now, l)
}

// answered takes what a node said.
func (l *lookup) answered(now time.Time, c *candidate, method krpc.Method, m *krpc.Message) {
	if method == krpc.AnnouncePeer {
		l.pending--
		l.announced++
		l.family.node.step(now, l)
		return
	}
	l.settle(c, replied)
	l.answers++
	if id := ID(m.ID); c.known && c.id == id {
		if c.named != nil {
			c.named.confirmed++
		}
	} else { // the node is who it says it is; others only heard of it
		l.doubt(c, c.known)
		if i := slices.Index(l.candidates, c); i >= 0 {
			l.candidates = slices.Delete(l.candidates, i, i+1)
		}
		c.id, c.known, c.secure = id, true, Compliant(id, c.addr.Addr())
		l.insert(c)
	}
	if len(m.Token) > 0 {
		c.token = bytes.Clone(m.Token)
	}
	l.family.node.recent.add(l.family, c)
	l.heard(c, m)
	l.peers(m.Values, c.addr)
	l.family.node.step(now, l)
}

// heard adds the nodes of an answer, eight at most.
func (l *lookup) heard(c *candidate, m *krpc.Message) {
	list, size := m.Nodes, compact.Node4Size
	if l.family.six {
		list, size = m.Nodes6, compact.Node6Size
	}
	list = list[:min(len(list), 2*bucketSize*size)]
	parse := compact.Nodes4
	if l.family.six {
		parse = compact.Nodes6
	}
	nodes, err := parse(list)
	if err != nil {
		return
	}
	for _, node := range nodes {
		l.add(ID(node.ID), true, node.Addr, c)
		l.family.heardOf(ID(node.ID), node.Addr, c.addr.Addr())
	}
}

// stored tells of the peers that announced to us.
func (l *lookup) stored(now time.Time) {
	n := l.family.node
	n.peers.Reset()
	if l.family.six {
		n.stored6.sample(now, &l.target, maxFound, n.rand, &n.peers, netip.AddrFrom16)
	} else {
		n.stored4.sample(now, &l.target, maxFound, n.rand, &n.peers, netip.AddrFrom4)
	}
	l.peers(n.peers.Values(), netip.AddrPort{})
}

// peers tells of the peers of an answer that are new.
func (l *lookup) peers(values krpc.Values, from netip.AddrPort) {
	if l.method != krpc.GetPeers || len(values) == 0 {
		return
	}
	var fresh []netip.AddrPort
	for addr := range values.All() {
		if len(l.found) >= maxFound {
			break
		}
		if addr.Port() < lowestPort || addr.Addr().IsUnspecified() || addr.Addr().IsMulticast() || l.found[addr] {
			continue
		}
		l.found[addr] = true
		fresh = append(fresh, addr)
	}
	if len(fresh) > 0 {
		n := l.family.node
		n.stats.Found += uint64(len(fresh))
		n.results = append(n.results, Found{Lookup: l.id, Infohash: l.target, From: from, Peers: fresh})
	}
}

// converged announces, if that is what the lookup is for, and ends it otherwise.
func (l *lookup) converged(now time.Time) {
	if !l.announce {
		l.end(now)
		return
	}
	l.announcing = true
	n := l.family.node
	for _, trusted := range []bool{true, false} { // nodes that chose their id, or lied, only if there are no others
		for _, c := range l.candidates {
			if l.pending < bucketSize && c.standing == replied && l.counts(c) == trusted && c.token != nil {
				l.pending++
				l.packets++
				n.ask(now, transaction{family: l.family, addr: c.addr, id: c.id, known: true, method: krpc.AnnouncePeer, lookup: l, asked: c}, l.target)
			}
		}
	}
	if l.pending == 0 {
		l.end(now)
	}
}

func (l *lookup) end(now time.Time) {
	if l.over {
		return
	}
	l.over = true
	done := Finished{Lookup: l.id, Target: l.target, IPv6: l.family.six, Asked: l.askedNodes, Answered: l.answers, Packets: l.packets, Announced: l.announced, Took: now.Sub(l.started)}
	for _, c := range l.candidates {
		if c.standing == replied && len(done.Closest) < bucketSize {
			if len(done.Closest) == 0 {
				done.Hops = c.hops
			}
			done.Closest = append(done.Closest, Contact{c.id, c.addr})
		}
	}
	l.family.node.ended(now, l, done)
}
