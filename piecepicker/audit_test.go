package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// sentMuch lets the picker have sent enough to audit anybody.
func (w *world) sentMuch() *world {
	w.p.sent = 1 << 40
	return w
}

// asked returns what the peer was asked for last, and is waited for.
func (w *world) asked(name string) (Block, bool) {
	a := w.p.peers[w.ids[name]].audit
	return a.block, a.asked
}

func (w *world) unchokes(name string, unchoke bool) {
	w.p.PeerChoking(w.now, w.ids[name], !unchoke)
}

// answers makes the peer answer everything it is asked for in the time given, and returns what that was.
func (w *world) answers(name string, d time.Duration, right bool) (list []Block) {
	for end := w.now.Add(d); !w.now.After(end); w.after(time.Second) {
		if b, ok := w.asked(name); ok {
			list = append(list, b)
			w.p.Answered(w.now, w.ids[name], b, right)
		}
	}
	return list
}

func (w *world) wanted(name string) bool { return w.p.peers[w.ids[name]].audit.interested }

func TestThreeRightBlocksMakeAClaimCount(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s all\n a o........").sentMuch()
	require.Equal(t, "a:interest:claims s:interest:claims", w.show(w.after(time.Second), KindInterest, KindAsk))
	require.Zero(t, w.piece(0).Holders, "neither counts")
	w.unchokes("s", true)
	require.Equal(t, "s:ask:claims", w.show(w.next(), KindAsk), "the first window may be short")
	var pieces []uint32
	for range auditPieces {
		require.Equal(t, Claimant, w.peer("s").Trust)
		b, ok := w.asked("s")
		require.True(t, ok)
		require.Zero(t, b.Begin%unit)
		require.EqualValues(t, unit, b.Length)
		require.NotContains(t, pieces, b.Index)
		pieces = append(pieces, b.Index)
		w.p.Answered(w.now, w.ids["s"], b, true)
		w.after(auditPause + time.Second)
	}
	require.Equal(t, Proven, w.peer("s").Trust)
	require.Equal(t, 1, w.piece(0).Holders)
	require.False(t, w.wanted("s"), "its slot is worth more to others")

	t.Run("and it is asked again, before that is too old", func(t *testing.T) {
		blocks := w.answers("s", 3*time.Hour, true)
		require.InDelta(t, 5, len(blocks), 1)
		require.Equal(t, Proven, w.peer("s").Trust)
	})
	t.Run("until it falls silent", func(t *testing.T) {
		w.after(auditHolds)
		require.Equal(t, Claimant, w.peer("s").Trust)
		require.Zero(t, w.piece(0).Holders)
	})
}

func TestSilenceIsNoVerdict(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s all").sentMuch()
	w.after(time.Hour)
	require.True(t, w.wanted("s"), "choked, it waits")
	w.unchokes("s", true)
	asked := 0
	for range 3 * 60 {
		if b, ok := w.asked("s"); ok {
			asked++
			w.p.Unanswered(w.now, w.ids["s"], b)
		}
		w.after(time.Minute)
	}
	require.Equal(t, Claimant, w.peer("s").Trust)
	require.Zero(t, w.piece(0).Holders)
	require.InDelta(t, 7, asked, 2, "more and more rarely")
}

// A seed that chokes us just when it is asked, or says no, is there, and is not kept waiting for a minute.
func TestWhoRefusesIsAskedAgainSoon(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s all").sentMuch()
	w.after(time.Second)
	w.unchokes("s", true)
	b, _ := w.asked("s")
	w.unchokes("s", false)
	w.p.Refused(w.now, w.ids["s"], b)
	w.after(time.Second)
	w.unchokes("s", true)
	require.True(t, w.wanted("s"), "it keeps its interest for so long")
	require.Len(t, w.answers("s", auditRefused+3*auditPause, true), 3)
	require.Equal(t, Proven, w.peer("s").Trust)

	t.Run("but not again and again", func(t *testing.T) {
		w.join("r", "all")
		w.unchokes("r", true)
		asked := 0
		for range 10 * 60 {
			if b, ok := w.asked("r"); ok {
				asked++
				w.p.Refused(w.now, w.ids["r"], b)
			}
			w.after(time.Second)
		}
		require.InDelta(t, 5, asked, 1)
		require.Equal(t, Claimant, w.peer("r").Trust)
	})
}

