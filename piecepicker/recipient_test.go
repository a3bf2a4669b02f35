package piecepicker

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFirstOfferWaitsForThePiecesOfThePeer(t *testing.T) {
	for name, tell := range map[string]func(w *world){
		"HAVE NONE": func(w *world) { w.p.PeerHaveNone(w.now, w.ids["a"]) },
		"bitfield":  func(w *world) { w.p.PeerBitfield(w.now, w.ids["a"], []byte{0}) },
		"HAVE":      func(w *world) { w.has("a", 0) },
	} {
		t.Run(name, func(t *testing.T) {
			w := draw(t, Config{}, 4, "sent #...\n a ?")
			require.Empty(t, w.after(200*time.Millisecond))
			tell(w)
			require.Contains(t, w.offers(w.next()), "a:offer:alone")
		})
	}
	t.Run("nothing for 300 ms", func(t *testing.T) {
		w := draw(t, Config{}, 4, "a ?")
		require.Empty(t, w.after(299*time.Millisecond))
		require.Contains(t, w.offers(w.after(time.Millisecond)), "a:offer:alone")
	})
}

func TestPieceNeverSentGoesToOnePeerOnly(t *testing.T) {
	w := draw(t, Config{}, 3, "a\nb\nc\nd")
	require.Equal(t, "x:offer:unsent x:offer:unsent x:offer:unsent", anonymous(w.offers(w.next())))
	seen := map[uint32]bool{}
	for _, d := range w.done {
		if d.Kind == KindOffer {
			require.False(t, seen[d.Piece])
			seen[d.Piece] = true
		}
	}
	require.Len(t, seen, 3)
}

// anonymous replaces the first letter of each word.
func anonymous(s string) string {
	b := []byte(s)
	for i := range b {
		if i == 0 || b[i-1] == ' ' {
			b[i] = 'x'
		}
	}
	return string(b)
}

func TestUnchokeComesBeforeTheOffer(t *testing.T) {
	w := draw(t, Config{}, 1, "a")
	ds := w.next()
	require.Len(t, ds, 2)
	require.Equal(t, []Kind{KindUnchoke, KindOffer}, []Kind{ds[0].Kind, ds[1].Kind})
}

func TestIdlePeerIsChokedAndUnchokedNoSoonerThanTenSecondsLater(t *testing.T) {
	w := draw(t, Config{}, 2, "a\nb")
	w.giveAll("a", 1)
	w.giveAll("b", 1)
	w.has("a", 1, 0)
	w.has("b", 0, 1)
	require.Equal(t, "a:choke:idle b:choke:idle", w.show(w.after(31*time.Second), KindChoke))
	w.join("c", "")
	w.leave("a")
	w.leave("b")
	w.after(10 * time.Second)
	require.NotEmpty(t, w.loans("c"))
}

func TestFlipsAreTenSecondsApart(t *testing.T) {
	w := draw(t, Config{}, 2, "sent ##\n a #.\n b .#")
	w.next()
	w.has("a", 1)
	w.has("b", 0)
	w.join("c", "")
	w.next()
	flips := map[Peer]time.Time{}
	for range 200 {
		for _, d := range w.after(time.Second) {
			if d.Kind == KindChoke || d.Kind == KindUnchoke {
				if last, ok := flips[d.Peer]; ok {
					require.GreaterOrEqual(t, w.now.Sub(last), 10*time.Second)
				}
				flips[d.Peer] = w.now
			}
		}
	}
	require.NotEmpty(t, flips)
}

func TestThoseWithNothingOnOfferComeFirst(t *testing.T) {
	w := draw(t, Config{MaxRate: 4 * blocks * unit}, 20, "a\nb\nc\nd")
	w.next()
	for _, name := range []string{"a", "b", "c", "d"} {
		require.Len(t, w.loans(name), 1)
	}
}

