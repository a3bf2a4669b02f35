package swarmsim

import (
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// StrictSuperSeed makes a seed that does what BEP 16 says: one piece on offer to a peer, the next when the last is seen at
// somebody else, or, while slots are idle, when the peer has it.
func StrictSuperSeed(e Env) Server {
	return &strictSeed{seeder: newSeeder(e), shown: make([]int, e.Pieces), haves: make([]int, e.Pieces)}
}

// strictStart is how long bitfields are awaited.
const strictStart = 10 * time.Second

type strictSeed struct {
	seeder
	start time.Time
	shown []int // of each piece: offers made
	haves []int // HAVEs since the last offer
}

func (s *strictSeed) PeerHas(now time.Time, id piecepicker.Peer, piece uint32) {
	s.haves[piece]++
	s.seeder.PeerHas(now, id, piece)
}

func (s *strictSeed) Tick(now time.Time, dst []piecepicker.Decision) []piecepicker.Decision {
	if s.start.IsZero() && len(s.order) > 0 {
		s.start = now.Add(strictStart)
	}
	busy := 0
	for _, g := range s.order {
		if g.unchoked && g.interested {
			busy++
		}
	}
	for _, g := range s.order {
		if now.Before(s.start) || !s.ready(g, busy) {
			continue
		}
		if i, ok := s.least(g, func(i uint32) int { return s.avail[i] + s.shown[i] }); ok {
			g.offers = append(g.offers[:0], i)
			s.shown[i]++
			s.haves[i] = 0
			s.offer(g, i)
		}
	}
	s.share(now)
	return s.flush(dst)
}

// ready reports whether g may be shown another piece.
func (s *strictSeed) ready(g *remote, busy int) bool {
	if len(g.offers) == 0 {
		return true
	}
	seen := 2 // itself and one other
	if busy < seedSlots/2 {
		seen = 1
	}
	return s.haves[g.offers[0]] >= seen
}
