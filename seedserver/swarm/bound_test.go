package swarm

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// What follows holds, over the wire, what a peer can cost that gives nothing back: see package piecepicker for the rules.

// mostForNothing is how many pieces a peer may be sent of what is needed before its having passed on none of them counts against
// it for good: more than sixteen, and what is on its way by then, three pieces at most.
const mostForNothing = 20.0

// taken returns how many pieces' worth of payload some leeches were sent.
func taken(cfg Config, all ...*leech) float64 {
	var bytes int64
	for _, p := range all {
		bytes += p.sent()
	}
	return float64(bytes) / float64(cfg.Info.PieceLength)
}

// Who asks for the same block again and again is sent a piece twice, whatever it asks.
func TestTheSameBlockAgainAndAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(400)
		s := start(t, cfg)
		all := befriend(t, s, 5)
		greedy := connect(t, s, remoteConfig{fast: true, addr: "192.0.2.1:1"})
		greedy.send(peerwire.HaveNone{})
		shown := map[uint32]bool{}
		got := 0
		for range 600 { // a minute
			time.Sleep(100 * time.Millisecond)
			for _, m := range greedy.take() {
				switch m := m.(type) {
				case peerwire.Have:
					shown[m.Index] = true
				case peerwire.Piece:
					got++
				}
			}
			for i := range shown {
				greedy.send(peerwire.Interested{}, requests(i, 0, 1)[0])
			}
		}
		require.NotEmpty(t, shown)
		require.LessOrEqual(t, got, maxExpense*2*len(shown), "blocks, two of which make a piece")
		require.LessOrEqual(t, len(shown), 8)
		all.awaitComplete(t, time.Minute)
	})
}

// Who takes and passes nothing on costs its first windows, and no more of what is needed.
func TestTakesAndNeverRelays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 1200 // 150 s
		cfg, _ := hidden(n)
		s := start(t, cfg)
		all := befriend(t, s, 6)
		taker := join(t, s, "192.0.2.1:1", true)
		all.awaitComplete(t, 4*time.Minute)
		t.Logf("it was sent %.1f pieces of %d", taken(cfg, taker), n)
		require.LessOrEqual(t, taken(cfg, taker), mostForNothing)
		taker.requireOnlyRight() // it may be waiting for its turn
	})
}

// Who comes back from the same address as if it had nothing is known.
func TestReconnectsFromZero(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 1200
		cfg, _ := hidden(n)
		s := start(t, cfg)
		all := befriend(t, s, 6)
		takers := []*leech{join(t, s, "192.0.2.1:1", true)}
		for range 100 {
			time.Sleep(time.Second)
			takers[len(takers)-1].conn.Close()
			time.Sleep(100 * time.Millisecond)
			takers = append(takers, join(t, s, fmt.Sprintf("192.0.2.1:%d", len(takers)+1), true))
		}
		all.awaitComplete(t, 4*time.Minute)
		t.Logf("in %d connections it was sent %.1f pieces of %d", len(takers), taken(cfg, takers...), n)
		require.LessOrEqual(t, taken(cfg, takers...), 3*mostForNothing, "what is half sent when it goes is sent again")
	})
}

// A crowd of such peers does not keep the others from completing, and costs a fraction of what it asks for.
func TestHalfOfTheSwarmNeverRelays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const n = 800
		cfg, _ := hidden(n)
		s := start(t, cfg)
		all := befriend(t, s, 6)
		var takers []*leech
		for i := range 6 {
			takers = append(takers, join(t, s, fmt.Sprintf("192.0.%d.1:1", i+2), true))
		}
		took := all.awaitComplete(t, 5*time.Minute)
		t.Logf("%v, and %.1f pieces of %d for nothing", took, taken(cfg, takers...), n)
		require.LessOrEqual(t, taken(cfg, takers...), 0.2*n)
	})
}

// A peer that stops to read keeps what it holds on loan for half a minute, not for good.
func TestOneThatStopsReadingHoldsNobodyUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := hidden(400) // 50 s
		s := start(t, cfg)
		all := befriend(t, s, 5)
		stuck := connect(t, s, remoteConfig{fast: true, deaf: true, addr: "192.0.2.1:1"})
		go stuck.conn.Write(peerwire.Append(nil, peerwire.HaveNone{}))
		all.awaitComplete(t, 2*time.Minute)
	})
}
