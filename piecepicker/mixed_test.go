package piecepicker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mixed is a world in which a was given so many pieces, and in which somebody sends junk, if junk is set.
func mixed(t *testing.T, given int, junk bool) *world {
	w := draw(t, Config{Gate: -1}, 40, "a\nb")
	q := w.p.peers[w.ids["a"]]
	q.trust, q.relay.window = Proven, windowMost
	w.p.judge(q)
	require.Len(t, w.giveAll("a", given), given)
	if junk {
		w.join("l@10.9.9.9", "all")
		w.p.Audited(w.now, w.ids["l"], false)
		w.leave("l")
	}
	w.next()
	w.done = nil
	return w
}

// takeBack reports whether the piece is taken back when the peer asks for the block at begin.
func (w *world) takeBack(name string, i uint32, block int) bool {
	return w.p.TakeBack(w.now, w.ids[name], Block{i, uint32(block * unit), unit})
}

func (w *world) points(name string) int { return w.p.peers[w.ids[name]].mixing.points }

// TestPointsAreThoseOfLibtorrent: a signed number of four bits, one up for a piece that is right.
func TestPointsAreThoseOfLibtorrent(t *testing.T) {
	w := mixed(t, 0, true)
	for n, want := range []int{0, 1, 2, 3, 4, 5, 6, 7, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1} {
		require.Equal(t, want, w.points("a"), "after %d pieces", n)
		w.giveAll("a", 1)
	}
	w.next()
	i := w.loans("a")[0]
	for range 2 {
		require.False(t, w.takeBack("a", i, 0))
		w.send("a", i, 0)
	}
	require.Zero(t, w.points("a"), "it asked again for what it was sent: two less")
	require.False(t, w.takeBack("a", i, 0))
	require.Equal(t, 0, w.points("a"), "a piece fails once")
	w.has("a", i)
	require.Equal(t, 1, w.points("a"))
	w.leave("a")
	w.join("a", "#")
	require.Equal(t, 1, w.points("a"), "they outlive a connection")
}

// TestTheRestOfAPieceIsTakenBack: where a failure would have us banned, nothing is sent of what others began. Another piece is offered, and that
// one again when it does no harm.
func TestTheRestOfAPieceIsTakenBack(t *testing.T) {
	w := mixed(t, 9, true)
	i := w.loans("a")[0]
	require.True(t, w.takeBack("a", i, 1))
	_, ok := w.p.Requested(w.now, w.ids["a"], i)
	require.False(t, ok)
	require.Contains(t, w.show(w.next(), KindWithdraw, KindOffer), "a:withdraw:mixed")
	for range refusalsMax {
		w.p.Requested(w.now, w.ids["a"], i) // was on its way, and is no crime
	}
	require.NotContains(t, w.show(w.next(), KindDrop), "a:drop")
	q := w.p.peers[w.ids["a"]]
	for w.points("a") < -4 {
		require.True(t, w.p.keptBack(q, i))
		w.next()
		require.NotContains(t, w.loans("a"), i)
		w.giveAll("a", 1)
	}
	require.False(t, w.p.keptBack(q, i), "-4 and -2 are no -7")
}

// TestWhatDoesNoHarmIsSent: while there are points to lose the rest of a piece is sent, of a few at a time.
func TestWhatDoesNoHarmIsSent(t *testing.T) {
	w := mixed(t, 3, true)
	loans := w.loans("a")
	require.False(t, w.takeBack("a", loans[0], 1))
	w.send("a", loans[0], 1)
	w.has("a", loans[0])
	require.Equal(t, 4, w.points("a"))
	w = mixed(t, 0, true)
	q := w.p.peers[w.ids["a"]]
	require.True(t, w.p.mayMix(q, 0))
	q.mixing.out = 3
	require.False(t, w.p.mayMix(q, 0), "4 failures are -8")
	q.mixing.out, q.mixing.points = 0, 5
	require.False(t, w.p.mayMix(q, 2), "these may be right before the other one turns out not to be")
}