func TestNewcomersWindowIsTwoPieces(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 30}, 40, "a\nb\nc")
	w.next()
	for range 4 { // c takes nothing more
		for _, name := range []string{"a", "b"} {
			w.giveAll(name, 1)
		}
	}
	w.next()
	// Both have four out, which is twice their window. c has nothing out but its first offers, and gets no more than it can take.
	require.Equal(t, 2, w.peer("a").Window)
	require.LessOrEqual(t, len(w.loans("c")), 2)
}

func TestRelayersGetMore(t *testing.T) {
	w := draw(t, Config{MaxRate: blocks * unit}, 60, "a\nb\nc")
	count := map[string]int{}
	for range 20 {
		for _, name := range []string{"a", "b"} {
			for _, i := range w.giveAll(name, 1) {
				count[name]++
				if name == "a" { // only a passes on
					w.has("c", i)
				}
			}
		}
	}
	require.Greater(t, w.peer("a").Window, w.peer("b").Window)
	require.Equal(t, Proven, w.peer("a").Trust)
	require.Equal(t, Unproven, w.peer("b").Trust)
	require.Greater(t, count["a"], count["b"])
}

func TestLostPieceGoesToTheYoungest(t *testing.T) {
	w := draw(t, Config{}, 16, "sent ################\n a ..############## \n b #############... \n z .###############")
	// a, b, z hold all but piece 0, which b holds; when b leaves it is lost.
	w.p.shunAll()
	w.after(time.Second)
	require.Equal(t, 1, w.piece(0).Holders)
	w.join("y", "")
	w.p.shunAll()
	w.leave("b")
	w.p.forgiveAll()
	ds := w.next()
	i := slices.IndexFunc(ds, func(d Decision) bool { return d.Kind == KindOffer && d.Piece == 0 })
	require.GreaterOrEqual(t, i, 0)
	require.Equal(t, "y", w.names[ds[i].Peer])
	require.Equal(t, Lost, ds[i].Reason.Code)
}

// shunAll makes offers to nobody, until forgiveAll.
func (p *Picker) shunAll() {
	for _, q := range p.peers[1:] {
		if q != nil {
			q.shunned = 1 << 60
			p.touch(q)
		}
	}
}

func (p *Picker) forgiveAll() {
	for _, q := range p.peers[1:] {
		if q != nil {
			q.shunned = 0
			p.touch(q)
		}
	}
}

func TestUploadOnlyPeersGetNothing(t *testing.T) {
	w := draw(t, Config{}, 4, "a ?\nb ?")
	w.p.PeerUploadOnly(w.now, w.ids["a"], true)
	w.after(time.Second)
	require.Empty(t, w.loans("a"))
	require.NotEmpty(t, w.loans("b"))
	w.p.PeerUploadOnly(w.now, w.ids["a"], false)
	w.p.PeerUploadOnly(w.now, w.ids["b"], true)
	w.leave("b")
	w.next()
	require.NotEmpty(t, w.loans("a"))
}

func TestLoneLeechGetsEverything(t *testing.T) {
	for name, prepare := range map[string]func(w *world, q *peer){
		"new":     func(*world, *peer) {},
		"hoarder": func(w *world, q *peer) { q.trust = Hoarder },
		"liar":    func(w *world, q *peer) { q.liar = true },
		"milker":  func(w *world, q *peer) { q.relay.served = 1000 },
	} {
		for _, mode := range []Mode{Conservative, Balanced, Generous} {
			t.Run(name+" "+mode.String(), func(t *testing.T) {
				w := draw(t, Config{Mode: mode, MaxRate: 1}, 100, "s all\na ?\nx ?")
				q := w.p.peers[w.ids["a"]]
				prepare(w, q)
				w.p.PeerHaveNone(w.now, w.ids["a"])
				w.p.judge(q)
				w.p.touch(q)
				w.p.PeerUploadOnly(w.now, w.ids["x"], true)
				require.Len(t, w.giveAll("a", 1000), 100)
				require.Equal(t, 100, w.peer("a").Pieces)
			})
		}
	}
}

