package dht

import (
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht/krpc"
)

const (
	peerLife   = 45 * time.Minute // after an announce; clients announce again after 15 to 30 minutes
	perHost    = 4                // peers that one address may announce of one infohash: clients behind one NAT
	sweepParts = 64               // a sweep looks at that part of the swarms
)

// peer is an announced peer. The tables hold no pointers, so that a hundred thousand peers cost the garbage collector nothing.
type peer[A comparable] struct {
	ip      A
	port    uint16
	seed    bool
	expires uint32 // seconds since the store's epoch
}

// swarm holds the peers of one infohash, of one family.
type swarm[A comparable] struct {
	infohash ID
	peers    []peer[A]
}

// peers stores what announce_peer tells (BEP 5): the peers of each infohash, of one family, with bounds on everything.
type peers[A comparable] struct {
	epoch     time.Time
	maxSwarms int
	maxPeers  int // of a swarm
	maxTotal  int
	index     map[ID]int32 // into swarms
	swarms    []swarm[A]
	total     int
	swept     int // swarms before this index have been looked at
}

func newPeers[A comparable](epoch time.Time, c *Config) peers[A] {
	return peers[A]{epoch: epoch, maxSwarms: c.maxSwarms(), maxPeers: c.maxPeers(), maxTotal: c.maxTotal(), index: map[ID]int32{}}
}

func (p *peers[A]) seconds(now time.Time) uint32 { return uint32(max(0, now.Sub(p.epoch)/time.Second)) }

// add stores a peer, or keeps it for longer. It reports false if there is no room.
func (p *peers[A]) add(now time.Time, infohash *ID, ip A, port uint16, seed bool) bool {
	at := p.seconds(now)
	fresh := peer[A]{ip, port, seed, at + uint32(peerLife/time.Second)}
	i, known := p.index[*infohash]
	if !known {
		if len(p.swarms) >= p.maxSwarms || p.total >= p.maxTotal {
			return false
		}
		i = int32(len(p.swarms))
		p.swarms = append(p.swarms, swarm[A]{infohash: *infohash})
		p.index[*infohash] = i
	}
	s := &p.swarms[i]
	place, ofHost, oldest := -1, 0, -1
	for k := range s.peers {
		q := &s.peers[k]
		switch {
		case q.ip == ip && q.port == port:
			*q = fresh
			return true
		case q.ip == ip:
			if ofHost++; oldest < 0 || q.expires < s.peers[oldest].expires {
				oldest = k
			}
		case q.expires <= at:
			place = k
		}
	}
	switch {
	case ofHost >= perHost:
		s.peers[oldest] = fresh
	case place >= 0:
		s.peers[place] = fresh
	case len(s.peers) < p.maxPeers && p.total < p.maxTotal:
		s.peers = append(s.peers, fresh)
		p.total++
	default:
		return false
	}
	return true
}

// full reports whether an announce of infohash would not be stored: get_peers then gives no token (BEP 33: "If the node cannot
// store more peers it should not return a token").
func (p *peers[A]) full(infohash *ID) bool {
	i, known := p.index[*infohash]
	if p.total >= p.maxTotal {
		return true
	}
	if !known {
		return len(p.swarms) >= p.maxSwarms
	}
	return len(p.swarms[i].peers) >= p.maxPeers
}

// sample adds at most limit peers of infohash to dst, from a random one on.
func (p *peers[A]) sample(now time.Time, infohash *ID, limit int, r *rand.Rand, dst *krpc.Peers, addr func(A) netip.Addr) {
	i, known := p.index[*infohash]
	if !known || len(p.swarms[i].peers) == 0 {
		return
	}
	list, at := p.swarms[i].peers, p.seconds(now)
	start := r.IntN(len(list))
	for k := range list {
		if limit == 0 {
			return
		}
		if q := &list[(start+k)%len(list)]; q.expires > at {
			dst.Add(netip.AddrPortFrom(addr(q.ip), q.port))
			limit--
		}
	}
}

// sweep removes what has expired from a part of the swarms, and swarms that have no peers left.
func (p *peers[A]) sweep(now time.Time) {
	at := p.seconds(now)
	for n := len(p.swarms)/sweepParts + 1; n > 0 && len(p.swarms) > 0; n-- {
		if p.swept >= len(p.swarms) {
			p.swept = 0
		}
		s := &p.swarms[p.swept]
		kept := s.peers[:0]
		for _, q := range s.peers {
			if q.expires > at {
				kept = append(kept, q)
			}
		}
		p.total -= len(s.peers) - len(kept)
		s.peers = kept
		if len(kept) > 0 {
			p.swept++
			continue
		}
		last := len(p.swarms) - 1
		delete(p.index, s.infohash)
		if p.swept != last {
			p.swarms[p.swept] = p.swarms[last]
			p.index[p.swarms[last].infohash] = int32(p.swept)
		}
		p.swarms[last] = swarm[A]{}
		p.swarms = p.swarms[:last]
	}
}
