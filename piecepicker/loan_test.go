package piecepicker

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyWhatIsRevealedMayBeRequested(t *testing.T) {
	w := draw(t, Config{}, 4, "a\nb")
	w.next()
	for i := range uint32(4) {
		want := false
		for _, k := range w.loans("a") {
			want = want || k == i
		}
		require.Equal(t, want, w.p.Allowed(w.ids["a"], i))
		_, ok := w.p.Requested(w.now, w.ids["a"], i)
		require.Equal(t, want, ok)
	}
	require.False(t, w.p.Allowed(w.ids["a"], 1000))
	require.False(t, w.p.Allowed(77, 0))
}

func TestFiftyRequestsForOthersEndTheConnection(t *testing.T) {
	w := draw(t, Config{}, 9, "a\nb\nc")
	w.next()
	foreign := w.loans("b")[0]
	for n := range 49 {
		w.p.Requested(w.now, w.ids["a"], foreign)
		require.Empty(t, w.show(w.next(), KindDrop), "request %d", n)
	}
	w.p.Requested(w.now, w.ids["a"], w.loans("a")[0]) // one that is allowed begins the count anew
	for range 49 {
		w.p.Requested(w.now, w.ids["a"], foreign)
	}
	require.Empty(t, w.show(w.next(), KindDrop))
	w.p.Requested(w.now, w.ids["a"], 1<<31)
	require.Equal(t, "a:drop:unrevealed", w.show(w.next(), KindDrop))
}

func TestOfferNotTakenIsWithdrawn(t *testing.T) {
	for _, tc := range []struct {
		interested bool
		after      time.Duration
	}{{true, 20 * time.Second}, {false, 10 * time.Second}} {
		w := draw(t, Config{}, 1, "a")
		w.next()
		w.wants("a", tc.interested)
		require.Empty(t, w.show(w.after(tc.after-time.Second), KindWithdraw))
		require.Equal(t, "a:withdraw:not-started", w.show(w.after(2*time.Second), KindWithdraw))
		require.Empty(t, w.loans("a"))
		require.Equal(t, Unsent, w.piece(0).Needed, "free for others")
		w.join("b", "")
		require.Equal(t, "b:offer:alone", w.offers(w.next()))
		require.Empty(t, w.offers(w.after(9*time.Second)), "nothing for a so soon")
	}
}

func TestWithdrawnPieceIsStillServed(t *testing.T) {
	w := draw(t, Config{}, 1, "a")
	w.next()
	w.after(11 * time.Second)
	require.Empty(t, w.loans("a"))
	w.send("a", 0, 0)
	require.Equal(t, []uint32{0}, w.loans("a"), "nobody else was offered it: it is a's again")
}

func TestTwoMayFinishAWithdrawnPiece(t *testing.T) {
	w := draw(t, Config{}, 1, "a")
	w.next()
	w.after(11 * time.Second)
	w.join("b", "")
	w.next()
	require.Equal(t, []uint32{0}, w.loans("b"))
	w.send("a", 0, 0, 1)
	w.has("a", 0)
	w.send("b", 0, 0, 1)
	w.has("b", 0)
	require.Equal(t, 2, w.piece(0).Sent)
	require.Equal(t, 2, w.piece(0).Holders)
}

func TestSlowPeerLosesItsPiece(t *testing.T) {
	w := draw(t, Config{}, 2000, "a\nb\nc")
	w.next()
	slow := w.loans("a")[0]
	w.send("a", slow, 0)
	for range 40 {
		for _, name := range []string{"b", "c"} {
			for _, i := range w.giveAll(name, 4) {
				other := map[string]string{"b": "c", "c": "b"}[name]
				w.has(other, i)
			}
		}
		w.after(time.Second)
	}
	require.Contains(t, w.show(w.done, KindWithdraw), "a:withdraw:slow")
	require.NotContains(t, w.loans("a"), slow)
	require.Equal(t, 1, w.peer("a").Window, "halved")
}

func TestWholePieceIsTakenToHaveArrived(t *testing.T) {
	for name, act := range map[string]func(w *world){
		"five seconds":   func(w *world) { w.after(6 * time.Second) },
		"not interested": func(w *world) { w.wants("a", true); w.wants("a", false) },
	} {
		t.Run(name, func(t *testing.T) {
			w := draw(t, Config{}, 5, "a\nb")
			w.p.peers[w.ids["b"]].relay.served = 1 // it is no slow starter
			w.next()
			i := w.loans("a")[0]
			w.send("a", i, 0, 1)
			w.next()
			require.Equal(t, 0, w.piece(i).Holders)
			require.Contains(t, w.loans("a"), i)
			act(w)
			require.Equal(t, 1, w.piece(i).Holders)
			require.Equal(t, 1, w.peer("a").Pieces)
			require.Equal(t, 1, w.peer("a").Awaiting, "it has to pass it on")
			_, again := w.p.Requested(w.now, w.ids["a"], i)
			require.False(t, again, "no second copy")
		})
	}
}

func TestBytesSentTwiceMakeNoPiece(t *testing.T) {
	w := draw(t, Config{}, 1, "a")
	w.next()
	w.send("a", 0, 0, 0, 0, 0)
	require.Zero(t, w.piece(0).Sent)
	w.send("a", 0, 1)
	require.Equal(t, 1, w.piece(0).Sent)
}