// What is offered ahead follows what the peer takes: half a second of it, or two pieces.
func TestLookAheadFollowsTheRate(t *testing.T) {
	for _, tc := range []struct {
		rate   float64
		others bool
		want   int
	}{
		{0, true, 2},
		{blocks * unit, true, 2},
		{20 * blocks * unit, true, 20},
		{0, false, aloneBytes / (blocks * unit)},
		{100 * blocks * unit, false, 100 * int(aloneTime/time.Second)},
	} {
		w := draw(t, Config{MaxRate: 1 << 40}, 1000, "a\nb ?")
		if tc.others {
			w.p.PeerHaveNone(w.now, w.ids["b"])
		}
		if !tc.others {
			w.leave("b")
		}
		for _, q := range w.p.peers[1:] {
			if q == nil {
				continue
			}
			q.meter.rate = tc.rate
			q.relay.window = 1000
			w.p.touch(q)
		}
		w.next()
		require.Len(t, w.loans("a"), tc.want, "%+v", tc)
	}
}

func TestReconnectedPeerGetsWhatItHadFirst(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 30}, 50, "a\nb\nc")
	w.p.peers[w.ids["b"]].relay.served = 1 // it is no slow starter
	taken := w.giveAll("a", 3)
	w.after(5 * time.Second)
	w.leave("a")
	w.join("a", "")
	ds := w.next()
	var again []uint32
	for _, d := range ds {
		if d.Reason.Code == Again {
			require.Equal(t, "a", w.names[d.Peer])
			again = append(again, d.Piece)
		}
	}
	require.Subset(t, taken, again)
	require.NotEmpty(t, again)
}

func TestReconnectedPeerStillHasToPassOn(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 30}, 8, "a\nb\nc")
	i := w.giveAll("a", 1)[0]
	w.leave("a")
	drawn := []byte("........")
	drawn[i] = '#'
	w.join("a", string(drawn))
	require.Equal(t, 1, w.peer("a").Awaiting)
	w.has("b", i)
	require.Equal(t, 1, w.peer("a").Relayed)
}

func TestHalfSentPieceGoesOnWhereItStopped(t *testing.T) {
	w := draw(t, Config{}, 1, "a")
	w.next()
	w.send("a", 0, 0)
	w.leave("a")
	w.join("a", "")
	w.next()
	w.send("a", 0, 1)
	require.Equal(t, 1, w.piece(0).Sent)
	w.leave("a")
	w.after(11 * time.Minute)
	w.join("a", "")
	w.next()
	w.send("a", 0, 1)
	require.Equal(t, 1, w.piece(0).Sent, "what was sent more than ten minutes ago is forgotten")
}

// aria2 leaves who sends it nothing for a minute.
func TestNobodyWaitsLongInASmallSwarm(t *testing.T) {
	w := draw(t, Config{MaxRate: blocks * unit / 4}, 100, "a\nb\nc\nd\ne\nf\ng\nh")
	for k := range 22 { // those who are served first hold the window, as slow as the line is
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			if loans := w.loans(name); len(loans) > 0 && k%4 == 0 {
				w.p.Requested(w.now, w.ids[name], loans[0])
			}
		}
		w.after(time.Second)
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		require.NotEmpty(t, w.loans(name), name)
	}
}

func TestNewcomerDoesNotWaitForWhatOneWasOfferedAlone(t *testing.T) {
	w := draw(t, Config{MaxRate: 64 * blocks * unit}, 4000, "a")
	w.wants("a", true)
	ask := func() {
		for _, i := range w.loans("a") {
			w.p.Requested(w.now, w.ids["a"], i)
		}
	}
	for range 30 {
		w.next()
		ask()
		for _, i := range w.loans("a")[:16] {
			w.give("a", i)
		}
		w.now = w.now.Add(250 * time.Millisecond)
	}
	w.next()
	ask()
	require.Greater(t, w.p.inFlight, w.p.windowSize())
	w.join("b", "")
	for _, i := range w.loans("a")[:16] {
		w.give("a", i)
	}
	require.Greater(t, w.p.inFlight, w.p.windowSize())
	require.Contains(t, w.offers(w.after(2*time.Second)), "b:offer:unsent")
}

