package swarmsim

import "time"

const (
	fewLinks  = 40 // with fewer neighbours a peer asks the tracker again
	manyLinks = 80
	perAsk    = 50 // peers in an answer of the tracker
	askEvery  = 30 * time.Second
)

// ask lets the tracker tell p other peers, and connects them.
func (s *swarm) ask(p *peer) {
	p.nextAsk = s.now + askEvery
	for k := range min(perAsk, len(s.peers)) {
		if len(p.links) >= manyLinks {
			return
		}
		at := k
		if len(s.peers) > perAsk {
			at = s.rng.IntN(len(s.peers))
		}
		if q := s.peers[at]; q != p && len(q.links) < manyLinks && s.reachable(p, q) && !p.linked(q) {
			s.connect(p, q)
		}
	}
}

// reachable reports whether p and q can and want to be neighbours: not both behind a NAT, not both complete.
func (s *swarm) reachable(p, q *peer) bool {
	return !(p.nat && q.nat) && !(p.complete() && q.complete())
}

func (s *swarm) connect(p, q *peer) {
	a, b := &link{owner: p, to: q}, &link{owner: q, to: p}
	a.rev, b.rev = b, a
	for _, l := range []*link{a, b} {
		o, t := l.owner, l.to
		l.place = len(o.links)
		o.links = append(o.links, l)
		if t.nHave > 0 {
			t.have.each(func(i uint32) { o.avail[i]++ })
			s.want(l, t.have.missing(o.have))
		}
	}
}

// disconnect ends the connection of which l is one side.
func (s *swarm) disconnect(l *link) {
	for _, l := range []*link{l, l.rev} {
		o, t := l.owner, l.to
		s.shut(l)
		if t.nHave > 0 {
			t.have.each(func(i uint32) { o.avail[i]-- })
		}
		last := o.links[len(o.links)-1]
		o.links[l.place], last.place = last, l.place
		o.links = o.links[:len(o.links)-1]
	}
}

// permit lets the owner of l take from the other.
func (s *swarm) permit(l *link) {
	if l.open {
		return
	}
	l.open, l.opened, l.turn = true, s.now, 0
	*s.outOf(l) = append(*s.outOf(l), l)
}

// shut ends that.
func (s *swarm) shut(l *link) {
	if !l.open {
		return
	}
	l.open = false
	l.drop()
	out := s.outOf(l)
	for k, m := range *out {
		if m == l {
			(*out)[k] = (*out)[len(*out)-1]
			*out = (*out)[:len(*out)-1]
			break
		}
	}
	if l.to != nil {
		l.to.refill = true
	}
}

// outOf returns the list of those who may take from whom l leads to.
func (s *swarm) outOf(l *link) *[]*link {
	if l.to == nil {
		return &s.out
	}
	return &l.to.out
}

// want notes that the owner of l wants so many pieces more of the other.
func (s *swarm) want(l *link, by int) {
	if !l.owner.what.Behaviour.takes() {
		return
	}
	was := l.wants > 0
	l.wants += by
	switch is := l.wants > 0; {
	case is == was:
	case l.to != nil:
		l.to.refill = true
	default:
		s.server.PeerInterested(s.clock(), l.owner.num, is)
	}
}
