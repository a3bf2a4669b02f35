package dht_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht"
)

// Two nodes, and a caller who carries their packets: the first publishes, the second finds it.
func Example() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	one, two := netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("198.51.100.2:6881")
	nodes := map[netip.AddrPort]*dht.Node{
		one: dht.New(now, dht.Config{Rand: rand.New(rand.NewPCG(1, 1)), Port: 7001}),
		two: dht.New(now, dht.Config{Rand: rand.New(rand.NewPCG(2, 2)), Port: 7002}),
	}
	carry := func(d time.Duration) {
		for end := now.Add(d); now.Before(end); now = now.Add(100 * time.Millisecond) {
			for addr, node := range nodes {
				node.Advance(now)
				for _, p := range node.Drain() {
					data := append([]byte(nil), p.Data...)
					nodes[p.Addr].Receive(now, dht.Packet{Addr: addr, Data: data})
				}
			}
		}
	}
	infohash := dht.ID{1, 2, 3}
	nodes[one].AddNodes(now, two)
	nodes[one].Publish(now, infohash)
	carry(20 * time.Second)

	nodes[two].Lookup(now, infohash, dht.Peers)
	carry(20 * time.Second)
	for _, r := range nodes[two].Results() {
		if f, ok := r.(dht.Found); ok {
			fmt.Println(f.Peers)
		}
	}
	// Output: [192.0.2.1:7001]
}
