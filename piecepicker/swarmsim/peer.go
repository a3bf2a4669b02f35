package swarmsim

import (
	"net/netip"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// A peer is one client of the swarm.
type peer struct {
	id    int // from 1, in the order of coming; never used again
	group int
	what  *Group
	line  Line
	addr  netip.Addr
	nat   bool
	place int // in swarm.peers

	have     bitset
	nHave    int
	avail    []uint16 // of each piece: neighbours that say they have it
	partials []*partial

	links  []*link // to its neighbours
	out    []*link // those on which others may take from it; their owners are the others
	refill bool    // a slot may be free
	seed   *link   // to the server; nil while not connected
	num    piecepicker.Peer

	joined    time.Duration
	fed       time.Duration // when it last got a byte
	nextRound time.Duration
	nextAsk   time.Duration // the tracker
	nextDial  time.Duration // the server; Forever when dropped
	nextClaim time.Duration
	heard     []uint32 // what a parrot will say next
	courted   bool     // the server is interested in it
	order     []int    // in which a creeping fake claims
	finished  bool     // was complete
	inflow    float64  // bytes that want to come in this step
	room      float64  // bytes its line can still take in this step
}

// A partial is a piece that is being downloaded.
type partial struct {
	piece uint32
	left  int64
	links int // that take it
}

// A link is a neighbour as seen by its owner. Links come in pairs, but for the one to the server.
type link struct {
	owner *peer
	to    *peer // nil: the server
	rev   *link // the same connection as seen by the other
	place int   // in owner.links
	shown bitset
	wants int // pieces the other has, or shows, that the owner lacks

	open   bool // the other lets the owner take
	opened time.Duration
	turn   int // rounds since it was opened
	work   *partial
	class  piecepicker.Class // the server sends work for
	got    int64             // bytes the owner took in this round of its own
	before int64             // and in the last
}

// source returns the pieces that can be taken on l.
func (l *link) source() bitset {
	if l.to == nil {
		return l.shown
	}
	return l.to.have
}

func (p *peer) complete() bool { return p.nHave == len(p.avail) }

func (p *peer) linked(q *peer) bool {
	return slices.ContainsFunc(p.links, func(l *link) bool { return l.to == q })
}

// drop ends what l is taking; what came of it is kept.
func (l *link) drop() {
	if l.work != nil {
		l.work.links--
		l.work = nil
	}
}

// forget removes pt from what p is downloading.
func (p *peer) forget(pt *partial) {
	k := slices.Index(p.partials, pt)
	p.partials = slices.Delete(p.partials, k, k+1)
}

func (p *peer) partial(i uint32) *partial {
	for _, pt := range p.partials {
		if pt.piece == i {
			return pt
		}
	}
	return nil
}
