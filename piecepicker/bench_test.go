package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// crowd returns a picker whose peers have each piece with chance 1/2 (half), and all pieces were sent.
func crowd(pieces, peers int) (*Picker, *rand.Rand) {
	rng := rand.New(rand.NewPCG(1, 2))
	p := New(Config{Length: int64(pieces) * 256 << 10, PieceLength: 256 << 10, Mode: Generous}, rng)
	for i := range p.pieces {
		p.everSent.set(uint32(i))
		p.unsentLeft--
		p.pieces[i].sent = 1
		p.reclass(uint32(i))
	}
	bits := make([]byte, (pieces+7)/8)
	for k := range peers {
		id := p.PeerJoined(start, PeerInfo{Addr: netip.AddrFrom4([4]byte{10, byte(k >> 8), byte(k), 1})})
		for b := range bits {
			bits[b] = byte(rng.Uint32())
		}
		p.PeerBitfield(start, id, bits)
	}
	return p, rng
}

var benchPieces = []int{1_000, 10_000, 100_000}

func benchSizes(b *testing.B, f func(b *testing.B, pieces, peers int)) {
	for _, peers := range []int{10, 50, 500, 5_000} {
		if strings.HasSuffix(b.Name(), "/assist") && peers < 50 {
			continue // some pieces none of ten half-full peers has: those are needed, and go first
		}
		for _, pieces := range benchPieces {
			b.Run(fmt.Sprintf("pieces=%dk/peers=%d", pieces/1000, peers), func(b *testing.B) { f(b, pieces, peers) })
		}
	}
}

// BenchmarkHave is a HAVE of a random piece by a random peer that lacks it. What came too often to leave anybody lacking is
// taken back outside the clock.
func BenchmarkHave(b *testing.B) {
	benchSizes(b, func(b *testing.B, pieces, peers int) {
		p, rng := crowd(pieces, peers)
		type have struct {
			q *peer
			i uint32
		}
		batch := make([]have, 0, min(20_000, pieces*peers/8))
		b.ReportAllocs()
		now := start
		for n := 0; b.Loop(); n++ {
			if n%cap(batch) == 0 {
				b.StopTimer()
				for _, h := range batch {
					p.lose(h.q, h.i)
				}
				batch = batch[:0]
				taken := map[have]bool{}
				for len(batch) < cap(batch) {
					h := have{p.peers[1+rng.IntN(peers)], rng.Uint32N(uint32(pieces))}
					if !h.q.has(h.i) && !taken[h] {
						taken[h] = true
						batch = append(batch, h)
					}
				}
				b.StartTimer()
			}
			now = now.Add(time.Microsecond)
			h := batch[n%cap(batch)]
			p.PeerHas(now, h.q.id, h.i)
		}
	})
}

// lose is the reverse of gain, for benchmarks.
func (p *Picker) lose(q *peer, i uint32) {
	if !q.has(i) {
		return
	}
	if q.weight == all {
		p.countOne(q, i, false)
	}
	q.have.clear(i)
	q.nHave--
	p.pieces[i].claims--
	p.claims--
}

// BenchmarkPick is one offer of needed pieces, and one of assistance, and what takes it back.
func BenchmarkPick(b *testing.B) {
	for _, c := range []Class{Need, Assist} {
		b.Run(c.String(), func(b *testing.B) {
			benchSizes(b, func(b *testing.B, pieces, peers int) {
				p, rng := crowd(pieces, peers)
				if c == Need { // a hundredth of the pieces was lost
					for range pieces / 100 {
						i := rng.Uint32N(uint32(pieces))
						for _, q := range p.peers[1:] {
							p.lose(q, i)
						}
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					made := c == Assist && p.assist() || c == Need && p.serveNeed() == served
					if !made {
						b.Fatal("nothing picked")
					}
					d := p.orders[len(p.orders)-1]
					p.orders = p.orders[:0]
					q := p.peers[d.Peer]
					p.endLoan(q, len(q.loans)-1)
				}
			})
		})
	}
}

// BenchmarkPickForOne finds a piece for a peer that lacks 20 of the most common: the worst case.
func BenchmarkPickForOne(b *testing.B) {
	for _, pieces := range benchPieces {
		b.Run(fmt.Sprintf("pieces=%dk", pieces/1000), func(b *testing.B) {
			p, _ := crowd(pieces, 50)
			q := p.peers[1]
			lacks := map[uint32]bool{}
			for _, i := range slices.Backward(p.rarity.order) {
				if !q.has(i) && len(lacks) < 20 {
					lacks[i] = true
				}
			}
			for i := range uint32(pieces) {
				if !q.has(i) && !lacks[i] {
					p.gain(q, i)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := p.rarest(q); !ok {
					b.Fatal("nothing picked")
				}
			}
		})
	}
}

// BenchmarkBlock is a block sent to a peer that takes piece after piece, with all that follows: the next offer, and the HAVE.
func BenchmarkBlock(b *testing.B) {
	p := New(Config{Length: 100_000 * 256 << 10, PieceLength: 256 << 10}, rand.New(rand.NewPCG(1, 2)))
	var out []Decision
	now := start
	id := Peer(0)
	var queue []uint32
	b.SetBytes(unit)
	b.ReportAllocs()
	at := uint32(0)
	for b.Loop() {
		now = now.Add(16 * time.Microsecond) // 1 GB/s
		if len(queue) == 0 {
			if id != 0 {
				p.PeerLeft(now, id)
			}
			id = p.PeerJoined(now, PeerInfo{})
			p.PeerHaveNone(now, id)
		} else {
			p.Requested(now, id, queue[0])
			p.BlockSent(now, id, queue[0], at, unit)
			if at += unit; at == 256<<10 {
				p.PeerHas(now, id, queue[0])
				queue, at = queue[1:], 0
			}
		}
		out = p.Tick(now, out[:0])
		for _, d := range out {
			if d.Kind == KindOffer {
				queue = append(queue, d.Piece)
			}
		}
	}
}

// BenchmarkSweep is what happens once a second with nothing going on.
func BenchmarkSweep(b *testing.B) {
	benchSizes(b, func(b *testing.B, pieces, peers int) {
		p, _ := crowd(pieces, peers)
		b.ReportAllocs()
		for b.Loop() {
			p.now += sweepEvery
			p.sweep()
		}
	})
}

// BenchmarkMemory reports the bytes of a picker of half-full peers, all of it.
func BenchmarkMemory(b *testing.B) {
	benchSizes(b, func(b *testing.B, pieces, peers int) {
		for b.Loop() {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			p, _ := crowd(pieces, peers)
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB")
			runtime.KeepAlive(p)
		}
	})
}
