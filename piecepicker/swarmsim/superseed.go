package swarmsim

import (
	"slices"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// SuperSeed makes a seed that super-seeds as libtorrent does: two pieces on offer to every peer, choked or not, the rarest
// first, such that are on offer to nobody before others; the next when the peer has one of them, or was not interested for 10 s.
func SuperSeed(e Env) Server { return &superSeed{seeder: newSeeder(e), taken: make([]int, e.Pieces)} }

type superSeed struct {
	seeder
	taken []int // of each piece: remotes it is on offer to
}

const (
	superOffers  = 2
	takenPenalty = 999 // holders that an offer to somebody counts as
)

func (s *superSeed) PeerLeft(now time.Time, id piecepicker.Peer) {
	for _, i := range s.remotes[id].offers {
		s.taken[i]--
	}
	s.seeder.PeerLeft(now, id)
}

func (s *superSeed) Tick(now time.Time, dst []piecepicker.Decision) []piecepicker.Decision {
	for _, g := range s.order {
		if len(g.offers) == superOffers && !g.interested && now.Sub(g.lostAt) >= offerIdle {
			s.taken[g.offers[0]]--
			g.offers, g.lostAt = g.offers[1:], now
		}
		g.offers = slices.DeleteFunc(g.offers, func(i uint32) bool {
			if g.have.has(i) {
				s.taken[i]--
				return true
			}
			return false
		})
		for len(g.offers) < superOffers {
			i, ok := s.least(g, func(i uint32) int {
				switch {
				case slices.Contains(g.offers, i):
					return -1
				case s.taken[i] > 0:
					return takenPenalty
				}
				return s.avail[i]
			})
			if !ok {
				break
			}
			g.offers = append(g.offers, i)
			s.taken[i]++
			s.offer(g, i)
		}
	}
	s.share(now)
	return s.flush(dst)
}
