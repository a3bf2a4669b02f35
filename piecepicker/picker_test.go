package piecepicker

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestTorrentOfNothing(t *testing.T) {
	for _, cfg := range []Config{{}, {Length: -1, PieceLength: 5}, {Length: 5}, {Length: 5, PieceLength: -1}} {
		p := New(cfg, rand.New(rand.NewPCG(1, 1)))
		require.Zero(t, p.NumPieces())
		for range 3 {
			id := p.PeerJoined(start, PeerInfo{})
			p.PeerBitfield(start, id, []byte{255})
			p.PeerHas(start, id, 0)
			p.Requested(start, id, 0)
			p.BlockSent(start, id, 0, 0, 1)
			p.Audited(start, id, true)
		}
		require.Empty(t, p.Tick(start.Add(time.Minute), nil))
		require.NoError(t, p.check())
		p.Status(start)
		require.NoError(t, p.Restore(start, p.Snapshot(start)))
	}
}

func TestNumPieces(t *testing.T) {
	for _, tc := range []struct{ length, piece, want int64 }{{1, 1, 1}, {10, 4, 3}, {8, 4, 2}, {1, 1 << 20, 1}} {
		p := New(Config{Length: tc.length, PieceLength: tc.piece}, rand.New(rand.NewPCG(1, 1)))
		require.EqualValues(t, tc.want, p.NumPieces())
		require.Equal(t, tc.length-(tc.want-1)*tc.piece, p.size(uint32(tc.want-1)))
	}
}

func TestEventsOfStrangersAreIgnored(t *testing.T) {
	p := draw(t, Config{}, 4, "a").p
	for _, id := range []Peer{0, 2, 99, 1 << 31} {
		p.PeerBitfield(start, id, []byte{1})
		p.PeerHaveAll(start, id)
		p.PeerHaveNone(start, id)
		p.PeerHas(start, id, 0)
		p.PeerInterested(start, id, true)
		p.PeerUploadOnly(start, id, true)
		p.BlockSent(start, id, 0, 0, 1)
		p.Audited(start, id, true)
		p.PeerLeft(start, id)
		_, ok := p.Requested(start, id, 0)
		require.False(t, ok)
	}
	p.PeerHas(start, 1, 4)
	p.PeerHas(start, 1, 1<<31)
	require.NoError(t, p.check())
}

func TestPeersAreAtMost65535(t *testing.T) {
	p := New(Config{Length: 1, PieceLength: 1}, rand.New(rand.NewPCG(1, 1)))
	for k := range maxPeers {
		require.Equal(t, Peer(k+1), p.PeerJoined(start, PeerInfo{}))
	}
	require.Zero(t, p.PeerJoined(start, PeerInfo{}))
	p.PeerLeft(start, 700)
	require.Equal(t, Peer(700), p.PeerJoined(start, PeerInfo{}))
}

func TestDecisionsAboutTheDepartedAreForgotten(t *testing.T) {
	w := draw(t, Config{}, 4, "a all\nb")
	w.p.Audited(w.now, w.ids["a"], false)
	w.leave("a")
	require.Empty(t, w.show(w.next(), KindDrop))
}

func TestClockThatGoesBackStands(t *testing.T) {
	w := draw(t, Config{}, 4, "a\nb")
	w.after(5 * time.Second)
	before := w.p.now
	w.p.Tick(start.Add(-time.Hour), nil)
	require.Equal(t, before, w.p.now)
}

func TestNextIsWithinASecond(t *testing.T) {
	seed := uint64(11)
	rng := rand.New(rand.NewPCG(seed, 1))
	d := newDriver(Config{Length: 40 * unit, PieceLength: unit, MaxRate: 3 * unit}, seed, rng)
	for range 3000 {
		d.step()
		require.NoError(t, d.err)
		if next := d.p.Next(d.now); !next.IsZero() {
			require.False(t, next.Before(d.now))
			require.LessOrEqual(t, next.Sub(d.now), sweepEvery)
		}
	}
}