// A hundred silent peers do not keep us from asking the one seed among them, though little was sent.
func TestASeedIsFoundAmongTheSilent(t *testing.T) {
	for seed := range uint64(20) {
		w := draw(t, Config{}, 9, "sent #########")
		w.p.rng = rand.New(rand.NewPCG(seed, 2))
		w.p.sent = 8 * auditShare * auditBlock
		silent := func(d time.Duration) {
			for range int(d / time.Second) {
				w.after(time.Second)
				for name, id := range w.ids {
					w.unchokes(name, true)
					b, ok := w.asked(name)
					switch {
					case ok && name == "s":
						w.p.Answered(w.now, id, b, true)
					case ok && w.now.Sub(start)%(30*time.Second) == 0:
						w.p.Unanswered(w.now, id, b)
					}
				}
				require.LessOrEqual(t, (w.p.audits.fetched+w.p.audits.reserved)*auditShare, w.p.sent)
			}
		}
		for k := range 100 {
			w.join(fmt.Sprintf("%d@10.%d.%d.%d", k, k%2, (k%2)*k, k+1), "all")
		}
		silent(10 * time.Second)
		w.join("s", "all")
		silent(10 * time.Second)
		require.Equal(t, Proven, w.peer("s").Trust)
	}
}

// A small block shows that a peer answers, and no more.
func TestAProbeIsNoAudit(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n m all\n s all")
	w.p.sent = 2 * auditShare * auditBlock
	w.after(time.Second)
	w.unchokes("m", true)
	b, ok := w.asked("m")
	require.True(t, ok)
	require.EqualValues(t, auditBlock, b.Length, "it may be an honest one")
	w.unchokes("s", true)
	b, ok = w.asked("s")
	require.True(t, ok)
	require.EqualValues(t, probeBlock, b.Length)
	w.p.Answered(w.now, w.ids["s"], b, true)
	w.p.sent = 1 << 40
	for range 3 {
		require.NotEqual(t, Proven, w.peer("s").Trust)
		w.after(auditPause)
		b, ok = w.asked("s")
		require.True(t, ok)
		require.EqualValues(t, auditBlock, b.Length)
		w.p.Answered(w.now, w.ids["s"], b, true)
	}
	require.Equal(t, Proven, w.peer("s").Trust)
	for _, b := range w.answers("s", auditAgain+auditJitter, true) {
		require.EqualValues(t, auditPerHour-3*auditBlock-probeBlock, b.Length, "what the hour leaves")
	}
	w.after(time.Minute)
	require.Equal(t, Proven, w.peer("s").Trust)
}

func TestWrongBytesBanForAWeek(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s@10.0.0.1 all\n a@10.0.0.2 #........\n b@10.0.0.3 #........").sentMuch()
	require.Equal(t, 2, w.piece(0).Holders)
	w.after(time.Second)
	w.unchokes("s", true)
	b, _ := w.asked("s")
	w.p.Answered(w.now, w.ids["s"], b, false)
	w.p.Answered(w.now, w.ids["s"], b, false)
	require.Equal(t, "s:drop:audit-failed", w.show(w.next(), KindDrop))
	require.Equal(t, Liar, w.peer("s").Trust)
	w.leave("s")
	w.join("s@10.0.0.1", "")
	w.join("t@10.0.0.1", "")
	require.Equal(t, "s:drop:audit-failed t:drop:audit-failed", w.show(w.next(), KindDrop), "all of its connections")

	t.Run("one place less for its network", func(t *testing.T) {
		w.join("c@10.0.0.4", "#........")
		require.Equal(t, 2, w.piece(0).Holders)
	})
	for _, tc := range []struct {
		after  time.Duration
		banned string
	}{{6 * 24 * time.Hour, "s:drop:audit-failed"}, {8 * 24 * time.Hour, ""}} {
		t.Run(fmt.Sprintf("%v later, after a restart", tc.after), func(t *testing.T) {
			again := draw(t, Config{}, 9, "")
			again.now = w.now.Add(tc.after)
			require.NoError(t, again.p.Restore(again.now, w.p.Snapshot(w.now)))
			again.join("s@10.0.0.1", "")
			require.Equal(t, tc.banned, again.show(again.next(), KindDrop))
		})
	}
}

func TestAllowedFastIsWeakEvidence(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s all").sentMuch()
	w.p.PeerAllows(w.now, w.ids["s"], 3)
	w.p.PeerAllows(w.now, w.ids["s"], 9)
	require.Empty(t, w.show(w.after(auditWait-time.Second), KindAsk), "it may unchoke us")
	blocks := w.answers("s", time.Hour, true)
	require.Len(t, blocks, 1)
	require.EqualValues(t, 3, blocks[0].Index)
	require.Equal(t, Claimant, w.peer("s").Trust)
	require.Zero(t, w.piece(3).Holders)
}

