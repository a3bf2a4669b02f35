package swarm

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Stats is what a torrent's connections amount to at one moment.
type Stats struct {
	Peers      int   // connections, seeds among them
	Seeds      int   // peers that want nothing more of anybody
	Interested int   // peers that want something from us
	Unchoked   int   // peers that may request
	Uploaded   int64 // payload bytes sent since New
	Rate       int64 // payload bytes per second, over the last seconds
	Paused     bool

	Downloaded int64 // payload bytes received since New, those of no use included
	DownRate   int64 // payload bytes per second, over the last seconds
	Have       int64 // bytes of pieces that are there, of a download
}

// PeerStat is one connection, for people to look at. Client, Progress and Interested are the peer's own claims.
type PeerStat struct {
	Addr       netip.AddrPort // zero when the connection has no such address
	Dialled    bool           // we connected to it
	ID         peerwire.PeerID
	Client     string  // name and version, safe to print; empty when it told none
	Progress   float64 // pieces it says it has, 0 to 1
	Uploaded   int64   // payload bytes sent to it
	Downloaded int64   // payload bytes it sent
	DownRate   int64   // payload bytes per second that it sends
	Rate       int64   // payload bytes per second, over the last seconds
	Queued     int     // its requests not answered yet
	Choked     bool    // it may not request
	Interested bool
	Seed       bool
	Connected  time.Time
}

// counters are what Stats reads: the loop writes them, anybody reads.
type counters struct {
	peers, seeds, interested, unchoked atomic.Int32
	rate                               atomic.Int64
	downloaded, downRate, have         atomic.Int64
}

// tally is what the loop counts of its peers.
type tally struct{ seeds, interested, unchoked int32 }

// count publishes what Stats reads.
func (l *loop) count() {
	c := &l.swarm.counters
	c.peers.Store(int32(len(l.peers)))
	c.rate.Store(l.rate.perSecond())
	c.downloaded.Store(l.payloadIn)
	c.downRate.Store(l.downRate.perSecond())
	if l.tally == l.shown {
		return
	}
	l.shown = l.tally
	c.seeds.Store(l.tally.seeds)
	c.interested.Store(l.tally.interested)
	c.unchoked.Store(l.tally.unchoked)
}

func (l *loop) setInterested(p *peer, interested bool) {
	l.tally.interested += step(p.interested, interested)
	p.interested = interested
}

func (l *loop) setUnchoked(p *peer, unchoked bool) {
	l.tally.unchoked += step(p.unchoked, unchoked)
	p.unchoked = unchoked
}

// setSeed notes since when p wants nothing more; the zero time when it does.
func (l *loop) setSeed(p *peer, since time.Time) {
	l.tally.seeds += step(!p.seedSince.IsZero(), !since.IsZero())
	p.seedSince = since
}

// step is what going from one state to another adds to a count.
func step(from, to bool) int32 {
	switch {
	case to && !from:
		return 1
	case from && !to:
		return -1
	}
	return 0
}

// Stats returns the state of the torrent. It takes no lock and any goroutine may call it.
func (s *Swarm) Stats() Stats {
	c := &s.counters
	return Stats{
		Peers:      int(c.peers.Load()),
		Seeds:      int(c.seeds.Load()),
		Interested: int(c.interested.Load()),
		Unchoked:   int(c.unchoked.Load()),
		Uploaded:   s.payload(),
		Rate:       c.rate.Load(),
		Paused:     s.paused.Load(),
		Downloaded: c.downloaded.Load(),
		DownRate:   c.downRate.Load(),
		Have:       c.have.Load(),
	}
}

// Peers returns the connections, oldest first; none when the Swarm does not run. Any goroutine may call it, but for those of
// Config.Sent.
func (s *Swarm) Peers() []PeerStat {
	list, _ := ask(s, func(l *loop, _ time.Time) []PeerStat {
		oldestFirst := l.oldestFirst()
		list := make([]PeerStat, len(oldestFirst))
		for i, p := range oldestFirst {
			list[i] = p.stat(s.numPieces)
		}
		return list
	})
	return list
}

func (l *loop) oldestFirst() []*peer {
	return slices.SortedFunc(maps.Keys(l.peers), func(a, b *peer) int { return cmp.Compare(a.seq, b.seq) })
}
