package ledger

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var published = time.Date(2026, 3, 1, 12, 0, 0, 7e6, time.UTC)

func open(t testing.TB, dir string) *Ledger {
	l, err := Open(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// reopen closes l and opens its directory again.
func reopen(t testing.TB, l *Ledger) *Ledger {
	require.NoError(t, l.Close())
	return open(t, filepath.Dir(l.path))
}

// version returns the version of a single file, different for each n.
func version(path string, n int) Version {
	return Version{
		Path: path,
		// The highest numbers do not fit a signed integer.
		Stamp:     Stamp{Dev: 1<<64 - 1 - uint64(n), Ino: 1<<63 + uint64(n), Size: int64(n), ModTime: -int64(n), ChangeTime: 1e18},
		InfoHash:  [20]byte{byte(n), byte(n >> 8), 1},
		Published: published.Add(time.Duration(n) * time.Second),
		Name:      path, PieceLength: 1 << 14 << (n % 4), Private: n%2 == 1,
	}
}

// unit returns the version of a directory, different for each n.
func unit(path string, n int) Version {
	v := version(path, n)
	v.Unit = true
	v.Stamp = Stamp{Size: 300}
	v.Members = []Member{
		{Path: path + "/a", Length: 100, Stamp: Stamp{Dev: 1, Ino: 2, Size: 100, ModTime: 4, ChangeTime: 5}},
		{Length: 100, Pad: true},
		{Path: path + "/b\xff", Length: 100, Stamp: Stamp{Dev: 1<<64 - 1, Ino: 1 << 63, Size: 100, ModTime: 7, ChangeTime: 8}},
	}
	return v
}

func versions(t testing.TB, l *Ledger) []Version {
	got, err := l.Versions(t.Context())
	require.NoError(t, err)
	return got
}

func files(t testing.TB, l *Ledger) []File {
	got, err := l.Files(t.Context())
	require.NoError(t, err)
	return got
}

func TestVersionsReadBack(t *testing.T) {
	l := open(t, t.TempDir())
	require.Empty(t, versions(t, l))
	want := []Version{version("a.iso", 1), unit("dir", 2), version("sub/latin1-\xe9", 3), unit("sub/other", 4)}
	require.NoError(t, l.AddVersions(t.Context(), want))
	for i, v := range want {
		require.NotZero(t, v.ID)
		require.EqualValues(t, i+1, v.FileID)
	}
	require.Equal(t, want, versions(t, l))
	l = reopen(t, l)
	require.Equal(t, want, versions(t, l))
	require.Equal(t, []File{{ID: 1, Path: "a.iso"}, {ID: 2, Path: "dir"}, {ID: 3, Path: "sub/latin1-\xe9"}, {ID: 4, Path: "sub/other"}}, files(t, l))
}

func TestAddVersions(t *testing.T) {
	replaced := version("", 9).Published
	for _, tt := range []struct {
		name  string
		add   []Version // one call each; FileID counts entries from 1
		files []File
		live  []string // paths
	}{
		{
			name:  "changed in place: the same entry, one live version",
			add:   []Version{version("a", 1), version("a", 2)},
			files: []File{{ID: 1, Path: "a"}},
			live:  []string{"a"},
		}, {
			name:  "renamed: the entry goes on under the new path",
			add:   []Version{version("a", 1), {FileID: 1, Path: "b", Published: replaced}},
			files: []File{{ID: 1, Path: "b"}},
			live:  []string{"b"},
		}, {
			name:  "renamed, then another file at the old path: another entry",
			add:   []Version{version("a", 1), {FileID: 1, Path: "b", Published: replaced}, version("a", 2)},
			files: []File{{ID: 1, Path: "b"}, {ID: 2, Path: "a"}},
			live:  []string{"b", "a"},
		}, {
			name:  "renamed over another: that one is replaced and retired",
			add:   []Version{version("a", 1), version("b", 2), {FileID: 1, Path: "b", Published: replaced}},
			files: []File{{ID: 1, Path: "b"}, {ID: 2, Path: "b", Replaced: replaced}},
			live:  []string{"b"},
		}, {
			name: "a replaced entry comes back under a new name",
			add: []Version{version("a", 1), version("b", 2), {FileID: 1, Path: "b", Published: replaced},
				{FileID: 2, Path: "c", Published: replaced}},
			files: []File{{ID: 1, Path: "b"}, {ID: 2, Path: "c"}},
			live:  []string{"b", "c"},
		}, {
			name:  "the entry is named and the path is the same",
			add:   []Version{version("a", 1), {FileID: 1, Path: "a", Published: replaced}},
			files: []File{{ID: 1, Path: "a"}},
			live:  []string{"a"},
		}, {
			name:  "two paths, one torrent",
			add:   []Version{version("x/a", 1), version("y/a", 1)},
			files: []File{{ID: 1, Path: "x/a"}, {ID: 2, Path: "y/a"}},
			live:  []string{"x/a", "y/a"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := open(t, t.TempDir())
			for _, v := range tt.add {
				_, err := l.AddVersion(t.Context(), v)
				require.NoError(t, err)
			}
			require.Equal(t, tt.files, files(t, l))
			var live []string
			for _, v := range versions(t, l) {
				live = append(live, v.Path)
			}
			require.Equal(t, tt.live, live)
		})
	}
}

// TestAddVersionsAllOrNone: one bad version among many, and nothing is recorded; so they are one transaction.
func TestAddVersionsAllOrNone(t *testing.T) {
	l := open(t, t.TempDir())
	batch := []Version{version("a", 1), version("b", 2), {FileID: 77, Path: "c"}}
	err := l.AddVersions(t.Context(), batch)
	require.ErrorContains(t, err, "no entry 77")
	require.ErrorContains(t, err, `"c"`)
	require.Zero(t, batch[0].ID)
	require.Empty(t, versions(t, l))
	require.Empty(t, files(t, l))
	require.NoError(t, l.AddVersions(t.Context(), batch[:2]))
	require.Len(t, versions(t, l), 2)
}

func TestRetire(t *testing.T) {
	l := open(t, t.TempDir())
	batch := []Version{version("a", 1), unit("b", 2), version("c", 3)}
	require.NoError(t, l.AddVersions(t.Context(), batch))
	require.NoError(t, l.Retire(t.Context(), published, batch[0], batch[1]))
	require.NoError(t, l.Retire(t.Context(), published.Add(time.Hour), batch[0]))
	require.Equal(t, batch[2:], versions(t, l))
	require.Len(t, files(t, l), 3, "entries stay")

	var retired int64
	require.NoError(t, l.db.QueryRow("SELECT retired FROM version WHERE id = ?", batch[0].ID).Scan(&retired))
	require.Equal(t, published.UnixMilli(), retired, "the first time counts")

	again, err := l.AddVersion(t.Context(), version("a", 4))
	require.NoError(t, err)
	require.Equal(t, batch[0].FileID, again.FileID, "the same path is the same entry")
}

func TestCheckpoint(t *testing.T) {
	l := open(t, t.TempDir())
	stamp := Stamp{Dev: 1<<64 - 1, Ino: 2, Size: 3, ModTime: 4, ChangeTime: 5}
	saved := Checkpoint{Path: "a", Stamp: stamp, PieceLength: 1 << 20, Hashes: make([]byte, 40)}
	require.NoError(t, l.SaveCheckpoint(t.Context(), Checkpoint{Path: "a", Stamp: stamp, PieceLength: 1 << 20}))
	require.NoError(t, l.SaveCheckpoint(t.Context(), saved))
	l = reopen(t, l)

	got, err := l.Checkpoint(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, saved, got)
	got, err = l.Checkpoint(t.Context(), "b")
	require.NoError(t, err)
	require.Zero(t, got)
	gone := func() bool {
		got, err := l.Checkpoint(t.Context(), "a")
		require.NoError(t, err)
		return got.Hashes == nil
	}
	_, err = l.AddVersion(t.Context(), version("a", 1))
	require.NoError(t, err)
	require.True(t, gone(), "published: no checkpoint is needed any more")
	require.NoError(t, l.SaveCheckpoint(t.Context(), saved))
	require.False(t, gone())
	require.NoError(t, l.RemoveCheckpoint(t.Context(), "a"))
	require.True(t, gone())
	require.NoError(t, l.RemoveCheckpoint(t.Context(), "a"))
}

func TestPickers(t *testing.T) {
	l := open(t, t.TempDir())
	a, b := [20]byte{1}, [20]byte{2}
	require.NoError(t, l.SavePickers(t.Context(), []Picker{{a, []byte("old")}, {b, []byte("b")}}))
	require.NoError(t, l.SavePickers(t.Context(), []Picker{{a, []byte("new")}, {b, nil}}))
	l = reopen(t, l)
	state, err := l.Picker(t.Context(), a)
	require.NoError(t, err)
	require.Equal(t, []byte("new"), state)
	all, err := l.Pickers(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Picker{{a, []byte("new")}}, all)

	state, err = l.Picker(t.Context(), b)
	require.NoError(t, err)
	require.Nil(t, state)
}

func TestTorrents(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	ih := [20]byte{0xab, 19: 0xcd}
	_, err := l.ReadTorrent(ih)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, l.RemoveTorrent(t.Context(), ih))

	require.NoError(t, l.WriteTorrent(t.Context(), Torrent{ih, []byte("old and longer")}))
	require.NoError(t, l.WriteTorrent(t.Context(), Torrent{ih, []byte("new")}))
	got, err := l.ReadTorrent(ih)
	require.NoError(t, err)
	require.Equal(t, "new", string(got))
	require.FileExists(t, filepath.Join(dir, "torrents", "ab000000000000000000000000000000000000cd.torrent"))

	t.Run("stays while a live version names it", func(t *testing.T) {
		v := version("x/a", 1)
		v.InfoHash = ih
		w := v
		w.Path = "y/a"
		batch := []Version{v, w}
		require.NoError(t, l.AddVersions(t.Context(), batch))
		require.NoError(t, l.Retire(t.Context(), published, batch[0]))
		require.NoError(t, l.RemoveTorrent(t.Context(), ih))
		_, err := l.ReadTorrent(ih)
		require.NoError(t, err)
		require.NoError(t, l.Retire(t.Context(), published, batch[1]))
		require.NoError(t, l.RemoveTorrent(t.Context(), ih))
		_, err = l.ReadTorrent(ih)
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
	t.Run("what was half written is removed at the next start", func(t *testing.T) {
		half := filepath.Join(dir, "torrents", torrentName(ih)+".3.tmp")
		require.NoError(t, os.WriteFile(half, []byte("ha"), 0o600))
		l := reopen(t, l)
		require.NoFileExists(t, half)
		require.NoError(t, l.Close())
		require.ErrorIs(t, l.WriteTorrent(t.Context(), Torrent{ih, []byte("x")}), fs.ErrClosed)
	})
	t.Run("failure", func(t *testing.T) {
		l := open(t, dir)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "torrents")))
		require.ErrorIs(t, l.WriteTorrent(t.Context(), Torrent{ih, []byte("x")}), fs.ErrNotExist)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		l := open(t, t.TempDir())
		require.ErrorIs(t, l.WriteTorrents(ctx, make([]Torrent, 100)), context.Canceled)
	})
}

