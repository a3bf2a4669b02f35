package swarmsim

import (
	"cmp"
	"slices"
	"time"
)

const (
	slots      = 5 // one of them goes to somebody at random
	roundEvery = 10 * time.Second
	turnRounds = 3 // an optimistic unchoke, and a turn of a complete peer, last for these
)

// round decides anew who may take from p.
func (s *swarm) round(p *peer) {
	p.nextRound += roundEvery
	if len(p.links) < fewLinks && s.now >= p.nextAsk {
		s.ask(p)
	}
	if p.what.Behaviour != Leech {
		return
	}
	var chosen []*link
	if p.complete() {
		chosen = s.byTurn(p)
	} else {
		chosen = s.byMerit(p)
	}
	for _, l := range slices.Clone(p.out) {
		if l.turn++; !slices.Contains(chosen, l) {
			s.shut(l)
		}
	}
	for _, l := range chosen {
		s.permit(l)
	}
	for _, l := range p.links {
		l.got, l.before = 0, l.got
	}
	p.refill = false
}

// wanting returns the links on which somebody wants something of p, in random order.
func (s *swarm) wanting(p *peer) []*link {
	all := s.scratch[:0]
	for _, l := range p.links {
		if l.rev.wants > 0 {
			all = append(all, l.rev)
		}
	}
	s.scratch = all
	s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// byMerit returns those who gave p most, and one at random, who keeps its place for three rounds.
func (s *swarm) byMerit(p *peer) []*link {
	all := s.wanting(p)
	slices.SortStableFunc(all, func(a, b *link) int {
		return -cmp.Compare(a.rev.got+a.rev.before, b.rev.got+b.rev.before)
	})
	n := min(slots-1, len(all))
	chosen := slices.Clone(all[:n])
	rest := all[n:]
	for _, l := range rest {
		if l.open && l.turn < turnRounds {
			return append(chosen, l)
		}
	}
	if len(rest) > 0 {
		chosen = append(chosen, rest[s.rng.IntN(len(rest))])
	}
	return chosen
}

// byTurn returns those whose turn is not over, and then who waited longest.
func (s *swarm) byTurn(p *peer) []*link {
	all := s.wanting(p)
	slices.SortStableFunc(all, func(a, b *link) int {
		aIn, bIn := a.open && a.turn < turnRounds, b.open && b.turn < turnRounds
		if aIn != bIn {
			if aIn {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.opened, b.opened)
	})
	return slices.Clone(all[:min(slots, len(all))])
}

// fill gives free slots of p to who wants something, at random.
func (s *swarm) fill(p *peer) {
	p.refill = false
	if p.what.Behaviour != Leech || p.nHave == 0 {
		return
	}
	free := slots
	for _, l := range p.out {
		if l.wants > 0 {
			free--
		}
	}
	if free <= 0 {
		return
	}
	for _, l := range s.wanting(p) {
		if free == 0 {
			return
		}
		if !l.open {
			s.permit(l)
			free--
		}
	}
}
