package piecepicker

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lived is a picker with a past: pieces sent, peers that come and gone, with all kinds of records.
func lived(t testing.TB) *Picker {
	d := newDriver(Config{Length: 97*(48<<10) - 5, PieceLength: 48 << 10}, 3, rand.New(rand.NewPCG(3, 4)))
	for range 5000 {
		d.step()
		require.NoError(t, d.err)
	}
	d.now = d.now.Add(time.Second)
	d.p.at(d.now)
	return d.p
}

func TestWhatSurvivesARestart(t *testing.T) {
	old := lived(t)
	now := old.epoch.Add(old.now)
	snap := old.Snapshot(now)
	require.Equal(t, snap, old.Snapshot(now), "taking one changes nothing")

	p := New(old.cfg, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, p.Restore(now.Add(time.Minute), snap))
	require.NoError(t, p.check())
	require.Equal(t, old.everSent, p.everSent)
	require.Equal(t, old.otherOrigin, p.otherOrigin)
	require.NotEmpty(t, p.records)
	for h, rec := range old.knownHomes() {
		got := p.records[h]
		if got == nil {
			require.Greater(t, old.now-rec.left, recordKept-2*time.Minute)
			continue
		}
		require.Equal(t, []any{rec.trust, rec.banned, rec.liar, rec.relayed, rec.expired, rec.served},
			[]any{got.trust, got.banned, got.liar, got.relayed, got.expired, got.served})
		require.InDelta(t, rec.window, got.window, 1.0/256)
	}
	for i := range p.pieces {
		want := Unsent
		if p.everSent.has(uint32(i)) {
			want = Lost
		}
		require.Equal(t, want, p.pieces[i].why())
	}
	require.NoError(t, New(old.cfg, nil).Restore(now.Add(2*time.Hour), snap))
}

func TestRestoredRecordIsThePeers(t *testing.T) {
	w := draw(t, Config{}, 6, "a@10.0.0.7\nb@10.0.0.8\nc@2001:db8::7")
	w.has("b", w.giveAll("a", 1)...)
	w.p.Audited(w.now, w.ids["c"], false)
	p := New(w.p.cfg, rand.New(rand.NewPCG(1, 1)))
	require.NoError(t, p.Restore(w.now, w.p.Snapshot(w.now)))
	id := p.PeerJoined(w.now, PeerInfo{Addr: netip.MustParseAddr("::ffff:10.0.0.7")})
	s, _ := p.PeerStatus(w.now, id)
	require.Equal(t, Proven, s.Trust)
	require.Equal(t, 1, s.Relayed)
	id = p.PeerJoined(w.now, PeerInfo{Addr: netip.MustParseAddr("2001:db8::9")})
	s, _ = p.PeerStatus(w.now, id)
	require.Equal(t, Liar, s.Trust, "of the same /64")
}

// Who has many addresses does not end a ban by leaving something behind at each of them.
func TestBansOutliveOtherRecords(t *testing.T) {
	p := New(Config{Length: 100 << 14, PieceLength: 1 << 14}, rand.New(rand.NewPCG(1, 1)))
	banned := netip.MustParseAddr("192.0.2.1")
	id := p.PeerJoined(start, PeerInfo{Addr: banned})
	p.Audited(start, id, false)
	p.PeerLeft(start, id)
	for k := range 2 * recordsMost {
		id := p.PeerJoined(start.Add(time.Duration(k)*time.Millisecond), PeerInfo{Addr: netip.AddrFrom4([4]byte{10, 0, byte(k >> 8), byte(k)})})
		p.peers[id].relay.served = 1
		p.PeerLeft(start.Add(time.Duration(k)*time.Millisecond), id)
	}
	require.LessOrEqual(t, len(p.records), recordsMost)
	require.True(t, p.records[homeOf(banned)].banned)
}

