package peerstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// throughSnapshot returns what is left of s after a restart.
func throughSnapshot(t testing.TB, s *Store, now time.Time) *Store {
	var b bytes.Buffer
	require.NoError(t, s.Snapshot(&b))
	restored, err := Restore(modelConfig, &b, now)
	require.NoError(t, err)
	return restored
}

// filled returns a store with n peers of both families in 7 torrents.
func filled(n int) *Store {
	s := New(Config{Seed: [32]byte{6}})
	fill(s, n, 7, func(i int) bool { return i%3 == 0 })
	return s
}

func snapshot(t testing.TB, s *Store) []byte {
	var b bytes.Buffer
	require.NoError(t, s.Snapshot(&b))
	return b.Bytes()
}

// state is all of a store that a snapshot keeps, in no order.
func state(s *Store) map[any]any {
	all := map[any]any{}
	for i := range s.shards {
		for infohash, sw := range s.shards[i].swarms {
			all[infohash] = []any{sw.downloaded, sw.last, sw.seeds, sw.leeches, sw.paused}
			for _, p := range sw.v4.peers {
				all[[2]any{infohash, p}] = true
			}
			for _, p := range sw.v6.peers {
				all[[2]any{infohash, p}] = true
			}
		}
	}
	return all
}

func TestSnapshotAndRestore(t *testing.T) {
	for _, n := range []int{0, 1, 100, work + 5000} {
		s := filled(n)
		c := newClient(t, s, "203.0.113.1:1", 77)
		c.announce(tracker.EventStarted, 5)
		c.announce(tracker.EventCompleted, 0)
		restored, err := Restore(Config{}, bytes.NewReader(snapshot(t, s)), start)
		require.NoError(t, err)
		require.Equal(t, state(s), state(restored))
		require.Equal(t, s.Stats(), restored.Stats())
		checkInvariants(t, restored)

		// The client is recognized, also at another address.
		c.store, c.req.Addr = restored, netip.MustParseAddrPort("203.0.113.2:1")
		require.Equal(t, scrape(t, s), scrape(t, restored))
		c.announce(tracker.EventCompleted, 0)
		require.Equal(t, scrape(t, s), scrape(t, restored), "a download is not counted again")
	}
}

func TestRestoreLeavesOutWhatHasExpired(t *testing.T) {
	s := New(Config{TTL: time.Hour})
	old, young := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "192.0.2.2:2", 2)
	old.announce(tracker.EventStarted, 9)
	young.now = start.Add(time.Hour)
	young.announce(tracker.EventStarted, 9)
	b := snapshot(t, s)
	restored, err := Restore(Config{TTL: time.Hour}, bytes.NewReader(b), start.Add(90*time.Minute))
	require.NoError(t, err)
	require.Equal(t, Stats{Torrents: 1, Peers4: 1}, restored.Stats())
	restored, err = Restore(Config{TTL: time.Hour}, bytes.NewReader(b), start.Add(3*time.Hour))
	require.NoError(t, err)
	require.Zero(t, restored.Stats())
	restored, err = Restore(Config{TTL: time.Hour}, bytes.NewReader(b), start.Add(-3*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, restored.Stats().Peers4, "a clock that went back")
	require.Equal(t, 2, restored.Expire(start))
}

func TestRestoreKeepsToTheBounds(t *testing.T) {
	b := snapshot(t, filled(700))
	for _, cfg := range []Config{{MaxTorrents: 3}, {MaxPeers: 10}, {MaxTotal: 50}} {
		s, err := Restore(cfg, bytes.NewReader(b), start)
		require.NoError(t, err)
		checkInvariants(t, s)
		n := s.Stats()
		if cfg.MaxTorrents > 0 {
			require.Equal(t, 3, n.Torrents)
		}
		if cfg.MaxPeers > 0 {
			require.Equal(t, 70, n.Peers4+n.Peers6)
		}
		if cfg.MaxTotal > 0 {
			require.Equal(t, 50, n.Peers4+n.Peers6)
		}
	}
}

