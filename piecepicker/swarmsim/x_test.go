package swarmsim

import (
	"fmt"
	"testing"
	"time"
)

func TestX(t *testing.T) {
	start := time.Now()
	show := func(name string, c Config) *Result {
		r := Run(c)
		fmt.Printf("%-28s C1 %.3f T1 %.0f  C %.3f T %.0f of %v done %d/%d bound %.0f boundC %.0f stall %v cls %.2v off %v grp %v rec %v\n", name, r.First.Copies, r.First.At.Seconds(), r.Copies, r.All.At.Seconds(), r.Ended, r.Done, r.Honest, r.Bound.Seconds(), r.BoundAt(r.Copies).Seconds(), r.Stalled, r.Classes, r.Offers, r.Groups, r.Recovery)
		return r
	}
	for _, srv := range servers {
		if srv.name == "balanced" { continue }
		show(srv.name+" 1", small(srv.make, Group{Count: 1}))
		for _, n := range []int{10, 100} {
			show(fmt.Sprint(srv.name, " leave ", n), small(srv.make, Group{Count: n}))
			show(fmt.Sprint(srv.name, " stay ", n), small(srv.make, Group{Count: n, Stay: Forever}))
			show(fmt.Sprint(srv.name, " freeriders ", n), small(srv.make, Group{Count: n / 2}, Group{Count: n / 2, Behaviour: FreeRider}))
			show(fmt.Sprint(srv.name, " fakes ", n), small(srv.make, Group{Count: n / 2}, Group{Count: n / 2, Behaviour: FakeSeed}))
			show(fmt.Sprint(srv.name, " junk ", n), small(srv.make, Group{Count: n / 2}, Group{Count: n / 2, Behaviour: JunkSeed}))
			show(fmt.Sprint(srv.name, " creep ", n), small(srv.make, Group{Count: n / 2}, Group{Count: n / 2, Behaviour: CreepingFake}))
			show(fmt.Sprint(srv.name, " parrot ", n), small(srv.make, Group{Count: n / 2}, Group{Count: n / 2, Behaviour: Parrot}))
			c := small(srv.make, Group{Count: n})
			c.Loss = Loss{At: 150*time.Second, Share: 0.05}
			show(fmt.Sprint(srv.name, " loss ", n), c)
			show(fmt.Sprint(srv.name, " nat ", n), small(srv.make, Group{Count: n, NAT: 0.5}))
			show(fmt.Sprint(srv.name, " quiet ", n), small(srv.make, Group{Count: n, Quiet: true}))
		}
	}
	fmt.Println(time.Since(start))
}
