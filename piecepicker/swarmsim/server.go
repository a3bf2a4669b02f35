package swarmsim

import (
	"math/rand/v2"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// A Server is the seed of the swarm. Its methods are those of a [piecepicker.Picker], and mean what they mean there.
//
// What it reveals by [piecepicker.KindOffer] stays revealed. A peer it drops does not come back.
type Server interface {
	PeerJoined(now time.Time, info piecepicker.PeerInfo) piecepicker.Peer
	PeerBitfield(now time.Time, id piecepicker.Peer, bits []byte)
	PeerHaveAll(now time.Time, id piecepicker.Peer)
	PeerHaveNone(now time.Time, id piecepicker.Peer)
	PeerHas(now time.Time, id piecepicker.Peer, piece uint32)
	PeerInterested(now time.Time, id piecepicker.Peer, interested bool)
	Requested(now time.Time, id piecepicker.Peer, piece uint32) (piecepicker.Class, bool)
	BlockSent(now time.Time, id piecepicker.Peer, piece, begin uint32, n int)
	PeerChoking(now time.Time, id piecepicker.Peer, choking bool)
	Answered(now time.Time, id piecepicker.Peer, b piecepicker.Block, right bool)
	PeerLeft(now time.Time, id piecepicker.Peer)
	Tick(now time.Time, dst []piecepicker.Decision) []piecepicker.Decision
	Rates(now time.Time) piecepicker.Rates
}

// Env is what a [Server] is made for.
type Env struct {
	Pieces      int
	PieceLength int64 // bytes
	Uplink      int64 // bytes per second
	Rand        *rand.Rand
}

// Make makes a [Server] for one run.
type Make func(Env) Server

// Picker makes the real thing: a [piecepicker.Picker]. gate is as in [piecepicker.Config].
func Picker(mode piecepicker.Mode, gate float64) Make {
	return func(e Env) Server {
		return piecepicker.New(piecepicker.Config{
			Length:      int64(e.Pieces) * e.PieceLength,
			PieceLength: e.PieceLength,
			Mode:        mode,
			MaxRate:     e.Uplink,
			Gate:        gate,
		}, e.Rand)
	}
}
