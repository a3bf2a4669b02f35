package piecepicker

import (
	"slices"
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
	back, ok := w.p.TakeBack(w.now, w.ids[name], Block{i, uint32(block * unit), unit})
	require.True(w.t, !ok || back == i)
	return ok
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
	require.False(t, w.takeBack("a", 1<<30, 1))
	_, back := w.p.TakeBack(w.now, 99, Block{})
	require.False(t, back)
	_, back = w.p.TakeBack(w.now, w.ids["a"], Block{w.loans("a")[0], 1<<32 - 1, 1<<32 - 1})
	require.False(t, back)
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

// TestNobodyBansUsForWhatIsMixed: however many points there are, and how many pieces that a liar began, the last other pieces are given when
// points are lacking, and kept until then.
func TestNobodyBansUsForWhatIsMixed(t *testing.T) {
	for given := 0; given < 16; given += 3 {
		for _, spoilt := range []int{1, 5, 20} {
			l := harmedLeech{world: draw(t, Config{Gate: -1, MaxRate: 1 << 20}, 1200, "sent "+strings.Repeat("#", 1200)+"\na\nb"), spoilt: map[uint32]bool{}}
			l.p.junk = time.Hour
			l.giveAll("a", given)
			l.points = l.world.points("a")
			for i := uint32(0); len(l.spoilt) < spoilt; i = (i + 37) % 1200 {
				if !l.p.peers[l.ids["a"]].has(i) {
					l.spoilt[i] = true
				}
			}
			q := l.p.peers[l.ids["a"]]
			for n := 0; n < 1000 && q.nHave < 1200; n++ {
				l.after(100 * time.Millisecond)
				for _, i := range l.loans("a")[:min(10, len(l.loans("a")))] {
					l.take(i)
				}
			}
			require.Equal(t, 1200, q.nHave, "%d given, %d spoilt", given, spoilt)
		}
	}
}

// TestWhatWasTakenBackWaitsForPoints: until there are some for more than one such piece.
func TestWhatWasTakenBackWaitsForPoints(t *testing.T) {
	w := mixed(t, 8, true)
	q := w.p.peers[w.ids["a"]]
	for range 5 {
		w.next()
		require.True(t, w.takeBack("a", w.loans("a")[0], 1))
	}
	for w.points("a") < 0 {
		require.True(t, w.p.keptBack(q, mixedOf(q)), "%d points", w.points("a"))
		w.giveAll("a", 1)
	}
	require.False(t, q.mixing.climbs)
}

// mixedOf returns a piece that was taken back from q.
func mixedOf(q *peer) uint32 {
	for i := uint32(0); ; i++ {
		if q.mixing.pieces.has(i) {
			return i
		}
	}
}

// A harmedLeech has blocks of junk of some pieces, and counts as libtorrent does.
type harmedLeech struct {
	*world
	spoilt map[uint32]bool
	points int
}

// take asks for what it lacks of a piece.
func (l *harmedLeech) take(i uint32) {
	if l.spoilt[i] {
		if l.takeBack("a", i, 1) {
			return
		}
		l.send("a", i, 1)
		l.points -= 2
		require.Greater(l.t, l.points, -7, "bans us, %d left %+v", len(l.spoilt), l.p.peers[l.ids["a"]].mixing)
		delete(l.spoilt, i)
	}
	for block := range blocks {
		require.False(l.t, l.takeBack("a", i, block))
	}
	l.give("a", i)
	if l.points++; l.points == 8 {
		l.points = -8
	}
	require.Equal(l.t, l.points, l.world.points("a"))
}

// TestWhatStopsShortIsTakenBack: who asks for the beginning of a piece that nobody has, and goes on with another, has the rest from one who sends junk.
func TestWhatStopsShortIsTakenBack(t *testing.T) {
	w := mixed(t, 9, true)
	whole, short := w.loans("a")[0], w.loans("a")[1]
	require.False(t, w.takeBack("a", whole, 0))
	require.False(t, w.takeBack("a", whole, 1))
	_, back := w.begin("a", short)
	require.False(t, back)
	w.give("a", whole)
	w.next()
	loans := w.loans("a")
	next := loans[slices.IndexFunc(loans, func(i uint32) bool { return i != short })]
	i, back := w.begin("a", next)
	require.True(t, back)
	require.Equal(t, short, i)
	require.NotContains(t, w.loans("a"), short)
	_, back = w.begin("a", next)
	require.False(t, back)
}

// TestWhoGetsNothingOfOthersHasTheRestOfALiar: where others have the piece it may have asked one of them, until it gets nothing of them any more.
func TestWhoGetsNothingOfOthersHasTheRestOfALiar(t *testing.T) {
	w := mixed(t, 9, true)
	q := w.p.peers[w.ids["a"]]
	w.join("s", "all")
	w.p.Audited(w.now, w.ids["s"], true)
	short, next := w.loans("a")[0], w.loans("a")[1]
	for _, i := range []uint32{short, next, short} {
		_, back := w.begin("a", i)
		require.False(t, back)
	}
	w.has("a", without(10, 40, short, next)...)
	w.after(2 * time.Second)
	require.True(t, w.p.deserted(q))
	i, back := w.begin("a", next)
	require.True(t, back)
	require.Equal(t, short, i)
}

// begin asks for the first block of a piece.
func (w *world) begin(name string, i uint32) (uint32, bool) {
	return w.p.TakeBack(w.now, w.ids[name], Block{i, 0, unit})
}

// without returns the numbers from..to but for some.
func without(from, to uint32, but ...uint32) (list []uint32) {
	for i := from; i < to; i++ {
		if !slices.Contains(but, i) {
			list = append(list, i)
		}
	}
	return list
}

// TestWhoWasSentJunkIsReminded: libtorrent asks again for a piece that failed when something happens, if it knows by then.
func TestWhoWasSentJunkIsReminded(t *testing.T) {
	w := mixed(t, 3, true)
	i := w.loans("a")[0]
	w.takeBack("a", i, 1)
	w.send("a", i, 0, 1)
	require.Contains(t, w.show(w.after(2*time.Second), KindRemind), "a:remind:mixed")
	n := strings.Count(w.show(w.after(time.Minute), KindRemind), "a:remind:mixed")
	require.True(t, 4 <= n && n <= tellsMost, "%d more times in a minute", n)
	require.False(t, w.p.peers[w.ids["a"]].has(i), "what was mixed is not taken for had")
	require.False(t, w.takeBack("a", i, 1))
	require.Equal(t, 1, w.points("a"))
	require.Zero(t, w.p.peers[w.ids["a"]].mixing.out)
}