// TestSilentPeersDoNotKeepANewcomerWaiting is about fake peers, which are quick to come and never ask for what they are
// offered: the first of them is alone, and gets all the window and more.
func TestSilentPeersDoNotKeepANewcomerWaiting(t *testing.T) {
	w := draw(t, Config{MaxRate: 8 * blocks * unit, PieceLength: blocks * unit, Length: 100 * blocks * unit}, 100, "a\nb\nc\nd")
	w.after(time.Millisecond)
	require.False(t, w.p.room())
	w.join("e", "")
	require.Contains(t, w.offers(w.next()), "e:offer:unsent", "at once")
}

// A lone leech is lent 4 MiB ahead, which a slow line takes a quarter of a minute to send. Whoever comes then has its share of the
// line, and is not kept waiting until that has left.
func TestNewcomerOnASlowLineDoesNotWaitForWhatOneWasLentAlone(t *testing.T) {
	w := draw(t, Config{MaxRate: 8 * blocks * unit}, 2000, "a")
	w.wants("a", true)
	take := func(name string) (took []uint32) {
		loans := w.loans(name)
		for _, i := range loans {
			w.p.Requested(w.now, w.ids[name], i)
		}
		if len(loans) > 0 {
			w.give(name, loans[0])
			took = loans[:1]
		}
		return took
	}
	for range 80 {
		w.after(time.Second / 8)
		take("a")
	}
	lent := w.p.inFlight
	require.Greater(t, lent, 4*w.p.windowSize())
	w.join("b", "")
	require.Contains(t, w.offers(w.next()), "b:offer:unsent", "at once")
	for range 16 { // for some seconds the line is shared, and a gets of b what that was given
		w.after(time.Second / 8)
		took := take("b")
		require.NotEmpty(t, took, "and then always something to take")
		w.has("a", took...)
		w.after(time.Second / 8)
		take("a")
	}
	require.LessOrEqual(t, w.p.inFlight, lent+w.p.windowSize())
	w.leave("a")
	require.Nil(t, w.p.lone)
}

// TestLastPieceIsShownWithTheOneBefore: libtorrent leaves who looks complete and has nothing that it lacked before.
func TestLastPieceIsShownWithTheOneBefore(t *testing.T) {
	w := draw(t, Config{MaxRate: 4 * blocks * unit}, 20, "a\nL oooooooooooooooooooo")
	w.next()
	for range 100 {
		if loans := w.loans("a"); w.p.peers[w.ids["a"]].revealed == 20 {
			require.GreaterOrEqual(t, len(loans), 2)
			return
		}
		w.giveAll("a", 1)
		w.after(100 * time.Millisecond)
	}
	require.Fail(t, "it was not shown everything")
}

// When the last peer that is preferred has taken more than its share, the others need not wait until the next sweep: the line never idles.
func TestNobodyWaitsForTheLastGoodPeer(t *testing.T) {
	w := draw(t, Config{MaxRate: 8 * blocks * unit}, 400, "a\nb")
	a := w.p.peers[w.ids["a"]]
	a.relay.served = 60
	w.p.touch(a)
	require.False(t, a.good)
	for range 60 {
		w.after(125 * time.Millisecond)
		given := false
		for _, name := range []string{"a", "b"} {
			if loans := w.loans(name); len(loans) > 0 {
				w.give(name, loans[0])
				given = true
			}
		}
		require.True(t, given, "somebody has something on offer")
	}
	require.Zero(t, w.p.good)
}
