package ledger

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func addr(n int) netip.Addr {
	var ip [4]byte
	binary.BigEndian.PutUint32(ip[:], 10<<24+uint32(n))
	return netip.AddrFrom4(ip)
}

func peers(t testing.TB, l *Ledger, id int64) int64 {
	flush(t, l)
	var n int64
	for _, row := range rows(t, l.Reader, RowQuery{FileID: id}) {
		n += row.Counts.Peers
	}
	return n
}

func TestAddPeer(t *testing.T) {
	l := open(t, t.TempDir())
	fixKey(t, l)
	v6 := netip.MustParseAddr
	l.AddPeer(noon, 1, addr(1))
	l.AddPeer(noon, 1, addr(1))
	l.AddPeer(noon, 1, v6("::ffff:10.0.0.1"))
	require.EqualValues(t, 1, peers(t, l, 1), "one address")
	l.AddPeer(noon, 1, v6("2001:db8::1"))
	l.AddPeer(noon, 1, v6("2001:db8::2"))
	l.AddPeer(noon, 1, v6("2001:db8::3%eth0"))
	require.EqualValues(t, 2, peers(t, l, 1), "one network")
	l.AddPeer(noon, 1, v6("2001:db8:0:1::1"))
	require.EqualValues(t, 3, peers(t, l, 1), "another network")
	l.AddPeer(noon, 1, netip.Addr{})
	require.EqualValues(t, 3, peers(t, l, 1), "no address")
	l.AddPeer(noon, 2, addr(1))
	require.EqualValues(t, 1, peers(t, l, 2), "at another entry")

	tomorrow := noon.AddDate(0, 0, 1)
	l.AddPeer(tomorrow, 1, addr(1))
	require.EqualValues(t, 4, peers(t, l, 1), "on another day")
	l.AddPeer(noon, 1, addr(9))
	require.EqualValues(t, 4, peers(t, l, 1), "the clock was set back")
	l.AddPeer(tomorrow, 1, addr(1))
	require.EqualValues(t, 4, peers(t, l, 1))
}

// TestClockFarAhead: a clock that was a year ahead for a while does not end the counting of peers for a year, over a restart neither.
func TestClockFarAhead(t *testing.T) {
	l := open(t, t.TempDir())
	l.AddPeer(noon, 1, addr(1))
	l.AddPeer(noon.AddDate(1, 0, 0), 1, addr(2))
	l.AddPeer(noon, 1, addr(3))
	require.EqualValues(t, 3, peers(t, l, 1))
	l.AddPeer(noon.AddDate(1, 0, 0), 1, addr(4))
	l = reopen(t, l)
	l.AddPeer(noon, 1, addr(5))
	require.EqualValues(t, 5, peers(t, l, 1))
	l = reopen(t, l)
	l.AddPeer(noon, 1, addr(5))
	require.EqualValues(t, 5, peers(t, l, 1))
}

// TestPeersAfterRestart: who was counted today is not counted again, and the marks of other days are gone.
func TestPeersAfterRestart(t *testing.T) {
	l := open(t, t.TempDir())
	for i := range 200 {
		l.AddPeer(noon.AddDate(0, 0, -1), 1, addr(i))
		l.AddPeer(noon, 2, addr(i))
	}
	before := peers(t, l, 2)
	l = reopen(t, l)
	for i := range 200 {
		l.AddPeer(noon, 2, addr(i))
	}
	require.Equal(t, before, peers(t, l, 2))
	var n int
	require.NoError(t, l.db.QueryRow("SELECT count(*) FROM crowd").Scan(&n))
	require.Equal(t, 1, n)
}

// TestFailedFlush: what could not be written is written with the next flush, what came meanwhile included.
func TestFailedFlush(t *testing.T) {
	l := open(t, t.TempDir())
	_, err := l.db.Exec("ALTER TABLE crowd RENAME TO away")
	require.NoError(t, err)
	l.AddPeer(noon, 1, addr(1))
	l.AddBytes(noon, 1, ClassNeed, 5)
	require.Error(t, l.Flush(t.Context()))
	require.Zero(t, written(t, l))
	l.AddBytes(noon, 1, ClassNeed, 6)
	l.AddCompleted(noon, 2, 7)
	_, err = l.db.Exec("ALTER TABLE away RENAME TO crowd")
	require.NoError(t, err)
	l = reopen(t, l)
	l.AddPeer(noon, 1, addr(1))
	require.EqualValues(t, 1, peers(t, l, 1))
	require.EqualValues(t, 11, written(t, l))
}

// TestSize: exact for a few, and within some percent for many.
func TestSize(t *testing.T) {
	for n := range 256 {
		require.EqualValues(t, n, size(n))
	}
	cs := crowds{key: make([]byte, 32), file: map[int64]*crowd{}}
	var counted int64
	steps := map[int]bool{100: true, 1000: true, 10_000: true, 100_000: true, 200_000: true}
	for n := 1; n <= 200_000; n++ {
		counted += cs.saw(1, 7, cs.mark(1, 7, addr(n)))
		if steps[n] {
			require.InEpsilon(t, n, counted, 0.02, "%d addresses", n)
		}
	}
	require.Len(t, cs.file[7].appendTo(nil), setBytes)
}

// TestCrowdForms: a list and a bitmap hold the same marks, and are read back as they were.
func TestCrowdForms(t *testing.T) {
	for _, n := range []int{0, 1, maxList - 1, maxList, marks} {
		c := new(crowd)
		for mark := range n {
			require.True(t, c.add(uint16(mark*7919)))
		}
		require.Equal(t, n, c.n)
		for mark := range n {
			require.False(t, c.add(uint16(mark*7919)))
		}
		stored := c.appendTo(nil)
		require.LessOrEqual(t, len(stored), setBytes)
		back := parseCrowd(stored)
		require.False(t, back.dirty)
		require.Equal(t, n, back.n)
		require.Equal(t, stored, back.appendTo(nil))
	}
	require.Equal(t, 1, parseCrowd([]byte{1, 0, 1, 0, 9}).n, "what is no crowd does no harm")
}

// TestMarksTellNothing: of the addresses there are, one in 65,536 leaves a given mark; another key, day or entry, another mark.
func TestMarksTellNothing(t *testing.T) {
	cs := crowds{key: make([]byte, 32)}
	same := 0
	want := cs.mark(1, 1, addr(0))
	const many = 1 << 18
	for n := 1; n < many; n++ {
		if cs.mark(1, 1, addr(n)) == want {
			same++
		}
	}
	require.Positive(t, same)
	require.Less(t, same, 20)
	other := crowds{key: make([]byte, 32)}
	other.key[0] = 1
	require.NotEqual(t, want, other.mark(1, 1, addr(0)))
	require.NotEqual(t, want, cs.mark(2, 1, addr(0)))
	require.NotEqual(t, want, cs.mark(1, 2, addr(0)))

	key := func(dir string) []byte {
		l := open(t, dir)
		defer l.Close()
		require.Len(t, l.crowds.key, 32)
		return l.crowds.key
	}
	dir := t.TempDir()
	require.Equal(t, key(dir), key(dir))
	require.NotEqual(t, key(dir), key(t.TempDir()))
}

func BenchmarkAddPeer(b *testing.B) {
	l := open(b, b.TempDir())
	b.ReportAllocs()
	now := time.Now()
	for n := 0; b.Loop(); n++ {
		l.AddPeer(now, int64(n%100), addr(n%10_000))
	}
}
