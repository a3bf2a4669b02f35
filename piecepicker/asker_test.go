package piecepicker

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var askerStart = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// download is an Asker with its clock: pieces of two blocks unless said otherwise.
type download struct {
	*Asker
	t   *testing.T
	now time.Time
}

// newDownload draws what we have: "10" is the first of two pieces.
func newDownload(t *testing.T, have string, cfg AskerConfig) *download {
	if cfg.PieceLength == 0 {
		cfg.PieceLength = 2 * BlockSize
	}
	if cfg.Length == 0 {
		cfg.Length = int64(len(have)) * cfg.PieceLength
	}
	cfg.Have = sketch(have)
	d := &download{Asker: NewAsker(cfg, rand.New(rand.NewPCG(1, 2))), t: t, now: askerStart}
	t.Cleanup(d.check)
	return d
}

func sketch(have string) []byte {
	b := newBitset(len(have))
	for i, c := range have {
		if c != '0' {
			b.set(uint32(i))
		}
	}
	return b.appendWire(nil, len(have))
}

func (d *download) check() { require.NoError(d.t, d.checkInvariants()) }

// join adds a peer that has the pieces drawn.
func (d *download) join(have string) Peer {
	id := d.PeerJoined(d.now, netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(d.last + 1)}), 6881))
	d.PeerBitfield(id, sketch(have))
	d.check()
	return id
}

func (d *download) ask(id Peer, n int) []Block {
	blocks := d.Ask(d.now, id, n, nil)
	d.check()
	return blocks
}

func (d *download) send(id Peer, blocks ...Block) (last Receipt) {
	for _, b := range blocks {
		last = d.Received(d.now, id, b)
		d.check()
	}
	return last
}

func pieces(blocks []Block) (indexes []uint32) {
	for _, b := range blocks {
		indexes = append(indexes, b.Index)
	}
	return indexes
}

func TestAskFinishesPiecesBegun(t *testing.T) {
	d := newDownload(t, "0000", AskerConfig{})
	a, b := d.join("1111"), d.join("1111")
	first := d.ask(a, 1)
	second := d.ask(b, 3)
	require.Equal(t, first[0].Index, second[0].Index, "the other half of what was begun comes first")
	require.NotEqual(t, first[0].Begin, second[0].Begin)
	require.Equal(t, second[1].Index, second[2].Index)
	require.NotEqual(t, first[0].Index, second[1].Index)
}

// "Rarest first": the piece that the fewest peers have is begun first, when we have something to give (BEP 3, "Peers ...
// download pieces in random order").
func TestAskTakesTheRarestFirst(t *testing.T) {
	d := newDownload(t, "11110000", AskerConfig{})
	seed := d.join("11111111")
	d.join("11111100")
	d.join("11111001")
	d.join("00000101")
	require.Equal(t, []uint32{6, 6}, pieces(d.ask(seed, 2)), "only the seed has it")
	require.Equal(t, uint32(4), d.ask(seed, 8)[0].Index&^1, "two have 4 and 7")
}

func TestAskGivesOnlyWhatAPeerHas(t *testing.T) {
	d := newDownload(t, "1100", AskerConfig{})
	id := d.join("1101")
	require.True(t, d.Wants(id))
	require.Equal(t, []uint32{3, 3}, pieces(d.ask(id, 10)))
	useless := d.join("1100")
	require.False(t, d.Wants(useless))
	require.Empty(t, d.ask(useless, 10))
	d.PeerHas(useless, 2)
	require.True(t, d.Wants(useless))
	d.PeerLost(useless, 2)
	require.False(t, d.Wants(useless))
}

func TestLastBlockIsShort(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{PieceLength: 2 * BlockSize, Length: BlockSize + 5})
	id := d.join("1")
	require.Equal(t, []Block{{0, 0, BlockSize}, {0, BlockSize, 5}}, d.ask(id, 9))
}

