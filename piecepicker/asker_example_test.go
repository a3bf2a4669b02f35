package piecepicker_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

func ExampleAsker() {
	now := time.Now()
	a := piecepicker.NewAsker(piecepicker.AskerConfig{Length: 40_000, PieceLength: 32 << 10}, rand.New(rand.NewPCG(1, 2)))
	seed := a.PeerJoined(now, netip.MustParseAddrPort("192.0.2.1:6881"))
	a.PeerHasAll(seed)
	for !a.Done() {
		for _, b := range a.Ask(now, seed, 2, nil) { // as many as should be on their way
			fmt.Printf("ask for %d bytes at %d of piece %d\n", b.Length, b.Begin, b.Index)
			if a.Received(now, seed, b).Full { // when the block comes
				a.Verified(b.Index, nil) // when the piece has its hash
				fmt.Println("piece", b.Index, "is there")
			}
		}
	}
	// Output:
	// ask for 7232 bytes at 0 of piece 1
	// piece 1 is there
	// ask for 16384 bytes at 0 of piece 0
	// ask for 16384 bytes at 16384 of piece 0
	// piece 0 is there
}