func TestWhatIsAskedFor(t *testing.T) {
	t.Run("what it just claimed, now and then", func(t *testing.T) {
		fresh := 0
		for seed := range uint64(200) {
			w := draw(t, Config{}, 60, "sent "+strings.Repeat("#", 60)).sentMuch()
			w.p.rng = rand.New(rand.NewPCG(seed, 1))
			w.join("a", "##################################################..........")
			w.has("a", 55)
			w.after(time.Second)
			w.unchokes("a", true)
			if b, ok := w.asked("a"); ok && b.Index == 55 {
				fresh++
			}
		}
		require.InDelta(t, 100, fresh, 30)
	})
	t.Run("what cannot be from us", func(t *testing.T) {
		w := draw(t, Config{}, 60, "sent #########################################################...\n s all").sentMuch()
		require.NotZero(t, w.p.Status(w.now).Needed)
		w.after(time.Second)
		w.unchokes("s", true)
		for _, b := range w.answers("s", time.Minute, true) {
			require.GreaterOrEqual(t, b.Index, uint32(57))
		}
		require.Equal(t, Proven, w.peer("s").Trust)
		require.True(t, w.p.otherOrigin)
	})
	t.Run("every block of a small torrent", func(t *testing.T) {
		w := draw(t, Config{}, 2, "sent ##\n s all").sentMuch()
		w.after(time.Second)
		w.unchokes("s", true)
		require.Len(t, w.answers("s", time.Minute, true), 2)
		require.Equal(t, Proven, w.peer("s").Trust)
	})
}

// "Audit traffic <= 1 % of what was sent and <= 64 KiB per peer and hour."
func TestAuditsCostAHundredthOfWhatWasSent(t *testing.T) {
	lines := "sent #########\n"
	for k := range 20 {
		lines += fmt.Sprintf("%c all\n", 'A'+k)
	}
	w := draw(t, Config{}, 9, lines)
	w.after(time.Minute)
	for name := range w.ids {
		require.False(t, w.wanted(name), "nothing was sent")
		w.unchokes(name, true)
	}
	w.p.sent = 5*auditShare*auditBlock + 1
	asked := uint32(0)
	for range 60 {
		w.after(time.Second)
		strangers := uint32(0)
		for name, id := range w.ids {
			if b, ok := w.asked(name); ok {
				if asked += b.Length; w.p.peers[id].audit.stranger() {
					strangers += b.Length
				}
				w.p.Answered(w.now, id, b, true)
			}
		}
		require.LessOrEqual(t, strangers, uint32(5*auditBlock/2+20*probeBlock), "half is kept for those who answer")
	}
	require.LessOrEqual(t, asked, uint32(5*auditBlock))
	require.Greater(t, asked, uint32(4*auditBlock))
	w.after(time.Minute)
	for name := range w.ids {
		_, ok := w.asked(name)
		require.False(t, ok)
		require.False(t, w.wanted(name))
	}
	w.p.sent = 1 << 40
	for name := range w.ids {
		var bytes uint32
		for _, b := range w.answers(name, time.Hour-time.Minute, true) {
			bytes += b.Length
		}
		require.LessOrEqual(t, bytes, uint32(auditPerHour))
	}
}

// An audit takes a slot, and those of leeches are for leeches.
func TestFewLeechesAreAskedAtATime(t *testing.T) {
	lines := "sent #########\n"
	for k := range 20 {
		lines += fmt.Sprintf("%c o........\n", 'A'+k)
	}
	w := draw(t, Config{}, 9, lines).sentMuch()
	seen := map[string]bool{}
	for range 60 {
		w.after(time.Minute)
		wanted := 0
		for name := range w.ids {
			if w.wanted(name) {
				wanted++
				seen[name] = true
			}
		}
		require.LessOrEqual(t, wanted, leechAudits)
	}
	require.Len(t, seen, 20, "each has its turn")
}

func TestImpatientClientsAreKept(t *testing.T) {
	for _, patience := range []time.Duration{time.Minute, 4 * time.Minute} {
		t.Run(patience.String(), func(t *testing.T) {
			w := draw(t, Config{}, 9, "sent #########").sentMuch()
			id := w.p.PeerJoined(w.now, PeerInfo{Addr: netip.MustParseAddr("10.0.0.9"), Patience: patience})
			w.ids["s"], w.names[id] = id, "s"
			w.p.PeerHaveAll(w.now, id)
			w.after(time.Second)
			w.unchokes("s", true)
			last, bytes := w.now, uint32(0)
			for range int(2 * time.Hour / time.Second) {
				w.after(time.Second)
				require.Less(t, w.now.Sub(last), patience)
				if b, ok := w.asked("s"); ok {
					last = w.now
					bytes += b.Length
					w.p.Answered(w.now, id, b, true)
				}
			}
			require.Equal(t, Proven, w.peer("s").Trust)
			require.Less(t, bytes, uint32(2*auditPerHour))
			require.Equal(t, patience == time.Minute, w.wanted("s"))
		})
	}
}

