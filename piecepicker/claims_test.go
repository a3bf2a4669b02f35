package piecepicker

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhoseClaimsCount(t *testing.T) {
	for _, tc := range []struct {
		name    string
		lines   string
		audit   string // who is audited
		ok      bool
		holders int // of piece 0
		trust   Trust
	}{
		{"a leech", "sent ####\n a #...", "", false, 1, Unproven},
		{"complete on arrival", "sent ####\n a all", "", false, 0, Claimant},
		{"a full bitfield", "sent ####\n a ####", "", false, 0, Claimant},
		{"complete, audited", "sent ####\n a all", "a", true, 1, Proven},
		{"complete, failed", "sent ####\n a all", "a", false, 0, Liar},
		{"a leech, failed", "sent ####\n a #...", "a", false, 0, Liar},
		{"one impossible piece", "sent #.##\n a ##..", "", false, 0, Unproven},
		{"three impossible pieces", "sent #...\n a ####....", "", false, 0, Claimant},
		{"three impossible pieces of five", "sent #....\n a ####.", "", false, 0, Liar},
		{"impossible, but audited", "sent #....\n a ####.", "a", true, 1, Proven},
	} {
		t.Run(tc.name, func(t *testing.T) {
			pieces := 4
			if tc.name[len(tc.name)-4:] == "five" || tc.name == "impossible, but audited" {
				pieces = 5
			}
			w := draw(t, Config{}, pieces, tc.lines)
			if tc.audit != "" {
				w.p.Audited(w.now, w.ids[tc.audit], tc.ok)
			}
			require.Equal(t, tc.holders, w.piece(0).Holders)
			require.Equal(t, tc.trust, w.peer("a").Trust)
			require.NoError(t, w.p.check())
		})
	}
}

func TestFailedAuditEndsTheConnectionAndIsRemembered(t *testing.T) {
	w := draw(t, Config{}, 4, "a all\nb")
	w.p.Audited(w.now, w.ids["a"], false)
	require.Equal(t, "a:drop:audit-failed", w.show(w.next(), KindDrop))
	w.leave("a")
	w.join("a", "")
	require.Equal(t, "a:drop:audit-failed", w.show(w.next(), KindDrop))
	require.Empty(t, w.loans("a"))
}

func TestAuditHoldsAWhile(t *testing.T) {
	w := draw(t, Config{}, 4, "sent ####\n a all\n b ....")
	w.p.Audited(w.now, w.ids["a"], true)
	w.after(44 * time.Minute)
	require.Equal(t, 1, w.piece(0).Holders)
	w.after(2 * time.Minute)
	require.Equal(t, 0, w.piece(0).Holders)
	require.Equal(t, Claimant, w.peer("a").Trust)
}

func TestThreeImpossibleHavesMakeALiar(t *testing.T) {
	w := draw(t, Config{}, 9, "sent ####.....\n a #........")
	w.has("a", 4)
	require.Equal(t, Unproven, w.peer("a").Trust)
	require.Zero(t, w.piece(4).Holders)
	require.Zero(t, w.piece(0).Holders, "from now on only what we give it counts")
	w.has("a", 5, 6)
	require.Equal(t, Liar, w.peer("a").Trust)
	for i := range uint32(9) {
		require.Zero(t, w.piece(i).Holders)
	}
	require.Equal(t, Unsent, w.piece(4).Needed)
}

func TestWhatALiarWasOfferedIsForOthers(t *testing.T) {
	w := draw(t, Config{}, 9, "L\na")
	w.next()
	require.NotEmpty(t, w.loans("L"))
	for i := range uint32(9) {
		if p := w.piece(i); p.Offers == 0 && w.peer("L").Trust != Liar {
			w.has("L", i)
		}
	}
	require.Equal(t, Liar, w.peer("L").Trust)
	require.Empty(t, w.loans("L"))
}

func TestClaimOfWhatIsOnItsWayIsNoLie(t *testing.T) {
	w := draw(t, Config{}, 2, "a\nb")
	w.next()
	i := w.loans("a")[0]
	w.has("b", i)
	require.Equal(t, Unproven, w.peer("b").Trust)
	require.Less(t, w.p.Status(w.now).Availability, 1.0, "no copy can be out before one was sent")
}

// TestUntriedAreBelievedBesideOthers: who has not taken a piece is believed when four who have are, and no longer when they leave.
func TestUntriedAreBelievedBesideOthers(t *testing.T) {
	w := draw(t, Config{}, 9, `sent #########
		a #........
		b #........
		c #........
		x ooooo....
		y ooooo....`)
	w.p.shunAll()
	w.after(time.Second)
	require.Equal(t, 3, w.piece(0).Holders)
	require.Equal(t, 0, w.piece(1).Holders)
	w.join("d", "#........")
	w.p.shunAll()
	w.after(2 * time.Second)
	require.Equal(t, 5, w.piece(0).Holders)
	require.Equal(t, 1, w.piece(1).Holders)
	w.leave("a")
	w.p.shunAll()
	w.after(2 * time.Second)
	require.Equal(t, 3, w.piece(0).Holders)
	require.Equal(t, Lost, w.piece(1).Needed)
	require.NoError(t, w.p.check())
}

