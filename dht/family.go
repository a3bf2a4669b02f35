package dht

import (
	"net/netip"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht/krpc"
)

const (
	bootRetry    = 2 * time.Second // doubled each time
	bootRetryMax = 5 * time.Minute
	startSize    = 4 * bucketSize  // contacts that a lookup starts with
	maxSeeds     = 64              // nodes that are asked first
	fillEvery    = 5 * time.Minute // a lookup in each of the large buckets while it is less than half full
	refreshPings = 4               // questionable contacts that a sweep asks, of one bucket
)

// family is the node's side of one of the two DHTs, that of IPv4 or that of IPv6: they know nothing of each other (BEP 32).
type family struct {
	node      *Node
	six       bool
	id        ID
	table     *table
	routers   []netip.AddrPort // asked while the table is small, never kept in it
	seeds     []compact.Node   // asked first
	verifying map[netip.AddrPort]struct{}
	votes     votes
	local     netip.Addr // ours, for those in our own network
	renamed   time.Time
	heard     time.Time // the last answer of anybody
	bootAt    time.Time // when the next bootstrap is due; zero: none is
	bootDelay time.Duration
	booting   bool
	booted    bool // it has been tried
	rumours   []rumour
	liars     map[netip.Addr]time.Time // when they were shunned
	visited   int                      // the bucket whose contacts were looked at last
}

func newFamily(n *Node, now time.Time, six bool) *family {
	f := &family{node: n, six: six, verifying: map[netip.AddrPort]struct{}{}, liars: map[netip.Addr]time.Time{}, bootDelay: bootRetry}
	f.id = n.config.Saved.ID4
	if six {
		f.id = n.config.Saved.ID6
	}
	var external netip.Addr
	for _, addr := range n.config.External {
		switch addr = addr.Unmap(); {
		case !addr.IsValid() || addr.Is6() != six:
		case IsLocal(addr) && !f.local.IsValid():
			f.local = addr
		case !IsLocal(addr) && !external.IsValid():
			external = addr
		}
	}
	if f.id == (ID{}) || external.IsValid() && !Compliant(f.id, external) {
		f.id = NewID(external, n.rand)
	}
	f.votes.external = external
	f.table = newTable(f.id)
	for _, seed := range n.config.Saved.Nodes {
		if len(f.seeds) < maxSeeds && f.holds(seed.Addr) {
			f.seeds = append(f.seeds, seed)
		}
	}
	if len(f.seeds) > 0 {
		f.bootAt = now
	}
	return f
}

// ourselves returns our address as a peer for one who asks from addr: the zero Addr if we know none that is of use to him.
func (f *family) ourselves(addr netip.Addr) netip.Addr {
	if f.votes.external.IsValid() {
		return f.votes.external
	}
	if IsLocal(addr) && f.local.IsValid() {
		return f.local
	}
	return netip.Addr{}
}

// holds reports whether addr is of this family.
func (f *family) holds(addr netip.AddrPort) bool {
	return addr.IsValid() && addr.Port() != 0 && addr.Addr().Is6() == f.six
}

func (f *family) wants() krpc.Want {
	if f.six {
		return krpc.Want6
	}
	return krpc.Want4
}

func (f *family) isRouter(addr netip.AddrPort) bool { return slices.Contains(f.routers, addr) }

// ready reports whether lookups can be expected to get anywhere.
func (f *family) ready() bool {
	return f.booted && !f.booting && !f.heard.IsZero() && f.node.now.Sub(f.heard) < fresh
}

// verify pings a node: one that is to be put into the table if it answers, or one of which we are not sure.
func (f *family) verify(now time.Time, addr netip.AddrPort, id ID, known bool) {
	if _, already := f.verifying[addr]; already || len(f.verifying) >= maxVerifying || !f.node.mayAsk(now, addr) {
		return
	}
	f.verifying[addr] = struct{}{}
	f.node.ask(now, transaction{family: f, addr: addr, id: id, known: known, method: krpc.Ping}, ID{})
}

// queried takes note of who asks us. It reports whether we know him: he has answered us from this address.
func (f *family) queried(now time.Time, id ID, from netip.AddrPort) (known bool) {
	if c := f.table.find(&id, from); c != nil {
		c.queried = now
		return true
	}
	if f.shunned(from.Addr()) {
		return false
	}
	if len(f.verifying) < maxVerifying && from.Port() >= lowestPort && f.table.wants(&id, from) && !f.isRouter(from) {
		f.verify(now, from, id, true)
	}
	return false
}

