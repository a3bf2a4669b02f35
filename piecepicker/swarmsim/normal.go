package swarmsim

import (
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// NormalSeed makes a seed that shows all it has and lets slots go round. It lets go of peers that say they are complete.
func NormalSeed(e Env) Server { return &normalSeed{newSeeder(e), nil} }

type normalSeed struct {
	seeder
	fresh []*remote
}

func (s *normalSeed) PeerJoined(now time.Time, info piecepicker.PeerInfo) piecepicker.Peer {
	id := s.seeder.PeerJoined(now, info)
	s.fresh = append(s.fresh, s.remotes[id])
	return id
}

func (s *normalSeed) Tick(now time.Time, dst []piecepicker.Decision) []piecepicker.Decision {
	for _, g := range s.fresh {
		for i := range s.env.Pieces {
			s.offer(g, uint32(i))
		}
	}
	s.fresh = s.fresh[:0]
	for _, g := range s.order {
		if g.nHave == s.env.Pieces {
			s.tell(piecepicker.Decision{Kind: piecepicker.KindDrop, Peer: g.id})
		}
	}
	s.share(now)
	return s.flush(dst)
}
