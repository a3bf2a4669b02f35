package piecepicker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// "A credit needs a HAVE from a peer we did not serve that piece."
func TestCreditNeedsAPeerWeDidNotServe(t *testing.T) {
	w := draw(t, Config{}, 6, "a\nb\nc")
	i := w.giveAll("a", 1)[0]
	require.Equal(t, 1, w.peer("a").Awaiting)
	w.p.shunAll()

	w.p.lend(w.p.peers[w.ids["b"]], i, Assist, Behind)
	w.send("b", i, 0)
	w.has("b", i)
	require.Equal(t, 0, w.peer("a").Relayed, "b has some of it from us")
	require.Equal(t, 1, w.peer("a").Awaiting)

	w.has("c", i)
	require.Equal(t, 1, w.peer("a").Relayed)
	require.Equal(t, Proven, w.peer("a").Trust)
	require.Equal(t, 3, w.peer("a").Window)
	require.Zero(t, w.peer("a").Awaiting)
	require.Equal(t, 1, w.piece(i).Proven)
	require.NoError(t, w.p.check())
}

func TestNoCreditForWhatOthersHold(t *testing.T) {
	w := draw(t, Config{}, 2, "sent ##\n a ..\n b #.\n c ..")
	w.p.lend(w.p.peers[w.ids["a"]], 0, Assist, Behind)
	w.give("a", 0)
	require.Zero(t, w.peer("a").Awaiting, "b has it too")
	w.has("c", 0)
	require.Zero(t, w.peer("a").Relayed)
}

func TestBothSourcesAreCredited(t *testing.T) {
	w := draw(t, Config{}, 1, "a\nb\nc")
	w.p.lend(w.p.peers[w.ids["a"]], 0, Need, Unsent)
	w.p.lend(w.p.peers[w.ids["b"]], 0, Need, Unsent)
	w.give("a", 0)
	w.give("b", 0)
	w.has("c", 0)
	require.Equal(t, 1, w.peer("a").Relayed)
	require.Equal(t, 1, w.peer("b").Relayed)
}

func TestHoarder(t *testing.T) {
	w := draw(t, Config{}, 40, "a\nb\nc")
	first := w.giveAll("a", 2)
	require.Len(t, first, 2)
	for range 3 { // the others take, too, and pass on to each other
		for _, i := range w.giveAll("b", 1) {
			w.has("c", i)
		}
		for _, i := range w.giveAll("c", 1) {
			w.has("b", i)
		}
	}
	require.Equal(t, 1, w.piece(first[0]).Holders)
	for range 10 * 60 {
		w.after(200 * time.Millisecond)
		for _, name := range []string{"b", "c"} {
			w.wants(name, false)
			w.wants(name, true)
		}
	}
	require.Equal(t, Hoarder, w.peer("a").Trust)
	require.Equal(t, 2, w.peer("a").Expired)
	require.Equal(t, 1, w.peer("a").Window)
	require.Zero(t, w.piece(first[0]).Holders, "what a hoarder has is as good as lost")

	w.has("b", first[0])
	require.Equal(t, Proven, w.peer("a").Trust, "one piece passed on, though late, makes good")
	require.Equal(t, 1, w.peer("a").Expired)
	require.NoError(t, w.p.check())
}

func TestNobodyIsBlamedForWhatNobodyWants(t *testing.T) {
	t.Run("everybody has it", func(t *testing.T) {
		w := draw(t, Config{}, 9, "a\nb")
		i := w.giveAll("a", 1)[0]
		w.p.lend(w.p.peers[w.ids["b"]], i, Assist, Behind)
		w.give("b", i)
		w.after(10 * time.Minute)
		require.Zero(t, w.peer("a").Expired)
		require.Zero(t, w.peer("a").Awaiting)
	})
	t.Run("the others take nothing", func(t *testing.T) {
		w := draw(t, Config{}, 9, "a\nb")
		w.giveAll("a", 1)
		w.p.PeerUploadOnly(w.now, w.ids["b"], true)
		w.after(10 * time.Minute)
		require.Zero(t, w.peer("a").Expired)
	})
}

func TestLiarsGiveNoCredit(t *testing.T) {
	w := draw(t, Config{}, 9, "a\nb\nc")
	i := w.giveAll("a", 1)[0]
	w.p.Audited(w.now, w.ids["b"], false)
	w.has("b", i)
	require.Zero(t, w.peer("a").Relayed)
}

func TestRelayDelayIsMeasured(t *testing.T) {
	w := draw(t, Config{}, 60, "a\nb")
	for range 40 {
		w.wants("b", false)
		w.wants("b", true)
		i := w.giveAll("a", 1)[0]
		for _, k := range w.loans("a") {
			w.p.Requested(w.now, w.ids["a"], k)
		}
		w.after(4 * time.Second)
		w.has("b", i)
	}
	require.InDelta(t, 4, w.p.Status(w.now).RelayDelay.Seconds(), 0.5)
	require.Equal(t, windowMost, w.peer("a").Window)
}

func TestWhoTakesMostFromUsAndGivesLittleComesLast(t *testing.T) {
	w := draw(t, Config{}, 300, "a\nb\nc")
	q := w.p.peers[w.ids["a"]]
	q.relay.served, q.nHave = 17, 20
	w.p.touch(q)
	require.False(t, q.good)
	q.relay.relayed = 1
	w.p.touch(q)
	require.True(t, q.good)
	q.nHave = 0
	w.p.touch(q)
}