func TestSnapshotIsSmall(t *testing.T) {
	p := New(Config{Length: 100_000 << 18, PieceLength: 1 << 18}, rand.New(rand.NewPCG(1, 1)))
	for k := range 3 * recordsMost {
		id := p.PeerJoined(start, PeerInfo{Addr: netip.AddrFrom4([4]byte{10, 0, byte(k >> 8), byte(k)})})
		p.Audited(start, id, false)
		p.PeerLeft(start, id)
	}
	require.LessOrEqual(t, len(p.records), recordsMost)
	require.LessOrEqual(t, len(p.Snapshot(start)), 100_000/8+160<<10)
}

func TestBadSnapshots(t *testing.T) {
	w := draw(t, Config{}, 6, "sent ##....\n a@10.0.0.7")
	w.giveAll("a", 1)
	good := w.p.Snapshot(w.now)
	sum := func(b []byte) []byte {
		return binary.BigEndian.AppendUint32(b[:len(b)-4:len(b)-4], crc32.ChecksumIEEE(b[:len(b)-4]))
	}
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return sum(b)
	}
	record := snapshotHead + 1 + 2
	for name, tc := range map[string]struct {
		b    []byte
		want string
	}{
		"empty":           {nil, "not a snapshot of this torrent"},
		"magic":           {change(0, 'x'), "not a snapshot of this torrent"},
		"version":         {change(4, 9), "unknown version"},
		"short":           {sum(good[:len(good)-1]), "bad number of records"},
		"long":            {sum(append(bytes.Clone(good), 0)), "bad number of records"},
		"checksum":        {append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), "bad checksum"},
		"pieces":          {change(9, 7), "of another torrent"},
		"piece length":    {change(17, 7), "of another torrent"},
		"number":          {change(record-1, 2), "bad number of records"},
		"trust":           {change(record+24, 9), "bad record"},
		"flags":           {change(record+24, 0x81), "bad record"},
		"window too wide": {change(record+25, 99), "bad record"},
		"window of none":  {change(record+25, 0), "bad record"},
		"address":         {change(record+0, 0x20), "bad record"},
	} {
		t.Run(name, func(t *testing.T) {
			before := w.p.Snapshot(w.now)
			err := w.p.Restore(w.now, tc.b)
			require.ErrorIs(t, err, ErrSnapshot)
			var typed *SnapshotError
			require.True(t, errors.As(err, &typed))
			require.Equal(t, tc.want, typed.Reason)
			require.Contains(t, err.Error(), tc.want)
			require.Equal(t, before, w.p.Snapshot(w.now), "nothing has changed")
		})
	}
}

// FuzzRestore: any bytes give a documented error or a picker that works, and take little memory.
func FuzzRestore(f *testing.F) {
	p := lived(f)
	cfg, now := p.cfg, p.epoch.Add(p.now)
	f.Add(p.Snapshot(now))
	f.Add(New(cfg, nil).Snapshot(now))
	f.Add([]byte(snapshotMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // or nothing but the checksum is ever tested
			b = binary.BigEndian.AppendUint32(b[:len(b)-4:len(b)-4], crc32.ChecksumIEEE(b[:len(b)-4]))
		}
		in := bytes.Clone(b)
		p := New(cfg, rand.New(rand.NewPCG(1, 1)))
		err := p.Restore(now, b)
		require.Equal(t, in, b)
		if err != nil {
			require.ErrorIs(t, err, ErrSnapshot)
			return
		}
		require.NoError(t, p.check())
		snap := p.Snapshot(now)
		again := New(cfg, rand.New(rand.NewPCG(1, 1)))
		require.NoError(t, again.Restore(now, snap))
		require.Equal(t, snap, again.Snapshot(now))
		id := p.PeerJoined(now, PeerInfo{Addr: netip.MustParseAddr("10.0.0.1")})
		p.PeerHaveNone(now, id)
		p.Tick(now, nil)
		require.NoError(t, p.check())
	})
}