// TestNothingIsTakenBackInPeace: leeches begin pieces in others' company all the time.
func TestNothingIsTakenBackInPeace(t *testing.T) {
	w := mixed(t, 9, false)
	i := w.loans("a")[0]
	w.p.everSent.set(i)
	require.False(t, w.takeBack("a", i, 1), "somebody may pass it on")
	i = w.loans("a")[1]
	require.True(t, w.takeBack("a", i, 1), "nobody can have that of us")
	w = mixed(t, 9, false)
	w.p.otherOrigin = true
	require.False(t, w.takeBack("a", w.loans("a")[0], 1))
	require.False(t, w.p.TakeBack(w.now, 99, Block{}))
	require.False(t, w.takeBack("a", 1<<30, 1))
	require.False(t, w.p.TakeBack(w.now, w.ids["a"], Block{w.loans("a")[0], 1<<32 - 1, 1<<32 - 1}))
}

// TestWhatIsMixedComesLast: when there is nothing else, it is risked after a while, one at a time.
func TestWhatIsMixedComesLast(t *testing.T) {
	w := draw(t, Config{Gate: -1}, 20, "sent "+strings.Repeat("#", 20)+"\na")
	w.p.junk = time.Hour
	w.giveAll("a", 9)
	q := w.p.peers[w.ids["a"]]
	for range 11 {
		w.next()
		w.takeBack("a", w.loans("a")[0], 1)
	}
	require.Equal(t, 11, q.mixing.lacks)
	require.Empty(t, w.loans("a"))
	w.after(lastMixed - 100*time.Millisecond)
	require.Empty(t, w.loans("a"))
	w.after(lastMixed)
	loans := w.loans("a")
	require.False(t, w.takeBack("a", loans[0], 1))
	require.True(t, w.takeBack("a", loans[1], 1), "the next one has to wait")
}

// TestTheLastCleanPiecesAreKept: they bring the points back to where what is mixed does no harm, and then that comes first.
func TestTheLastCleanPiecesAreKept(t *testing.T) {
	w := draw(t, Config{Gate: -1}, 20, "sent "+strings.Repeat("#", 20)+"\na")
	w.p.junk = time.Hour
	w.giveAll("a", 9)
	q := w.p.peers[w.ids["a"]]
	w.next()
	for _, i := range w.loans("a") {
		q.revealed = 0
		if k := w.loans("a"); len(k) > 7 {
			require.True(t, w.takeBack("a", i, 1))
		}
	}
	require.Equal(t, 4, q.mixing.lacks)
	for w.points("a") < -4 {
		require.True(t, w.p.keptBack(q, mixedOf(q)))
		w.give("a", w.loans("a")[0])
	}
	for k := len(w.loans("a")) - 1; k >= 0; k-- {
		w.p.endLoan(q, k)
	}
	w.next()
	for _, i := range w.loans("a") {
		require.True(t, q.mixing.pieces.has(i))
	}
	require.NotEmpty(t, w.loans("a"))
}

// mixedOf returns a piece that was taken back from q.
func mixedOf(q *peer) uint32 {
	for i := uint32(0); ; i++ {
		if q.mixing.pieces.has(i) {
			return i
		}
	}
}

// TestWhoWasSentJunkIsReminded: libtorrent asks again for a piece that failed when something happens.
func TestWhoWasSentJunkIsReminded(t *testing.T) {
	w := mixed(t, 3, true)
	i := w.loans("a")[0]
	w.takeBack("a", i, 1)
	w.send("a", i, 0, 1)
	require.Contains(t, w.show(w.after(2*time.Second), KindRemind), "a:remind:mixed")
	require.NotContains(t, w.show(w.after(20*time.Second), KindRemind), "a:remind:mixed")
	require.False(t, w.p.peers[w.ids["a"]].has(i), "what was mixed is not taken for had")
	require.False(t, w.takeBack("a", i, 1))
	require.Equal(t, 1, w.points("a"))
	require.Zero(t, w.p.peers[w.ids["a"]].mixing.out)
}
