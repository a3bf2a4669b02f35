package swarmsim

import (
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

const (
	dialEvery = 30 * time.Second // who found the server full comes again after this
)

// What goes on between the peers and the server.

// dial connects p to the server, if it has a place.
func (s *swarm) dial(p *peer) {
	if s.conns == s.cfg.connections() {
		p.nextDial = s.now + dialEvery
		return
	}
	num := s.server.PeerJoined(s.clock(), piecepicker.PeerInfo{Addr: p.addr})
	s.conns++
	p.num, p.seed = num, &link{owner: p, shown: newBitset(s.cfg.Pieces)}
	for int(num) >= len(s.byNum) {
		s.byNum = append(s.byNum, nil)
	}
	s.byNum[num] = p
	switch {
	case p.complete():
		s.server.PeerHaveAll(s.clock(), num)
	case p.nHave == 0:
		s.server.PeerHaveNone(s.clock(), num)
	default:
		s.server.PeerBitfield(s.clock(), num, p.have.wire(s.cfg.Pieces))
	}
}

// hangUp ends the connection of p to the server.
func (s *swarm) hangUp(p *peer) {
	if p.seed == nil {
		return
	}
	s.shut(p.seed)
	s.byNum[p.num] = nil
	s.server.PeerLeft(s.clock(), p.num)
	s.conns--
	p.seed, p.num, p.courted = nil, 0, false
}

// serve lets the server decide, and does what it says.
func (s *swarm) serve() {
	s.decisions = s.server.Tick(s.clock(), s.decisions[:0])
	for _, d := range s.decisions {
		p := s.byNum[d.Peer]
		if p == nil || d.Kind == piecepicker.KindRemind {
			continue
		}
		if s.cfg.Transcript != nil {
			d.Peer = piecepicker.Peer(p.id)
			s.say("%v", d)
		}
		switch d.Kind {
		case piecepicker.KindOffer:
			s.res.Offers[d.Reason.Code]++
			s.show(p, d.Piece)
		case piecepicker.KindUnchoke:
			s.permit(p.seed)
		case piecepicker.KindChoke:
			s.shut(p.seed)
		case piecepicker.KindInterest:
			s.approached(p)
		case piecepicker.KindDisinterest:
			s.jilted(p)
		case piecepicker.KindAsk:
			s.asked(p, d.Block)
		case piecepicker.KindDrop:
			s.res.Groups[p.group].Dropped++
			s.hangUp(p)
			p.nextDial = Forever
		}
	}
}

// show tells p that the server has piece i.
func (s *swarm) show(p *peer, i uint32) {
	if p.seed.shown.has(i) {
		return
	}
	p.seed.shown.set(i)
	if !p.have.has(i) {
		s.want(p.seed, 1)
	}
}

// approached has p, in which the server shows interest, give it a slot when it comes to it; a liar has nothing to give.
func (s *swarm) approached(p *peer) {
	p.courted = true
	answers := p.what.Behaviour == Leech || p.what.Behaviour == JunkSeed
	if s.cfg.audit() < 0 || !answers {
		return
	}
	conn := p.seed
	s.timers.at(s.now+s.cfg.audit(), func() {
		if p.seed == conn && p.courted {
			s.server.PeerChoking(s.clock(), p.num, false)
		}
	})
}

// jilted has p take the slot away from the server, which is not interested any more.
func (s *swarm) jilted(p *peer) {
	p.courted = false
	s.server.PeerChoking(s.clock(), p.num, true)
}

// asked has p answer the server, in the next step.
func (s *swarm) asked(p *peer, b piecepicker.Block) {
	conn := p.seed
	s.timers.at(s.now+s.cfg.step(), func() {
		if p.seed != conn {
			return
		}
		right := p.what.Behaviour == Leech && p.have.has(b.Index)
		if !right {
			s.say("%v gives bytes that are not the torrent's", p)
		}
		s.server.Answered(s.clock(), p.num, b, right)
	})
}
