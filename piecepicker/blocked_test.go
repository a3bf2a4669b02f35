package piecepicker

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// blocked is a world in which a took a piece, was lent the last ones, and asks for nothing.
func blocked(t *testing.T) *world {
	w := draw(t, Config{MaxRate: 1 << 20}, 5, "a\nb")
	w.p.peers[w.ids["b"]].shunned = time.Hour
	w.p.touch(w.p.peers[w.ids["b"]])
	w.giveAll("a", 1)
	w.next()
	require.NotEmpty(t, w.loans("a"))
	w.p.forgiveAll()
	return w
}

func TestWhatABlockedPeerDoesNotAskForGoesToAnother(t *testing.T) {
	w := blocked(t)
	lent := w.loans("a")
	require.Empty(t, w.show(w.after(blockedAfter-time.Second), KindWithdraw))
	require.Contains(t, w.show(w.after(2*time.Second), KindWithdraw), "a:withdraw:not-started")
	w.giveAll("b", 5)
	for _, i := range lent {
		require.Equal(t, 1, w.piece(i).Sent, "b has it now")
	}
	require.Zero(t, w.p.peers[w.ids["a"]].shuns, "it is not blamed")
	require.True(t, w.p.peers[w.ids["a"]].good)
}

func TestWhoHasAskedOrWasNeverSentAnythingIsNotBlocked(t *testing.T) {
	w := blocked(t)
	w.p.Requested(w.now, w.ids["a"], w.loans("a")[0])
	require.NotContains(t, w.show(w.after(8*time.Second), KindWithdraw), "a:", "it waits for us")
	w.p.Cancelled(w.now, w.ids["a"])
	require.Contains(t, w.show(w.after(4*time.Second), KindWithdraw), "a:", "and no more")

	w = draw(t, Config{MaxRate: 1 << 20}, 3, "a\nb")
	require.Empty(t, w.show(w.after(8*time.Second), KindWithdraw), "slow starters")
	w.p.Cancelled(w.now, 77)
}

func TestNobodyIsBlockedWhileTheLineIsBusyOrNobodyElseIsThere(t *testing.T) {
	w := blocked(t)
	w.leave("b")
	require.Empty(t, w.show(w.after(8*time.Second), KindWithdraw))

	w = draw(t, Config{MaxRate: 4 * blocks * unit}, 300, "a\nb\nc")
	w.giveAll("a", 1)
	for range 16 { // b and c take all the line carries
		for _, name := range []string{"b", "c"} {
			w.giveAll(name, 1)
		}
		require.NotContains(t, w.show(w.after(500*time.Millisecond), KindWithdraw), "a:")
	}
}

func TestBlockedPeerMayFinishWhatItWasLent(t *testing.T) {
	w := blocked(t)
	i := w.loans("a")[0]
	w.p.peers[w.ids["b"]].shunned = time.Hour // nobody else takes it
	w.p.touch(w.p.peers[w.ids["b"]])
	w.after(4 * time.Second)
	_, ok := w.p.Requested(w.now, w.ids["a"], i)
	require.True(t, ok)
}

func TestGateKeepsNoMoreThanItWasClosedFor(t *testing.T) {
	w := gated(t, Config{})
	require.Equal(t, 4, w.p.Status(w.now).Held)
	q := w.p.peers[w.ids["a"]]
	q.sent, q.stirred = 1, w.p.now // it takes pieces
	w.p.gate.size = 2              // as if two were on loan when it was closed, and came back
	w.p.needStuck = false
	require.Contains(t, w.offers(w.next()), "offer:unsent")
	s := w.p.Status(w.now)
	require.Equal(t, 2, s.Held)
	require.Zero(t, s.Needed)
}

// TestPromptPeersAreNotWaitedForAmongLiars: what a peer that asks at once leaves lying goes to another within a second while liars are
// there; one that usually takes its time has that.
func TestPromptPeersAreNotWaitedForAmongLiars(t *testing.T) {
	wait := func(lines string, delay time.Duration) time.Duration {
		w := draw(t, Config{MaxRate: 1 << 20}, 40, "a\nb"+lines)
		w.p.watchCrowd()
		for range 10 {
			w.next()
			loans := w.loans("a")
			w.after(delay)
			w.give("a", loans[0])
			w.has("b", loans[0])
		}
		w.after(100 * time.Millisecond)
		lent := w.now
		for w.now.Sub(lent) < 5*time.Second {
			if len(w.show(w.after(50*time.Millisecond), KindWithdraw)) > 0 {
				break
			}
		}
		return w.now.Sub(lent)
	}
	require.LessOrEqual(t, wait(fourLiars, 10*time.Millisecond), blockedLeast+2*gateEvery)
	require.GreaterOrEqual(t, wait("", 10*time.Millisecond), blockedAfter-sweepEvery)
	require.GreaterOrEqual(t, wait(fourLiars, 400*time.Millisecond), blockedAfter-sweepEvery)
}

// TestCrowdOfNewcomersIsNotHurried: where all that took pieces are gone, a few newcomers are hurried, since most of them may take nothing;
// a crowd is not, since it is slow to begin, and what it was offered would be sent again and again.
func TestCrowdOfNewcomersIsNotHurried(t *testing.T) {
	for n, hurried := range map[int]bool{3: true, beginsMost: true, beginsMost + 1: false} {
		peers := make([]string, n)
		for i := range peers {
			peers[i] = "p" + strconv.Itoa(i)
		}
		w := draw(t, Config{}, 50, strings.Join(peers, "\n"))
		w.p.sent = 1
		w.after(time.Second)
		require.Equal(t, hurried, w.p.begins(), "%d", n)
	}
}
