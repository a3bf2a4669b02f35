package dht

import (
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht/krpc"
)

// Stats counts since the node was made, and tells how it stands.
type Stats struct {
	PacketsIn, PacketsOut uint64
	BytesIn, BytesOut     uint64

	Received  [krpc.AnnouncePeer + 1]uint64 // queries, by method
	Answered  uint64                        // of them
	Refusals  uint64                        // of them: errors sent
	Dropped   uint64                        // queries beyond the limits
	Malformed uint64                        // packets that are no message

	Queries   [krpc.AnnouncePeer + 1]uint64 // sent, by method
	Responses uint64                        // to them
	Refused   uint64                        // errors in answer to them
	Lost      uint64                        // no answer to them
	Stray     uint64                        // answers to nothing

	Lookups   uint64 // begun
	Announces uint64 // begun, of published infohashes
	Stores    uint64 // nodes that took them
	Found     uint64 // peers
	Renames   uint64 // changes of our id (BEP 42)
	Shunned   uint64 // nodes that named others under false ids

	// How it stands now.
	Running   int // lookups
	Published int // infohashes
	Overdue   int // of them
	Families  []FamilyStats
}

// FamilyStats tells how a node stands in one of the two DHTs.
type FamilyStats struct {
	IPv6     bool
	ID       ID
	External netip.Addr // as most others see us; zero: not known
	Contacts int        // of the table
	Good     int        // of them (BEP 5)
	Buckets  int        // that have any
	Swarms   int        // infohashes whose peers are stored here
	Peers    int        // of them
	Ready    bool       // lookups can be expected to get somewhere
}

// Stats returns the counts.
func (n *Node) Stats(now time.Time) Stats {
	s := n.stats
	s.Running, s.Published, s.Overdue = len(n.lookups), len(n.plan.all), n.plan.overdue(now)
	for _, f := range n.families {
		if f == nil {
			continue
		}
		fs := FamilyStats{IPv6: f.six, ID: f.id, External: f.votes.external, Contacts: f.table.size, Ready: f.ready(),
			Swarms: len(n.stored4.swarms), Peers: n.stored4.total}
		if f.six {
			fs.Swarms, fs.Peers = len(n.stored6.swarms), n.stored6.total
		}
		for i := range f.table.buckets {
			b := &f.table.buckets[i]
			if len(b.contacts) > 0 {
				fs.Buckets++
			}
			for k := range b.contacts {
				if b.contacts[k].good(now) {
					fs.Good++
				}
			}
		}
		s.Families = append(s.Families, fs)
	}
	return s
}