func TestNamesAndReasons(t *testing.T) {
	for c := Unsent; c <= AuditFailed; c++ {
		require.NotContains(t, c.String(), "unknown")
		require.NotEqual(t, c.String(), Reason{Code: c}.String(), "code %v has a sentence", c)
	}
	for _, tc := range []struct{ got, want string }{
		{KindDrop.String(), "drop"}, {Assist.String(), "assist"}, {Sleeping.String(), "sleeping"}, {Liar.String(), "liar"},
		{Generous.String(), "generous"}, {Mode(7).String(), "unknown(7)"}, {Kind(0).String(), "unknown(0)"},
		{Reason{}.String(), "unknown(0)"},
		{Decision{Kind: KindOffer, Peer: 3, Piece: 9, Class: Need, Reason: Reason{Code: Lost, Sent: 1}}.String(),
			"offer piece 9 to peer 3 (need): it was sent once, and no peer we believe has it is connected"},
		{Decision{Kind: KindWithdraw, Peer: 3, Piece: 9, Reason: Reason{Code: NotStarted, After: 20 * time.Second}}.String(),
			"withdraw piece 9 from peer 3: the peer did not ask for it within 20s"},
		{Decision{Kind: KindDrop, Peer: 3, Reason: Reason{Code: Unrevealed, Count: 50}}.String(),
			"drop peer 3: it asked 50 times in a row for what it was not offered"},
	} {
		require.Equal(t, tc.want, tc.got)
	}
}

func TestBitset(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 63, 64, 65, 200} {
		wire := make([]byte, (n+7)/8)
		for k := range wire {
			wire[k] = 0xff
		}
		b := fromWire(wire, n)
		require.Equal(t, n, b.count(), "spare bits are cut")
		require.Equal(t, n, fromWire(append(wire, 0xff, 0xff), n).count())
		require.Equal(t, b, fromWire(b.appendWire(nil, n), n))
		require.Zero(t, fromWire(nil, n).count())
		b.clear(uint32(n - 1))
		require.False(t, b.has(uint32(n-1)))
		i, ok := b.missing(0, n, func(uint32) bool { return true }, 9)
		require.True(t, ok)
		require.EqualValues(t, n-1, i)
	}
	require.True(t, fromWire([]byte{0x80}, 8).has(0), "the first piece is the highest bit (BEP 3)")
}

// TestBitsetMissing compares what is visited, in order, with a walk bit by bit.
func TestBitsetMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 3000).Draw(t, "n")
		var b bitset
		if rapid.Bool().Draw(t, "full") {
			b = newBitset(n)
			for i := range n {
				b.set(uint32(i))
			}
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, n-1), 0, 20).Draw(t, "lacks") {
				b.clear(uint32(i))
			}
		}
		start, tries := rapid.IntRange(0, n-1).Draw(t, "start"), rapid.IntRange(1, 40).Draw(t, "tries")
		var want, got []uint32
		for k := range (n + 63) / 64 * 64 {
			i := uint32((start>>6<<6 + k) % ((n + 63) / 64 * 64))
			if int(i) < n && !b.has(i) && len(want) < tries {
				want = append(want, i)
			}
		}
		b.missing(uint32(start), n, func(i uint32) bool { got = append(got, i); return false }, tries)
		if !slices.Equal(want, got) {
			t.Fatalf("missing visited %v, want %v", got, want)
		}
	})
}

func TestAddressesOfARecord(t *testing.T) {
	for _, tc := range []struct{ a, b string }{{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2"}, {"10.0.0.1", "10.0.0.1"}} {
		require.Equal(t, homeOf(netip.MustParseAddr(tc.a)), homeOf(netip.MustParseAddr(tc.b)))
	}
	require.NotEqual(t, homeOf(netip.MustParseAddr("10.0.0.1")), homeOf(netip.MustParseAddr("10.0.0.2")))
	require.Equal(t, homeOf(netip.MustParseAddr("fe80::1%eth0")), homeOf(netip.MustParseAddr("fe80::1")))
}