func TestAuditsSurviveAReconnect(t *testing.T) {
	w := draw(t, Config{}, 9, "sent #########\n s@10.0.0.1 all\n a").sentMuch()
	w.after(time.Second)
	w.unchokes("s", true)
	w.answers("s", time.Minute, true)
	require.Equal(t, Proven, w.peer("s").Trust)
	w.leave("s")
	w.join("s@10.0.0.1", "all")
	require.Equal(t, Proven, w.peer("s").Trust)
	require.Equal(t, 1, w.piece(0).Holders)
}

// Who claims what others got, and takes nothing it is offered, does not count, wherever it is.
func TestParrotsDoNotCount(t *testing.T) {
	for _, tc := range []struct {
		name  string
		claim bool // at once, what it is offered
	}{{"deaf to offers", false}, {"claiming offers", true}} {
		t.Run(tc.name, func(t *testing.T) {
			w := draw(t, Config{}, 40, "a\nb\nL")
			for range 90 {
				w.after(time.Second)
				if loans := w.loans("L"); tc.claim && len(loans) > 0 {
					w.has("L", loans[0])
				}
				for _, name := range []string{"a", "b"} {
					other := map[string]string{"a": "b", "b": "a"}[name]
					if loans := w.loans(name); len(loans) > 0 {
						w.give(name, loans[0])
						w.has(other, loans[0])
						w.has("L", loans[0])
					}
				}
			}
			q := w.p.peers[w.ids["L"]]
			require.NotEqual(t, all, q.weight)
			require.LessOrEqual(t, w.p.Status(w.now).Availability, 2.0)
		})
	}
}

// "No sequence of claims without answers changes A_v, the rate or the need set beyond the two-per-/24 rule."
func TestClaimsWithoutAnswersChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const lines = "sent ####....\n a ##......\n b ..##....\n"
		plain, fakes := draw(t, Config{}, 8, lines).sentMuch(), draw(t, Config{}, 8, lines).sentMuch()
		n := rapid.IntRange(1, 8).Draw(rt, "liars")
		complete := rapid.Bool().Draw(rt, "complete")
		for k := range n {
			name := fmt.Sprintf("L%d", k)
			fakes.join(fmt.Sprintf("%s@10.9.9.%d", name, k+1), map[bool]string{true: "all"}[complete])
			fakes.unchokes(name, rapid.Bool().Draw(rt, "unchokes"))
		}
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			name := fmt.Sprintf("L%d", rapid.IntRange(0, n-1).Draw(rt, "who"))
			switch rapid.IntRange(0, 6).Draw(rt, "does") {
			case 0:
				fakes.has(name, uint32(rapid.IntRange(0, 7).Draw(rt, "piece")))
			case 1:
				fakes.p.PeerBitfield(fakes.now, fakes.ids[name], []byte{rapid.Byte().Draw(rt, "bits")})
			case 2:
				fakes.unchokes(name, rapid.Bool().Draw(rt, "unchokes"))
			case 3:
				fakes.p.PeerAllows(fakes.now, fakes.ids[name], uint32(rapid.IntRange(0, 7).Draw(rt, "piece")))
			case 4:
				if b, ok := fakes.asked(name); ok {
					fakes.p.Unanswered(fakes.now, fakes.ids[name], b)
				}
			case 5:
				if b, ok := fakes.asked(name); ok {
					fakes.p.Refused(fakes.now, fakes.ids[name], b)
				}
			case 6:
				d := time.Duration(rapid.IntRange(0, 100).Draw(rt, "seconds")) * time.Second
				plain.p.shunAll()
				fakes.p.shunAll()
				plain.after(d)
				fakes.after(d)
			}
		}
		want, got := plain.p.Status(plain.now), fakes.p.Status(fakes.now)
		most := perGroup
		if complete {
			most = 0
		}
		for i := range uint32(8) {
			extra := fakes.piece(i).Holders - plain.piece(i).Holders
			if extra < 0 || extra > most {
				rt.Fatalf("piece %d: %d holders too many", i, extra)
			}
			if !plain.p.everSent.has(i) && fakes.piece(i).Needed != Unsent && fakes.piece(i).Offers == 0 {
				rt.Fatalf("piece %d is not needed, and was never sent", i)
			}
		}
		if got.Availability < want.Availability || got.Availability > want.Availability+float64(most) {
			rt.Fatalf("availability %v, without liars %v", got.Availability, want.Availability)
		}
		if complete && got.Rates != want.Rates {
			rt.Fatalf("rates %v, without liars %v", got.Rates, want.Rates)
		}
		ids := make([]Peer, 0, len(fakes.ids))
		for _, id := range fakes.ids {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			if s, _ := fakes.p.PeerStatus(fakes.now, id); s.Trust == Proven {
				rt.Fatalf("peer %d is believed", id)
			}
		}
	})
}
