package piecepicker

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// liars are four peers that claim everything and show nothing.
const fourLiars = "\nW all\nX all\nY all\nZ all"

func TestNewcomerIsGreeted(t *testing.T) {
	w := draw(t, Config{}, 100, "a\nb\ns all")
	require.Equal(t, "b:interest:rechoke", w.show(w.next(), KindInterest), "a seed's slots do not matter, nor do those of a lone leech")
	require.Equal(t, "a:interest:rechoke", w.show(w.after(time.Second), KindInterest))
	w.after(greeting - 2*time.Second)
	require.Empty(t, w.show(w.done, KindDisinterest))
	require.Equal(t, "a:disinterest:rechoke b:disinterest:rechoke", w.show(w.after(2*time.Second), KindDisinterest))
	require.Empty(t, w.show(w.after(5*time.Second), KindInterest, KindDisinterest))
}

// among returns a swarm of two leeches among liars, of which a has unchoked us.
func among(t *testing.T) *world {
	w := draw(t, Config{}, 1000, "a\nb"+fourLiars)
	w.next()
	w.unchokes("a", true)
	return w
}

// goOn lets the leeches take what they are lent for so many seconds.
func (w *world) goOn(seconds int, each func()) (ds []Decision) {
	for range seconds {
		each()
		w.giveAll("a", 1)
		w.giveAll("b", 1)
		ds = append(ds, w.after(time.Second)...)
	}
	return ds
}

func TestLeechAmongLiarsChoosesAnew(t *testing.T) {
	w := among(t)
	pair := "a:disinterest:rechoke a:interest:rechoke"
	require.Contains(t, w.show(w.after(time.Second), KindInterest, KindDisinterest), pair)
	for range 5 {
		w.unchokes("a", false)
		w.unchokes("a", true)
		require.Equal(t, pair, w.show(w.after(time.Second), KindInterest, KindDisinterest))
	}
}

func TestWhoChoosesByTheClockIsLeftInPeace(t *testing.T) {
	w := among(t)
	nothing := func() {}
	require.Equal(t, "a:disinterest:rechoke", w.show(w.goOn(2, nothing), KindDisinterest))
	require.Empty(t, w.show(w.goOn(10, nothing), KindDisinterest), "it did not choke us when we lost interest")
}

func TestRechokingEnds(t *testing.T) {
	w := among(t)
	w.goOn(rechokeMost+2, func() {
		w.unchokes("a", false)
		w.unchokes("a", true)
	})
	require.Equal(t, rechokeMost, w.p.peers[w.ids["a"]].rechoking.times)
	require.False(t, w.p.peers[w.ids["a"]].rechoking.interested)
}

func TestSlotIsNotWaitedForLong(t *testing.T) {
	w := among(t)
	w.goOn(int(rechokeAfter.Seconds())+2, func() {})
	require.True(t, w.p.peers[w.ids["a"]].rechoking.interested, "we have a slot")
	require.False(t, w.p.peers[w.ids["b"]].rechoking.interested)
}

func TestLiarsAreNotGreeted(t *testing.T) {
	w := among(t)
	require.NotContains(t, w.show(append(w.done, w.after(time.Minute)...), KindInterest), "W:interest:rechoke")
}

func TestGateStaysOpenAmongLiars(t *testing.T) {
	w := draw(t, Config{}, 100, "a\nb\nc\nd\ne")
	w.next()
	require.True(t, w.p.gateHelps())
	for _, name := range []string{"W", "X", "Y", "Z"} {
		w.join(name, "all")
	}
	w.after(time.Second)
	require.False(t, w.p.gateHelps())
}

func TestLiarsLoansAreForThoseWhoPassOn(t *testing.T) {
	w := draw(t, Config{}, 100, "L #####...............")
	w.next()
	require.Equal(t, Liar, w.peer("L").Trust)
	require.NotEmpty(t, w.loans("L"), "nobody else is there")
	w.join("a", "")
	w.join("b", "")
	for range 4 {
		for _, i := range w.giveAll("a", 1) {
			w.has("b", i)
		}
		w.after(time.Second)
	}
	require.Equal(t, Proven, w.peer("a").Trust)
	require.Empty(t, w.loans("L"))
}

func TestLastTwoGoToOnePeer(t *testing.T) {
	w := draw(t, Config{Gate: -1}, 6, "sent ####..\na ####..\nb ####..")
	for _, name := range []string{"a", "b"} {
		q := w.p.peers[w.ids[name]]
		q.trust = Proven
		w.p.touch(q)
	}
	w.next()
	a, b := w.loans("a"), w.loans("b")
	require.ElementsMatch(t, []uint32{4, 5}, append(a, b...))
	require.True(t, len(a) == 0 || len(b) == 0, "who is complete with one of them shows it to nobody")
}

// TestRechokeProperties: whatever peers do, interest changes in turns, no peer is asked to choose anew more often than once a second or
// than rechokeMost times, and none without liars.
func TestRechokeProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := draw(t, Config{}, 50, "a\nb")
		liars := rapid.Bool().Draw(rt, "liars")
		if liars {
			for _, name := range []string{"W", "X", "Y", "Z"} {
				w.join(name, "all")
			}
		}
		seen := 0
		interested, pairs := map[Peer]bool{}, map[Peer]int{}
		for range rapid.IntRange(1, 150).Draw(rt, "steps") {
			for _, name := range []string{"a", "b"} {
				switch rapid.IntRange(0, 3).Draw(rt, name) {
				case 0:
					w.unchokes(name, false)
				case 1:
					w.unchokes(name, false)
					w.unchokes(name, true)
				case 2:
					w.giveAll(name, 1)
				}
			}
			w.after(time.Duration(rapid.IntRange(1, 3000).Draw(rt, "ms")) * time.Millisecond)
			for _, d := range w.done[seen:] {
				if d.Kind != KindInterest && d.Kind != KindDisinterest {
					continue
				}
				is := d.Kind == KindInterest
				require.NotEqual(rt, interested[d.Peer], is, "%v", d)
				interested[d.Peer] = is
				if !is && w.p.peers[d.Peer].rechoking.interested && d.Reason.Code == Rechoke {
					require.True(rt, liars, "%v", d)
					pairs[d.Peer]++
					require.LessOrEqual(rt, pairs[d.Peer], int(w.now.Sub(start)/sweepEvery))
				}
			}
			seen = len(w.done)
		}
		for id, n := range pairs {
			require.LessOrEqual(rt, n, rechokeMost, "%d", id)
		}
		require.NoError(rt, w.p.check())
	})
}

func TestLullIsEnoughToStarveAmongLiars(t *testing.T) {
	starve := func(lines string) time.Duration {
		w := draw(t, Config{}, 200, "a\nb"+lines)
		q := w.p.peers[w.ids["a"]]
		q.trust, q.nHave, q.grew = Proven, 100, q.joined+10*time.Second // a lull is 5 s
		w.p.watchCrowd()
		for d := time.Second; ; d += time.Second {
			w.p.starveClock = q.fed + d
			if w.p.starves(q) {
				return d
			}
		}
	}
	require.Equal(t, 6*time.Second, starve(fourLiars))
	require.Equal(t, 16*time.Second, starve(""))
}