func TestPieceIsFullThenVerified(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	id := d.join("1")
	blocks := d.ask(id, 2)
	require.Equal(t, Receipt{Fate: Useful}, d.send(id, blocks[0]))
	require.Equal(t, Receipt{Fate: Useful, Full: true}, d.send(id, blocks[1]))
	require.False(t, d.Done())
	require.Empty(t, d.Verified(0, nil))
	require.True(t, d.Done())
	require.False(t, d.Wants(id))
}

func TestWhatWasNotAskedIsNotTaken(t *testing.T) {
	d := newDownload(t, "00", AskerConfig{})
	id, other := d.join("11"), d.join("11")
	b := d.ask(id, 1)[0]
	require.Equal(t, Unasked, d.send(other, b).Fate)
	require.Equal(t, Unasked, d.send(id, Block{b.Index, b.Begin + 1, BlockSize}).Fate)
	require.Equal(t, Unasked, d.send(id, Block{9, 0, BlockSize}).Fate)
	require.Equal(t, Unasked, d.send(id, Block{b.Index, b.Begin, 1}).Fate)
	require.Equal(t, Useful, d.send(id, b).Fate)
	require.Equal(t, Unasked, d.send(id, b).Fate, "asked once, sent twice")
}

func TestEndgameAsksSeveralAndCancels(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	slow, fast := d.join("1"), d.join("1")
	blocks := d.ask(slow, 2)
	require.True(t, d.Endgame())
	require.Empty(t, d.ask(fast, 100), "who was asked may send it any moment")
	d.now = d.now.Add(endgameSilence)
	require.Equal(t, blocks, d.ask(fast, 100))
	require.Empty(t, d.ask(fast, 100), "no block twice of one peer")
	require.Equal(t, []Peer{slow}, d.send(fast, blocks[0]).Cancel)
	require.Equal(t, Duplicate, d.send(slow, blocks[0]).Fate, "the cancel was too late")
	require.Equal(t, []Peer{fast}, d.send(slow, blocks[1]).Cancel)
	require.EqualValues(t, BlockSize, d.Stats().Duplicate)
}

func TestRoomForPiecesBegun(t *testing.T) {
	d := newDownload(t, "00000", AskerConfig{MaxStarted: 6 * BlockSize})
	id := d.join("11111")
	blocks := d.ask(id, 100)
	require.Len(t, blocks, 6, "three pieces")
	d.send(id, blocks[:2]...)
	require.Empty(t, d.ask(id, 100), "it is not verified yet")
	d.Verified(blocks[0].Index, nil)
	require.Len(t, d.ask(id, 100), 2)
}

func TestNoRoomDoesNotWaitForTheSlow(t *testing.T) {
	d := newDownload(t, "00000", AskerConfig{MaxStarted: 4 * BlockSize})
	slow, fast := d.join("11111"), d.join("11111")
	owed := d.ask(slow, 4)
	d.now = d.now.Add(roomSilence)
	require.Equal(t, owed, d.ask(fast, 4), "what holds everybody up is asked of another")
}

func TestChokedPeersBlocksAreFree(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	a, b := d.join("1"), d.join("1")
	blocks := d.ask(a, 2)
	d.PeerChoked(a)
	require.Zero(t, d.Owes(a))
	require.Equal(t, blocks, d.ask(b, 2))
	require.Equal(t, Useful, d.send(a, blocks[0]).Fate, "it was on its way")
	require.Equal(t, Duplicate, d.send(b, blocks[0]).Fate)
	require.True(t, d.Rejected(b, blocks[1]))
	require.False(t, d.Rejected(b, blocks[1]))
	d.PeerLeft(a)
	require.Equal(t, blocks[1:], d.ask(b, 2))
}

