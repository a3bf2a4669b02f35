package piecepicker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a peer was lent that does not read what it is sent goes to another, and it has to finish what it began first.
func TestLaggardsLendings(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 20}, 5, "a\nb")
	a := w.p.peers[w.ids["a"]]
	w.next()
	lent := w.loans("a")
	require.NotEmpty(t, lent)
	w.p.Requested(w.now, a.id, lent[0])
	w.p.Requested(w.now, a.id, lent[0])
	w.p.BlockSent(w.now, a.id, lent[0], 0, unit)
	w.after(5 * time.Second)
	w.p.PeerLags(w.now, a.id, true)
	w.p.PeerLags(w.now, a.id, true)
	require.Zero(t, a.open, "all of it is free for others")
	require.Zero(t, a.inFlight)
	require.False(t, w.p.free(a))
	require.NoError(t, w.p.check())

	w.p.PeerLags(w.now, a.id, false)
	w.after(2 * time.Second)
	require.True(t, a.behind)
	require.False(t, w.p.free(a))
	w.p.Cancelled(w.now, a.id)
	w.after(2 * time.Second)
	require.False(t, a.behind, "it waits for nothing more")
	require.NoError(t, w.p.check())
	w.p.PeerLags(w.now, 77, true)
}
