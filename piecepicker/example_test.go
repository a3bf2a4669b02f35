package piecepicker_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// Two leeches come to a seed of a torrent of three pieces. Each is shown other pieces; when one passes on what it got, it has
// proven itself.
func Example() {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	p := piecepicker.New(piecepicker.Config{Length: 48 << 10, PieceLength: 16 << 10}, rand.New(rand.NewPCG(4, 2)))

	a := p.PeerJoined(now, piecepicker.PeerInfo{Addr: netip.MustParseAddr("192.0.2.1")})
	b := p.PeerJoined(now, piecepicker.PeerInfo{Addr: netip.MustParseAddr("198.51.100.1")})
	p.PeerHaveNone(now, a)
	p.PeerHaveNone(now, b)
	offered := map[piecepicker.Peer][]uint32{}
	for _, d := range p.Tick(now, nil) {
		if d.Kind == piecepicker.KindOffer {
			offered[d.Peer] = append(offered[d.Peer], d.Piece)
		}
	}
	fmt.Println("offered:", len(offered[a])+len(offered[b]), "pieces to", len(offered), "peers")

	piece := offered[a][0]
	if class, ok := p.Requested(now, a, piece); ok {
		fmt.Println("a may have it, out of the rate for", class)
		p.BlockSent(now, a, piece, 0, 16<<10)
	}
	now = now.Add(time.Second)
	p.PeerHas(now, a, piece)
	now = now.Add(time.Second)
	p.PeerHas(now, b, piece) // we never gave it to b
	status, _ := p.PeerStatus(now, a)
	fmt.Println("a is", status.Trust)
	_, ok := p.Requested(now, b, offered[a][0])
	fmt.Println("b may have it from us:", ok)
	// Output:
	// offered: 3 pieces to 2 peers
	// a may have it, out of the rate for need
	// a is proven
	// b may have it from us: false
}

func ExamplePicker_Status() {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	p := piecepicker.New(piecepicker.Config{Length: 1 << 20, PieceLength: 16 << 10, MaxRate: 1 << 20}, rand.New(rand.NewPCG(4, 2)))
	id := p.PeerJoined(now, piecepicker.PeerInfo{Addr: netip.MustParseAddr("192.0.2.1")})
	p.PeerHaveAll(now, id)
	s := p.Status(now)
	fmt.Printf("%v: %.1f copies believed, %d pieces unsent\n", s.Stage, s.Availability, s.Unsent)
	// Output:
	// waiting: 0.0 copies believed, 64 pieces unsent
}