func TestBlocksOfAnySizeMakeAPiece(t *testing.T) {
	for _, step := range []int{1, 1000, unit - 1, unit, unit + 1, blocks * unit} {
		w := draw(t, Config{}, 1, "a")
		w.next()
		w.p.Requested(w.now, w.ids["a"], 0)
		for at := 0; at < blocks*unit; at += step {
			require.Zero(t, w.piece(0).Sent)
			w.p.BlockSent(w.now, w.ids["a"], 0, uint32(at), min(step, blocks*unit-at))
		}
		require.Equal(t, 1, w.piece(0).Sent, "steps of %d", step)
	}
}

func TestOfferEndsWhenThePeerGetsThePieceElsewhere(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n a .########\n b #........\n c #........")
	w.next()
	w.after(5 * time.Second)
	var got uint32
	for _, i := range w.loans("b") {
		got = i
	}
	w.has("b", got)
	require.Contains(t, w.show(w.next(), KindWithdraw), "b:withdraw:elsewhere")
}

// The HAVE may overtake the note that the last block was sent.
func TestHaveBeforeTheLastBlockWasNoted(t *testing.T) {
	w := draw(t, Config{}, 3, "a\nb")
	w.next()
	i := w.loans("a")[0]
	w.p.Requested(w.now, w.ids["a"], i)
	w.has("a", i)
	w.p.BlockSent(w.now, w.ids["a"], i, 0, unit)
	w.p.BlockSent(w.now, w.ids["a"], i, unit, unit)
	w.next()
	require.Equal(t, 1, w.piece(i).Sent)
	require.Equal(t, 1, w.peer("a").Served)
	require.Equal(t, 1, w.piece(i).Holders)
	require.Equal(t, int64(2*unit), w.peer("a").Sent)
}

func TestLeavingFreesAtOnce(t *testing.T) {
	w := draw(t, Config{}, 1, "a\nb")
	w.next()
	first, second := "a", "b"
	if len(w.loans("a")) == 0 {
		first, second = second, first
	}
	require.Empty(t, w.loans(second))
	w.leave(first)
	w.next()
	require.Equal(t, []uint32{0}, w.loans(second))
}

func TestOfferPassedOverIsWithdrawnWithoutBlame(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 30}, 400, "a\nb\nc")
	w.p.peers[w.ids["b"]].relay.served = 1 // it is no slow starter
	w.next()
	over := w.loans("a")[0]
	for range 8 {
		w.after(time.Second)
		loans := w.loans("a")
		i := loans[len(loans)-1]
		w.give("a", i)
		w.has("b", i)
	}
	w.after(time.Second)
	require.Contains(t, w.show(w.done, KindWithdraw), "a:withdraw:not-started")
	require.NotContains(t, w.loans("a"), over)
	require.NotEmpty(t, w.loans("a"))
}

func TestSlowLoneLeechKeepsWhatItWasOffered(t *testing.T) {
	w := draw(t, Config{}, 400, "a")
	w.wants("a", true)
	w.next()
	for range 60 {
		w.give("a", w.loans("a")[0])
		w.after(5 * time.Second)
	}
	require.Empty(t, w.show(w.done, KindWithdraw))
	require.Equal(t, 60, w.peer("a").Pieces)
}

// TestWhoWaitsForOthersIsReminded: a peer that asks us for nothing of what it was shown before is unchoked once more with an offer.
func TestWhoWaitsForOthersIsReminded(t *testing.T) {
	reminded := func(act func(w *world, i, k uint32)) string {
		w := draw(t, Config{}, 50, "a\nb")
		w.next()
		loans := w.loans("a")
		w.after(100 * time.Millisecond)
		act(w, loans[0], loans[1])
		return w.show(w.next(), KindRemind)
	}
	require.Equal(t, "a:remind:served", reminded(func(w *world, i, k uint32) { w.give("a", i) }), "what it does with the other nobody knows")
	require.Empty(t, reminded(func(w *world, i, k uint32) {
		_, ok := w.p.Requested(w.now, w.ids["a"], k)
		require.True(t, ok)
		w.give("a", i)
		_, ok = w.p.Requested(w.now, w.ids["a"], k)
		require.True(t, ok)
	}), "it asks")
	require.Empty(t, reminded(func(w *world, i, k uint32) {
		w.give("a", i)
		w.give("a", k)
	}), "it lacks nothing that it was shown")
}

// TestWhatArrivesBeforeItIsToldSentIsOurs: a peer has a piece before the writer of the chunk it was in is back.
func TestWhatArrivesBeforeItIsToldSentIsOurs(t *testing.T) {
	for _, told := range []bool{false, true} {
		w := draw(t, Config{Gate: -1}, 40, "sent "+strings.Repeat("#", 40)+"\na")
		w.next()
		i, q := w.loans("a")[0], w.p.peers[w.ids["a"]]
		_, ok := w.p.Requested(w.now, w.ids["a"], i)
		require.True(t, ok)
		if told {
			w.p.Leaving(w.now, w.ids["a"], i, blocks*unit)
		}
		w.has("a", i)
		require.Equal(t, told, q.gained == 0, "it has it from others")
		require.Equal(t, told, w.p.pieces[i].sent == 2)
		w.p.BlockSent(w.now, w.ids["a"], i, 0, blocks*unit)
		require.Equal(t, int64(blocks*unit), w.p.sent)
	}
	w := draw(t, Config{}, 4, "a")
	w.p.Leaving(w.now, 99, 0, 1)
	w.p.Leaving(w.now, w.ids["a"], 1<<30, 1)
	w.p.Leaving(w.now, w.ids["a"], 0, -1)
}