func TestManyTorrents(t *testing.T) {
	l := open(t, t.TempDir())
	var batch []Torrent
	for i := range 300 {
		batch = append(batch, Torrent{[20]byte{byte(i), byte(i >> 8)}, []byte(fmt.Sprint(i))})
	}
	require.NoError(t, l.WriteTorrents(t.Context(), append(batch, batch...)))
	for i, want := range batch {
		got, err := l.ReadTorrent(want.InfoHash)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(i), string(got))
	}
	entries, err := os.ReadDir(filepath.Join(filepath.Dir(l.path), "torrents"))
	require.NoError(t, err)
	require.Len(t, entries, len(batch), "no temporary file is left")
}

// TestWriteTorrentsFails: what was begun is cleared away, and the error says what went wrong.
func TestWriteTorrentsFails(t *testing.T) {
	l := open(t, t.TempDir())
	torrents := make([]Torrent, 2*bulk)
	for i := range torrents {
		torrents[i].InfoHash[0] = byte(i)
	}
	dir := filepath.Join(filepath.Dir(l.path), torrentsName)
	obstacle := filepath.Join(dir, torrentName(torrents[2*bulk-1].InfoHash))
	require.NoError(t, os.MkdirAll(filepath.Join(obstacle, "x"), 0o700))
	for _, n := range []int{2 * bulk, bulk - 1} {
		require.ErrorContains(t, l.WriteTorrents(t.Context(), torrents[2*bulk-n:]), "rename")
		temps, err := filepath.Glob(filepath.Join(dir, "*"+tempSuffix))
		require.NoError(t, err)
		require.Empty(t, temps)
	}
}

// BenchmarkPublish5000 is what a directory of 5,000 small files costs: torrents, then versions.
func BenchmarkPublish5000(b *testing.B) {
	const n = 5000
	l := open(b, b.TempDir())
	torrents := make([]Torrent, n)
	batch := make([]Version, n)
	for i := range n {
		batch[i] = version(fmt.Sprint(i), i)
		torrents[i] = Torrent{batch[i].InfoHash, make([]byte, 300)}
	}
	b.Run("torrents", func(b *testing.B) {
		for round := byte(0); b.Loop(); round++ {
			for i := range torrents {
				torrents[i].InfoHash[19] = round // replacing files costs more than making them
			}
			if err := l.WriteTorrents(b.Context(), torrents); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("versions", func(b *testing.B) {
		for b.Loop() {
			if err := l.AddVersions(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAddVersion(b *testing.B) {
	l := open(b, b.TempDir())
	v := version("a", 1)
	for b.Loop() {
		if _, err := l.AddVersion(b.Context(), v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAddBytes(b *testing.B) {
	l := open(b, b.TempDir())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.AddBytes(published, 7, ClassPlain, 16<<10)
		}
	})
}