// Snubbed is who "owes us blocks for a minute".
func TestSnubbedPeer(t *testing.T) {
	d := newDownload(t, "0000", AskerConfig{})
	stalled, good := d.join("1111"), d.join("1111")
	first := d.ask(stalled, 1)
	require.Equal(t, d.now.Add(firstBlock), d.Deadline(), "it never sent a block")
	d.send(stalled, first...)
	d.send(stalled, d.ask(stalled, 1)...)
	blocks := d.ask(stalled, 2)
	require.Equal(t, d.now.Add(time.Minute), d.Deadline())
	d.now = d.now.Add(time.Minute - 1)
	require.Empty(t, d.Advance(d.now))
	d.now = d.now.Add(1)
	require.Equal(t, []Peer{stalled}, d.Advance(d.now))
	require.True(t, d.Snubbed(stalled))
	require.Equal(t, blocks, d.ask(good, 2))
	require.Len(t, d.ask(stalled, 5), 1, "one block, to see whether it is back")
	require.Empty(t, d.ask(stalled, 5))
	require.Equal(t, Useful, d.send(stalled, blocks[1]).Fate, "late, but lacked")
	require.False(t, d.Snubbed(stalled))
	require.NotEmpty(t, d.ask(stalled, 5))
}

// A piece that is asked of one peer at a time does not wait for one that never sent anything.
func TestSuspectPieceLeavesWhoNeverSends(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	good, liar, silent, other := d.join("1"), d.join("1"), d.join("1"), d.join("1")
	d.send(good, d.ask(good, 1)...)
	d.send(liar, d.ask(liar, 1)...)
	require.Empty(t, d.Corrupt(0, nil))
	blocks := d.ask(silent, 2)
	require.Len(t, blocks, 2)
	d.now = d.now.Add(loneSilence - 1)
	require.Empty(t, d.ask(good, 2), "its time is not over")
	d.now = d.now.Add(1)
	require.Empty(t, d.ask(other, 2), "nobody knows that this one sends, either")
	require.Equal(t, blocks, d.ask(good, 2))
	require.Equal(t, Duplicate, d.send(silent, blocks[0]).Fate, "all of it has to come from one")
	d.now = d.now.Add(time.Minute)
	require.Empty(t, d.ask(liar, 2), "who sends is left in peace until it is snubbed")
	require.True(t, d.send(good, blocks...).Full)
}

func TestWhoSentAllOfABadPieceIsALiar(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	id := d.join("1")
	d.send(id, d.ask(id, 2)...)
	liars := d.Corrupt(0, nil)
	d.check()
	require.Equal(t, []Culprit{{id, netip.MustParseAddrPort("10.0.0.1:6881")}}, liars)
	require.Len(t, d.ask(id, 2), 2, "to be asked anew")
}

func TestLiarAmongSeveralIsFoundByBlocks(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	good, liar := d.join("1"), d.join("1")
	d.send(good, d.ask(good, 1)...)
	d.send(liar, d.ask(liar, 1)...)
	require.Empty(t, d.Corrupt(0, []Digest{{1}, {66}}))
	require.True(t, d.Suspect(0))
	d.PeerLeft(liar)
	blocks := d.ask(good, 2)
	require.Len(t, blocks, 2)
	third := d.join("1")
	require.Empty(t, d.ask(third, 2), "one peer at a time is asked for it now")
	require.True(t, d.send(good, blocks...).Full)
	require.Equal(t, []Culprit{{liar, netip.MustParseAddrPort("10.0.0.2:6881")}}, d.Verified(0, []Digest{{1}, {2}}))
	require.False(t, d.Suspect(0))
}

func TestFailedWriteBlamesNobody(t *testing.T) {
	d := newDownload(t, "0", AskerConfig{})
	id := d.join("1")
	d.send(id, d.ask(id, 2)...)
	d.Failed(0)
	require.False(t, d.Suspect(0))
	require.Len(t, d.ask(id, 2), 2)
}

func TestCopies(t *testing.T) {
	d := newDownload(t, "1000", AskerConfig{})
	require.Zero(t, d.Copies())
	d.join("1111")
	d.join("1100")
	require.Equal(t, 1.5, d.Copies())
}

func TestAskerOfNothing(t *testing.T) {
	a := NewAsker(AskerConfig{}, rand.New(rand.NewPCG(1, 2)))
	id := a.PeerJoined(askerStart, netip.AddrPort{})
	a.PeerBitfield(id, []byte{0xff})
	a.PeerHasAll(id)
	require.Empty(t, a.Ask(askerStart, id, 5, nil))
	require.True(t, a.Done())
}
