package dht

import (
	"net/netip"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht/krpc"
)

// AddRouters names nodes that are asked while the table is small, and are never kept in it: the well-known first addresses of
// the DHT, which would suffer from being in everybody's table.
func (n *Node) AddRouters(now time.Time, addrs ...netip.AddrPort) {
	n.now = now
	for _, addr := range addrs {
		if f := n.family(addr.Addr()); f != nil && f.holds(addr) && !f.isRouter(addr) && len(f.routers) < maxSeeds {
			f.routers = append(f.routers, addr)
			if f.table.size < bucketSize && !f.booting {
				f.bootAt, f.bootDelay = now, bootRetry
			}
		}
	}
}

// AddNodes names nodes that may be there: those of a torrent's "nodes", or of a peer's PORT message (BEP 5). Each is asked, and
// put into the table if it answers and there is room.
func (n *Node) AddNodes(now time.Time, addrs ...netip.AddrPort) {
	n.now = now
	for _, addr := range addrs {
		f := n.family(addr.Addr())
		if f == nil || !f.holds(addr) || addr.Port() < lowestPort {
			continue
		}
		if f.table.size < bucketSize && len(f.seeds) < maxSeeds && !slices.ContainsFunc(f.seeds, func(s compact.Node) bool { return s.Addr == addr }) {
			f.seeds = append(f.seeds, compact.Node{Addr: addr})
			if !f.booting {
				f.bootAt, f.bootDelay = now, bootRetry
			}
			continue
		}
		f.verify(now, addr, ID{}, false)
	}
}

// Goal is what a lookup is for.
type Goal uint8

// The goals of a lookup.
const (
	Nodes    Goal = iota // the nodes closest to the target
	Peers                // the peers of an infohash
	Announce             // its peers, and to be known as one of them: once. See [Node.Publish] for more
)

// Lookup starts a lookup, in each DHT the node takes part in. What it finds comes as results: any number of [Found], and one
// [Finished] of each DHT.
func (n *Node) Lookup(now time.Time, target ID, goal Goal) LookupID {
	n.now = now
	n.last++
	method := krpc.GetPeers
	if goal == Nodes {
		method = krpc.FindNode
	}
	for _, f := range n.families {
		if f != nil {
			l := f.newLookup(now, target, method)
			l.id, l.announce = n.last, goal == Announce
			if goal != Nodes {
				l.stored(now)
			}
			n.run(now, l)
		}
	}
	return n.last
}

// Stop ends a lookup that is not wanted any more: nothing more is heard of it.
func (n *Node) Stop(id LookupID) {
	for _, l := range n.lookups {
		if l.id == id {
			l.over = true
		}
	}
	n.lookups = slices.DeleteFunc(n.lookups, func(l *lookup) bool { return l.over })
}

// Ping asks whether a node is at addr. What came of it comes as a [Pong]. It is sent even beyond the limits, to any port.
func (n *Node) Ping(now time.Time, addr netip.AddrPort) PingID {
	n.now = now
	n.pings++
	f := n.family(addr.Addr())
	if f == nil || addr.Port() == 0 {
		n.results = append(n.results, Pong{Ping: n.pings, Addr: addr})
		return n.pings
	}
	n.ask(now, transaction{family: f, addr: addr, method: krpc.Ping, ping: n.pings}, ID{})
	return n.pings
}

// Publish announces an infohash soon and from then on, until [Node.Withdraw]: the owner has it and serves it at Config.Port.
// Private torrents are never to be published (BEP 27).
func (n *Node) Publish(now time.Time, infohash ID) {
	n.now = now
	n.plan.add(now, infohash)
	n.pump(now)
}

// Demand announces a published infohash ahead of all others, if the last time is not just now: somebody asks for it.
func (n *Node) Demand(now time.Time, infohash ID) {
	n.now = now
	n.plan.demand(now, infohash)
	n.pump(now)
}

// Withdraw ends the announces of an infohash. Nodes forget it by themselves, within an hour or so.
func (n *Node) Withdraw(infohash ID) { n.plan.remove(infohash) }

// Save returns what is worth keeping over a restart.
func (n *Node) Save() (s Saved) {
	if f := n.families[0]; f != nil {
		s.ID4 = f.id
		s.Nodes = append(s.Nodes, f.table.nodes()...)
	}
	if f := n.families[1]; f != nil {
		s.ID6 = f.id
		s.Nodes = append(s.Nodes, f.table.nodes()...)
	}
	return s
}

// run starts a lookup.
func (n *Node) run(now time.Time, l *lookup) {
	n.stats.Lookups++
	n.lookups = append(n.lookups, l)
	n.step(now, l)
}

func (n *Node) step(now time.Time, l *lookup) {
	if !l.step(now) && n.starved.IsZero() {
		n.starved = now.Add(retryInterval)
	}
}

func (n *Node) stepAll(now time.Time) {
	n.starved = time.Time{}
	for _, l := range slices.Clone(n.lookups) {
		n.step(now, l)
	}
}

// announce starts the lookups of one announce.
func (n *Node) announce(now time.Time, item *published) {
	n.stats.Announces++
	for _, f := range n.families {
		if f != nil && f.ready() {
			item.running++
		}
	}
	for _, f := range n.families {
		if f != nil && f.ready() {
			l := f.newLookup(now, item.infohash, krpc.GetPeers)
			l.announce, l.item = true, item
			n.run(now, l)
		}
	}
}

// ended takes a lookup away and tells of it.
func (n *Node) ended(now time.Time, l *lookup, done Finished) {
	n.lookups = slices.DeleteFunc(n.lookups, func(o *lookup) bool { return o == l })
	if l.bootstrap {
		l.family.bootstrapped(now)
	}
	if l.item != nil {
		n.plan.finished(now, l.item, done.Announced)
		n.stats.Stores += uint64(done.Announced)
	}
	if l.id != 0 || l.item != nil {
		n.results = append(n.results, done)
	}
}