// told counts what a node says our address is. When enough agree, an id that does not fit the address is changed (BEP 42).
func (f *family) told(now time.Time, voter, claim netip.Addr) {
	if claim.Is6() != f.six || IsLocal(claim) || claim.IsUnspecified() || !f.votes.add(voter, claim) {
		return
	}
	if Compliant(f.id, claim) || !f.renamed.IsZero() && now.Sub(f.renamed) < renameEvery {
		return
	}
	f.renamed = now
	old := f.table
	f.id = NewID(claim, f.node.rand)
	f.table = newTable(f.id)
	for i := range old.buckets {
		for _, c := range old.buckets[i].contacts {
			f.table.answered(c.answered, &c.id, c.addr)
		}
	}
	f.bootAt = now // find the new neighbours
	f.node.stats.Renames++
}

// bootstrap looks for our own neighbours, from the nodes we were given and the routers, as long as the table is small.
func (f *family) bootstrap(now time.Time) {
	if f.booting || f.bootAt.IsZero() || now.Before(f.bootAt) {
		return
	}
	f.booting, f.bootAt = true, time.Time{}
	l := f.newLookup(now, f.id, krpc.FindNode)
	l.bootstrap = true
	f.node.run(now, l)
}

// bootstrapped ends that.
func (f *family) bootstrapped(now time.Time) {
	f.booting, f.booted = false, true
	if f.table.size >= bucketSize {
		f.bootDelay = bootRetry
		return
	}
	f.bootAt = now.Add(f.bootDelay)
	f.bootDelay = min(2*f.bootDelay, bootRetryMax)
}

// refresh looks at a bucket that has not changed for long, and at contacts that have not been heard of for long (BEP 5: "Buckets
// that have not been changed in 15 minutes should be refreshed").
func (f *family) refresh(now time.Time) {
	if f.table.size < bucketSize && f.bootAt.IsZero() && !f.booting && (f.booted || len(f.routers)+len(f.seeds) > 0) {
		f.bootAt = now.Add(f.bootDelay)
	}
	if f.booting || f.table.size == 0 {
		return
	}
	deepest := 0
	for i := range f.table.buckets {
		if len(f.table.buckets[i].contacts) > 0 {
			deepest = i
		}
	}
	f.followRumours(now)
	for i := range f.table.buckets[:min(deepest+2, len(f.table.buckets))] {
		b := &f.table.buckets[i]
		sparse := i < min(len(topBuckets), deepest) && len(b.contacts) < capacity(i)/2
		if now.Sub(b.changed) >= fresh || sparse && now.Sub(b.refreshed) >= fillEvery {
			b.changed, b.refreshed = now, now
			f.node.run(now, f.newLookup(now, idSharing(&f.id, i, f.node.rand), krpc.FindNode))
			break
		}
	}
	if f.visited++; f.visited > deepest {
		f.visited = 0
	}
	pings := refreshPings
	for _, c := range f.table.buckets[f.visited].contacts {
		if pings > 0 && !c.good(now) {
			pings--
			f.verify(now, c.addr, c.id, true)
		}
	}
}

// newLookup prepares a lookup: it starts with the closest nodes of the table, and of those that answered other lookups; with
// the routers and what else we were given only while the table is small.
func (f *family) newLookup(now time.Time, target ID, method krpc.Method) *lookup {
	l := &lookup{family: f, target: target, method: method, started: now, seen: map[netip.AddrPort]*candidate{}}
	if method == krpc.GetPeers {
		l.found = map[netip.AddrPort]bool{}
	}
	near := nearest{target: target, limit: startSize}
	f.table.closest(&near)
	for _, c := range near.contacts[:near.size] {
		l.add(c.id, true, c.addr, nil)
	}
	f.node.recent.closest(l)
	if f.table.size < bucketSize {
		for _, addr := range f.routers {
			l.add(ID{}, false, addr, nil)
		}
		for _, seed := range f.seeds {
			l.add(ID(seed.ID), seed.ID != [20]byte{}, seed.Addr, nil)
		}
	}
	return l
}
