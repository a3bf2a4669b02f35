package swarmsim

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// nextArrival returns when the next peer of group k comes, of those that come one by one.
func (s *swarm) nextArrival(k int, after time.Duration) time.Duration {
	if s.cfg.Groups[k].PerHour <= 0 {
		return math.MaxInt64
	}
	return after + time.Duration(s.rng.ExpFloat64()/s.cfg.Groups[k].PerHour*float64(time.Hour))
}

// arrive lets peers come. Those who come at once come in random order, whatever their group.
func (s *swarm) arrive() {
	var fresh []*peer
	for k := range s.cfg.Groups {
		g := &s.cfg.Groups[k]
		if !s.begun[k] && s.now >= g.Start {
			s.begun[k] = true
			for range g.Count {
				fresh = append(fresh, s.join(k))
			}
		}
		for s.now >= s.arrivals[k] {
			s.arrivals[k] = s.nextArrival(k, s.arrivals[k])
			fresh = append(fresh, s.join(k))
		}
	}
	s.rng.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	for _, p := range fresh {
		p.place = len(s.peers)
		s.peers = append(s.peers, p)
	}
	for _, p := range fresh {
		s.ask(p)
	}
}

// join lets a peer of group k come.
func (s *swarm) join(k int) *peer {
	g, r := &s.cfg.Groups[k], &s.res.Groups[k]
	s.came++
	p := &peer{
		id: s.came, group: k, what: g,
		line: line(g.lines(), r.Joined), addr: address(k, r.Joined, g.Networks),
		nat:  s.rng.Float64() < g.NAT,
		have: newBitset(s.cfg.Pieces), avail: make([]uint16, s.cfg.Pieces),
		joined: s.now, fed: s.now,
		nextRound: s.now + time.Duration(s.rng.Int64N(int64(roundEvery))),
	}
	r.Joined++
	if g.Behaviour.honest() {
		s.res.lines = append(s.res.lines, p.line)
		s.pending++
	}
	switch g.Behaviour {
	case FakeSeed, JunkSeed:
		p.have.fill(s.cfg.Pieces)
		p.nHave = s.cfg.Pieces
	case CreepingFake:
		p.order = s.rng.Perm(s.cfg.Pieces)
	}
	s.say("%v joins", p)
	return p
}

// line returns the line of the n-th peer of a group, in which lines are mixed evenly.
func line(lines []Line, n int) Line {
	sum := 0.0
	for _, l := range lines {
		sum += l.Share
	}
	at := math.Mod((float64(n)+0.5)*math.Phi, 1) * sum
	for _, l := range lines {
		if at -= l.Share; at < 0 {
			return l
		}
	}
	return lines[len(lines)-1]
}

// address returns the address of the n-th peer of group k, in one of that many networks, or one of its own.
func address(k, n, networks int) netip.Addr {
	network, host := n, 1
	if networks > 0 {
		network, host = n%networks, 1+n/networks%250
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(1+k)<<28|uint32(network)<<8|uint32(host))
	return netip.AddrFrom4(b)
}

// leave takes p out of the swarm.
func (s *swarm) leave(p *peer) {
	s.say("%v leaves", p)
	for len(p.links) > 0 {
		s.disconnect(p.links[len(p.links)-1])
	}
	s.hangUp(p)
	if p.what.Behaviour.takes() {
		p.have.each(s.dropHolder)
	}
	last := s.peers[len(s.peers)-1]
	s.peers[p.place], last.place = last, p.place
	s.peers = s.peers[:len(s.peers)-1]
	p.place = -1
}
