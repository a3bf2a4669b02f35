package candidates_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

func Example() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := candidates.New(candidates.Config{}, rand.New(rand.NewPCG(1, 2)))
	tracker := netip.MustParseAddr("192.0.2.1")
	p.Add(now, candidates.Tracker, tracker,
		candidates.Peer{Addr: netip.MustParseAddrPort("198.51.100.7:6881")},
		candidates.Peer{Addr: netip.MustParseAddrPort("198.51.100.8:25")}) // a mail server's
	anybody := func(candidates.Candidate) bool { return true }

	c, ok := p.Next(now, anybody)
	fmt.Println(c.Addr, c.Source, ok)
	_, ok = p.Next(now, anybody)
	fmt.Println(ok)
	p.Failed(now, c.Addr)
	fmt.Println(p.Ready(anybody).Sub(now) >= time.Minute)
	// Output:
	// 198.51.100.7:6881 tracker true
	// false
	// true
}
