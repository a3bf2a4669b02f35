package peerstore_test

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// A seed and a leech meet.
func Example() {
	store := peerstore.New(peerstore.Config{})
	now := time.Now()

	announce := func(addr string, left int64) tracker.AnnounceResponse {
		var res tracker.AnnounceResponse
		_, err := store.Announce(now, &tracker.AnnounceRequest{
			Addr:    netip.MustParseAddrPort(addr),
			Event:   tracker.EventStarted,
			Left:    left,
			NumWant: tracker.DefaultNumWant,
		}, &res)
		if err != nil {
			fmt.Println(err)
		}
		return res
	}

	announce("192.0.2.1:6881", 0)
	res := announce("192.0.2.2:6881", 1<<20)
	fmt.Println(res.Complete, "seed,", res.Incomplete, "leech")
	for addr := range res.Peers() {
		fmt.Println(addr)
	}
	// Output:
	// 1 seed, 1 leech
	// 192.0.2.1:6881
}
