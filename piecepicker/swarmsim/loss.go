package swarmsim

import "math"

// lose takes a share of the pieces away from all who have them. Each of them comes back to the server with what is left.
func (s *swarm) lose() {
	n := int(math.Ceil(s.cfg.Loss.Share * float64(s.cfg.Pieces)))
	lost := newBitset(s.cfg.Pieces)
	for _, i := range s.rng.Perm(s.cfg.Pieces)[:n] {
		lost.set(uint32(i))
	}
	s.res.Lost, s.lossSent = n, s.res.Sent
	for _, p := range s.peers {
		if p.what.Behaviour.takes() && lost.missing(p.have) < n {
			s.hangUp(p)
			lost.each(func(i uint32) {
				if p.have.has(i) {
					s.unhave(p, i)
				}
			})
			s.dial(p)
		}
	}
}

// unhave takes piece i away from p.
func (s *swarm) unhave(p *peer, i uint32) {
	p.have.clear(i)
	p.nHave--
	s.dropHolder(i)
	s.say("%v loses piece %d", p, i)
	for _, l := range p.links {
		q := l.to
		q.avail[i]--
		if q.have.has(i) {
			s.want(l, 1)
			continue
		}
		s.want(l.rev, -1)
		if l.rev.work != nil && l.rev.work.piece == i {
			l.rev.drop()
		}
	}
}
