package swarmsim_test

import (
	"fmt"

	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/piecepicker/swarmsim"
)

// What a conservative seed and a normal one cost, for the same hundred leeches.
func ExampleRun() {
	for _, server := range []swarmsim.Make{swarmsim.Picker(piecepicker.Conservative, -1), swarmsim.NormalSeed} {
		r := swarmsim.Run(swarmsim.Config{
			Pieces: 256, PieceLength: 256 << 10, Uplink: 1 << 20,
			Server: server,
			Groups: []swarmsim.Group{{Count: 100, Lines: []swarmsim.Line{{Up: 256 << 10, Down: 2 << 20, Share: 1}}}},
		})
		fmt.Printf("%d of %d are complete, for more than two copies: %v\n", r.Done, r.Honest, r.All.Copies > 2)
	}
	// Output:
	// 100 of 100 are complete, for more than two copies: false
	// 100 of 100 are complete, for more than two copies: true
}
