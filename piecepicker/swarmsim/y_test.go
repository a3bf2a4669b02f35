package swarmsim

import (
	"fmt"
	"testing"

	"github.com/seedserver/bittorrent/piecepicker"
)

func TestY(t *testing.T) {
	c := small(Picker(piecepicker.Conservative, 0), Group{Count: 50}, Group{Count: 50, Behaviour: FreeRider})
	s := newSwarm(c)
	for !s.over() {
		s.stepOnce()
		if s.now.Milliseconds()%50000 == 0 {
			pk := s.server.(*piecepicker.Picker)
			n := map[string]int{}
			served, star := map[string]int{}, map[string]int{}
			for _, p := range s.peers {
				if st, ok := pk.PeerStatus(s.clock(), p.num); ok {
					k := fmt.Sprint(p.what.Behaviour, "/", st.Trust)
					n[k]++
					served[k] += st.Served
					if st.Starving > 90e9 {
						star[k]++
					}
				}
			}
			st := pk.Status(s.clock())
			fmt.Printf("%v C=%.2f by class %v A=%.1f %v served %v starving %v stage %v rates %v\n", s.now, float64(s.res.Sent)/float64(s.res.length), s.bytes, st.Availability, n, served, star, st.Stage, st.Rates)
		}
	}
	fmt.Println(s.result())
}
