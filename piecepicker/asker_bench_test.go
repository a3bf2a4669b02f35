package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// BenchmarkAskerBlock is a block's whole way: asked for in tens, received, its piece verified.
func BenchmarkAskerBlock(b *testing.B) {
	for _, peers := range []int{1, 50, 500} {
		for _, n := range []int{1000, 100_000} {
			b.Run(fmt.Sprintf("pieces=%d/peers=%d", n, peers), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				const perPiece = 16
				fresh := func() (*Asker, []Peer) {
					a := NewAsker(AskerConfig{Length: int64(n) * perPiece * BlockSize, PieceLength: perPiece * BlockSize}, rng)
					ids := make([]Peer, peers)
					bits := make([]byte, (n+7)/8)
					for i := range ids {
						ids[i] = a.PeerJoined(askerStart, netip.AddrPort{})
						if i%2 == 0 {
							a.PeerHasAll(ids[i])
							continue
						}
						for k := range bits {
							bits[k] = byte(rng.Uint32())
						}
						a.PeerBitfield(ids[i], bits)
					}
					return a, ids
				}
				a, ids := fresh()
				var blocks []Block
				done, turn := 0, 0
				b.ReportAllocs()
				for b.Loop() {
					if done == len(blocks) {
						if a.Done() {
							b.StopTimer()
							a, ids = fresh()
							b.StartTimer()
						}
						for done, blocks = 0, blocks[:0]; len(blocks) == 0; {
							turn++
							blocks = a.Ask(askerStart, ids[turn%peers], 10, blocks)
						}
					}
					block := blocks[done]
					done++
					if a.Received(askerStart, ids[turn%peers], block).Full {
						a.Verified(block.Index, nil)
					}
				}
			})
		}
	}
}

// BenchmarkAskerHas is one HAVE of an incomplete peer.
func BenchmarkAskerHas(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("pieces=%d/peers=50", n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			a := NewAsker(AskerConfig{Length: int64(n) * BlockSize, PieceLength: BlockSize}, rng)
			ids := make([]Peer, 50)
			for i := range ids {
				ids[i] = a.PeerJoined(askerStart, netip.AddrPort{})
			}
			b.ReportAllocs()
			for b.Loop() {
				id, i := ids[rng.IntN(50)], rng.Uint32N(uint32(n))
				a.PeerHas(id, i)
				a.PeerLost(id, rng.Uint32N(uint32(n)))
			}
		})
	}
}