func TestSecondOriginMakesTheImpossiblePossible(t *testing.T) {
	w := draw(t, Config{}, 9, "s all\na ####.....\nb ")
	require.Equal(t, Liar, w.peer("a").Trust)
	w.p.Audited(w.now, w.ids["s"], true)
	require.Equal(t, Unproven, w.peer("a").Trust)
	require.Equal(t, 2, w.piece(0).Holders)
	require.NoError(t, w.p.check())
}

// TestAuditDoesNotSpareWhatNeverLeftUs: who shows that it has a file may give it to nobody. So all of it leaves us once, at full rate,
// until a leech that takes pieces of us is seen to get one that never did.
func TestAuditDoesNotSpareWhatNeverLeftUs(t *testing.T) {
	w := draw(t, Config{MaxRate: 1 << 20}, 40, "s all\nu all\na\nb\nc\nL ...oo")
	for _, name := range []string{"s", "u"} {
		w.p.Audited(w.now, w.ids[name], true)
	}
	require.Equal(t, 40, w.p.Status(w.now).Needed)
	require.Less(t, w.p.Status(w.now).Availability, 1.0)
	w.has("b", 31)
	w.has("L", 33)
	require.False(t, w.p.otherServes, "they take nothing, and may say what they like")
	w.giveAll("a", 1)
	var foreign []uint32
	for i := range uint32(40) {
		if w.piece(i).Offers == 0 && !w.p.everSent.has(i) && len(foreign) < foreignLeast {
			foreign = append(foreign, i)
		}
	}
	w.has("a", foreign[1:]...)
	require.False(t, w.p.otherServes)
	w.has("a", foreign[0])
	require.True(t, w.p.otherServes)
	require.Zero(t, w.p.Status(w.now).Needed)
	require.NoError(t, w.p.check())

	w = draw(t, Config{MaxRate: 1 << 20}, 40, "s all\nu all\na\nb")
	for _, name := range []string{"s", "u"} {
		w.p.Audited(w.now, w.ids[name], true)
	}
	for range 400 {
		w.giveAll("a", 1)
		w.giveAll("b", 1)
		w.after(100 * time.Millisecond)
	}
	require.Zero(t, w.p.unsentLeft, "two-faced seeds keep nothing from leeches")
}

func TestTwoUnprovenOfANetworkAreBelieved(t *testing.T) {
	w := draw(t, Config{}, 9, `sent #########
		a@10.2.3.1 #........
		b@10.2.3.2 #........
		c@10.2.3.3 #........
		d@10.2.4.1 #........
		e@2001:db8:1:1::1 #........
		f@2001:db8:1:2::1 #........
		g@2001:db8:1:3::1 #........`)
	require.Equal(t, 5, w.piece(0).Holders)
	w.leave("a")
	w.p.shunAll()
	w.after(2 * time.Second)
	require.Equal(t, 5, w.piece(0).Holders, "c has a's place")

	t.Run("what we gave counts without", func(t *testing.T) {
		w := draw(t, Config{}, 4, "a@10.2.3.1\nb@10.2.3.2\nc@10.2.3.3")
		for _, name := range []string{"a", "b", "c"} {
			i := w.giveAll(name, 1)[0]
			require.Equal(t, 1, w.piece(i).Holders)
		}
		require.NoError(t, w.p.check())
	})
}

// "No claim (bitfield, HAVE) of any number of peers that fail or ignore audits changes A_v, the rate or the need set."
func TestFakeSeedsChangeNothing(t *testing.T) {
	lines := "sent ####....\n a ##......\n b ..##....\n"
	plain := draw(t, Config{}, 8, lines)
	for k := range 50 {
		lines += fmt.Sprintf("%c@10.9.%d.1 all\n", 'A'+k, k)
	}
	fakes := draw(t, Config{}, 8, lines)
	for k := range 25 {
		fakes.p.Audited(fakes.now, fakes.ids[string(rune('A'+k))], false)
	}
	for _, w := range []*world{plain, fakes} {
		w.p.shunAll()
	}
	want, got := plain.p.Status(plain.now), fakes.p.Status(fakes.now)
	require.Equal(t, want.Availability, got.Availability)
	require.Equal(t, want.Needed, got.Needed)
	require.Equal(t, want.Rates, got.Rates)
	require.Equal(t, want.Believed, got.Believed)
	for i := range uint32(8) {
		require.Equal(t, plain.piece(i), fakes.piece(i))
	}
}