// A snapshot that was cut off or changed anywhere is told from a whole one.
func TestDamagedSnapshots(t *testing.T) {
	b := snapshot(t, filled(40))
	r := rand.New(rand.NewPCG(1, 1))
	for n := range len(b) {
		_, err := Restore(Config{}, bytes.NewReader(b[:n]), start)
		require.ErrorIs(t, err, ErrSnapshot, "cut off at %d", n)
		changed := bytes.Clone(b)
		changed[n] ^= 1 << r.IntN(8)
		_, err = Restore(Config{}, bytes.NewReader(changed), start)
		require.ErrorIs(t, err, ErrSnapshot, "changed at %d", n)
	}
	_, err := Restore(Config{}, bytes.NewReader(append(bytes.Clone(b), 0)), start)
	require.ErrorIs(t, err, ErrSnapshot)
	broken := errors.New("broken disk")
	_, err = Restore(Config{}, io.MultiReader(bytes.NewReader(b[:100]), iotest.ErrReader(broken)), start)
	require.ErrorIs(t, err, broken)
	require.NotErrorIs(t, err, ErrSnapshot)
}

func TestSnapshotFails(t *testing.T) {
	require.ErrorIs(t, filled(10).Snapshot(failing{}), fs.ErrPermission)
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fs.ErrPermission }

// A state file is made if missing, read again, and only its owner can read it.
func TestLoadAndSave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	s, err := Load(Config{Seed: [32]byte{6}}, path, start)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	if runtime.GOOS != "windows" {
		require.Equal(t, fs.FileMode(0o600), info.Mode())
	}
	fill(s, 100, 7, never)
	require.NoError(t, os.WriteFile(path+".new", []byte("left behind by a crash"), 0o600))
	require.NoError(t, s.Save(path))
	again, err := Load(Config{}, path, start)
	require.NoError(t, err)
	require.Equal(t, state(s), state(again))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// A damaged state file is put aside, with a warning, and a fresh one is made.
func TestLoadPutsADamagedFileAside(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	require.NoError(t, os.WriteFile(path, []byte("no snapshot"), 0o600))
	s, err := Load(Config{}, path, start)
	require.NotNil(t, s)
	var damaged *DamagedError
	require.ErrorAs(t, err, &damaged)
	require.ErrorIs(t, err, ErrSnapshot)
	kept, err := os.ReadFile(damaged.Aside)
	require.NoError(t, err)
	require.Equal(t, "no snapshot", string(kept))
	_, err = Load(Config{}, path, start)
	require.NoError(t, err)
}

func TestLoadFails(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(Config{}, filepath.Join(dir, "missing", "state"), start)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Load(Config{}, dir, start)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrSnapshot)
	_, err = os.Stat(dir)
	require.NoError(t, err, "a directory is not put aside")
}

// FuzzRestore: whatever a file with good checksums holds, there is no panic and
// the store is sound.
func FuzzRestore(f *testing.F) {
	body := snapshot(f, filled(60))[44:]
	n := binary.BigEndian.Uint32(body)
	f.Add(body[4 : 4+n])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, chunk []byte) {
		b := append([]byte(magic), bytes.Repeat([]byte{1}, 32)...)
		b = binary.BigEndian.AppendUint32(b, uint32(len(chunk)))
		b = append(b, chunk...)
		b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
		if len(chunk) > 0 {
			b = append(b, 0, 0, 0, 0)
			b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
		}
		s, err := Restore(Config{MaxPeers: 50, MaxTorrents: 3}, bytes.NewReader(b), start)
		if err != nil {
			require.ErrorIs(t, err, ErrSnapshot)
			return
		}
		checkInvariants(t, s)
		var res tracker.AnnounceResponse
		req := request(1, 7, false)
		s.Announce(start, &req, &res)
		s.Expire(start.Add(defaultTTL * 2))
		checkInvariants(t, s)
	})
}
