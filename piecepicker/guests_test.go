package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// guests is a torrent of pieces of a block, of which one leaves each turn, and those who come for it: leeches that have each piece from each
// other as soon as one of them has it, and guests, who want everything, ask for nothing, and were there first.
type guests struct {
	t       *testing.T
	p       *Picker
	now     time.Time
	leeches []Peer
	line    []Decision // offers to leeches, oldest first
}

const guestsRate = 64 // pieces per second

func newGuests(t *testing.T, mode Mode, pieces int, seed uint64) *guests {
	cfg := Config{Length: int64(pieces) * unit, PieceLength: unit, Mode: mode, MaxRate: guestsRate * unit}
	return &guests{t: t, now: start, p: New(cfg, rand.New(rand.NewPCG(seed, 2)))}
}

// come adds n guests, and two seconds later four leeches, which are known from before or not.
func (g *guests) come(n int, known bool) {
	for i := range n {
		g.join(byte(i>>8), byte(i))
	}
	for range 2 * guestsRate {
		g.turn()
	}
	network := byte(200)
	if known {
		network++
	}
	for i := range byte(4) {
		g.leeches = append(g.leeches, g.join(network, i))
	}
}

func (g *guests) join(a, b byte) Peer {
	id := g.p.PeerJoined(g.now, PeerInfo{Addr: netip.AddrFrom4([4]byte{10, a, b, 1})})
	g.p.PeerHaveNone(g.now, id)
	g.p.PeerInterested(g.now, id, true)
	return id
}

// leave takes the leeches away.
func (g *guests) leave() {
	for _, id := range g.leeches {
		g.p.PeerLeft(g.now, id)
	}
	g.leeches, g.line = nil, nil
}

// turn is the time in which a piece leaves, if one is on offer to a leech. It reports whether one did.
func (g *guests) turn() bool {
	g.now = g.now.Add(time.Second / guestsRate)
	g.tick()
	g.line = slices.DeleteFunc(g.line, func(d Decision) bool { return !g.p.Allowed(d.Peer, d.Piece) })
	if len(g.line) == 0 {
		return false
	}
	d := g.line[0]
	g.line = g.line[1:]
	g.p.Requested(g.now, d.Peer, d.Piece)
	g.p.BlockSent(g.now, d.Peer, d.Piece, 0, unit)
	g.p.PeerHas(g.now, d.Peer, d.Piece)
	for _, id := range g.leeches {
		g.p.PeerHas(g.now, id, d.Piece)
	}
	g.tick()
	return true
}

func (g *guests) tick() {
	for _, d := range g.p.Tick(g.now, nil) {
		if d.Kind == KindOffer && slices.Contains(g.leeches, d.Peer) {
			g.line = append(g.line, d)
		}
	}
}

// download returns how many turns passed before a piece left, how many without one after that, and how many pieces left, until the leeches
// are complete.
func (g *guests) download() (before, idle, sent int) {
	for !g.p.peers[g.leeches[0]].complete {
		switch {
		case g.turn():
			sent++
		case sent == 0:
			before++
		default:
			idle++
		}
		require.Less(g.t, before+idle, 100*guestsRate, "%d pieces left", sent)
	}
	require.NoError(g.t, g.p.check())
	return before, idle, sent
}

// TestGuestsDoNotSlowTheEnd: four leeches among guests have something to ask for all the time once they began, be the torrent new or not, and
// they as well: what guests hold is not missed at the end. No piece leaves twice.
func TestGuestsDoNotSlowTheEnd(t *testing.T) {
	const pieces = 1000
	for _, mode := range []Mode{Generous, Balanced, Conservative} {
		for _, n := range []int{20, 300, 1000} {
			t.Run(fmt.Sprintf("%d, %v", n, mode), func(t *testing.T) {
				for seed := range uint64(8) {
					g := newGuests(t, mode, pieces, seed)
					if known := seed&1 == 0; seed&2 == 0 {
						g.come(0, known)
						g.download()
						g.leave()
					}
					g.come(n, true)
					before, idle, sent := g.download()
					t.Logf("%4d before, %d idle", before, idle)
					require.Equal(t, pieces, sent)
					require.LessOrEqual(t, idle, guestsRate/2)
				}
			})
		}
	}
}
