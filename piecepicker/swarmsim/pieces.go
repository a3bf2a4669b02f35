package swarmsim

// gain lets p have piece i, or say so.
func (s *swarm) gain(p *peer, i uint32) {
	p.have.set(i)
	p.nHave++
	if pt := p.partial(i); pt != nil {
		for _, l := range p.links {
			if l.work == pt {
				l.work = nil
			}
		}
		if p.seed != nil && p.seed.work == pt {
			p.seed.work = nil
		}
		p.forget(pt)
	}
	s.say("%v has piece %d", p, i)
	if p.what.Behaviour.takes() {
		s.addHolder(i)
	}
	for _, l := range p.links {
		q := l.to
		q.avail[i]++
		if q.have.has(i) {
			s.want(l, -1)
		} else {
			s.want(l.rev, 1)
		}
		if q.what.Behaviour == Parrot {
			s.hear(q, i)
		}
	}
	if p.seed != nil {
		shown := p.seed.shown.has(i)
		if !(shown && p.what.Quiet) {
			s.server.PeerHas(s.clock(), p.num, i)
		}
		if shown {
			s.want(p.seed, -1)
		}
	}
	if p.complete() {
		s.completed(p)
	}
}

// completed lets p do what it does when it has everything.
func (s *swarm) completed(p *peer) {
	for k := len(p.links) - 1; k >= 0; k-- {
		if p.links[k].to.complete() {
			s.disconnect(p.links[k])
		}
	}
	p.refill = true
	if !p.what.Behaviour.takes() {
		return
	}
	s.say("%v is complete", p)
	if p.finished {
		return // and lost something since
	}
	p.finished = true
	s.finished(p)
	switch stay := p.what.Stay; {
	case stay == 0:
		s.leaving = append(s.leaving, p)
	case stay > 0:
		s.timers.at(s.now+stay, func() { s.leave(p) })
	}
}

func (s *swarm) addHolder(i uint32) {
	if s.holders[i]++; s.holders[i] == 1 {
		s.unheld--
	}
	if !s.everHeld.has(i) {
		s.everHeld.set(i)
		s.unseen--
	}
}

func (s *swarm) dropHolder(i uint32) {
	if s.holders[i]--; s.holders[i] == 0 {
		s.unheld++
	}
}
