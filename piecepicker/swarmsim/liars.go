package swarmsim

import (
	"cmp"
	"time"
)

// parrotWait is how long a parrot keeps to itself what it hears.
const parrotWait = time.Second

// creep lets a creeping fake say that it has another piece.
func (s *swarm) creep(p *peer) {
	every := cmp.Or(p.what.Every, time.Second)
	if p.nextClaim == 0 {
		p.nextClaim = s.now + every
	}
	for s.now >= p.nextClaim && len(p.order) > 0 {
		i := uint32(p.order[0])
		p.order = p.order[1:]
		p.nextClaim += every
		s.gain(p, i)
	}
}

// hear notes that a neighbour of the parrot p said it has piece i.
func (s *swarm) hear(p *peer, i uint32) {
	if len(p.heard) == 0 {
		p.nextClaim = s.now + parrotWait
	}
	p.heard = append(p.heard, i)
}

// echo lets a parrot say what it heard.
func (s *swarm) echo(p *peer) {
	if len(p.heard) == 0 || s.now < p.nextClaim {
		return
	}
	heard := p.heard
	p.heard = nil
	for _, i := range heard {
		if !p.have.has(i) {
			s.gain(p, i)
		}
	}
}
