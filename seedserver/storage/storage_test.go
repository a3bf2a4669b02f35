package storage_test

import (
	"bytes"
	"crypto/sha1"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/stretchr/testify/require"
)

// dir is a directory of published files.
type dir struct {
	path string
	root *os.Root
	pool *storage.Pool
}

func newDir(t testing.TB, poolLimit int) *dir {
	path := t.TempDir()
	root, err := os.OpenRoot(path)
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return &dir{path, root, storage.NewPool(poolLimit)}
}

// file writes a file and returns it as one to publish.
func (d *dir) file(t testing.TB, path string, data []byte) storage.File {
	name := filepath.Join(d.path, filepath.FromSlash(path))
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, data, 0o644))
	return d.published(t, path)
}

// published returns the file that lies at path with its present stamp.
func (d *dir) published(t testing.TB, path string) storage.File {
	f, err := os.Open(filepath.Join(d.path, filepath.FromSlash(path)))
	require.NoError(t, err)
	defer f.Close()
	stamp, err := storage.StampOf(f)
	require.NoError(t, err)
	return storage.File{Path: path, Length: stamp.Size, Stamp: stamp}
}

func (d *dir) open(t testing.TB, files ...storage.File) *storage.Content {
	c, err := storage.Open(d.pool, d.root, files)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// random returns n bytes that no other seed gives.
func random(seed uint64, n int) []byte {
	b := make([]byte, n)
	source := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	source.Read(b)
	return b
}

// readAll reads the whole content with reads of the given size.
func readAll(c *storage.Content, size int) ([]byte, error) {
	all := make([]byte, c.Length())
	for off := 0; off < len(all); off += size {
		if err := c.ReadAt(all[off:min(off+size, len(all))], int64(off)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// hashes returns the pieces field for data.
func hashes(data []byte, pieceLength int) (pieces []byte) {
	for piece := range slices.Chunk(data, pieceLength) {
		sum := sha1.Sum(piece)
		pieces = append(pieces, sum[:]...)
	}
	return pieces
}

func TestReadAtAcrossFiles(t *testing.T) {
	d := newDir(t, 0)
	files := []storage.File{
		d.file(t, "empty first", nil),
		d.file(t, "a", random(1, 1000)),
		d.file(t, "sub/dir/b", random(2, 24)),
		{Length: 1024, Pad: true},
		d.file(t, "sub/empty", nil),
		d.file(t, "latin1-\xe9", random(3, 77)),
		{Length: 0, Pad: true},
		d.file(t, "z", random(4, 3)),
		d.file(t, "empty last", nil),
	}
	want := slices.Concat(random(1, 1000), random(2, 24), make([]byte, 1024), random(3, 77), random(4, 3))
	c := d.open(t, files...)
	require.Equal(t, 9, c.NumFiles())
	require.Equal(t, files[2], c.File(2))
	require.EqualValues(t, len(want), c.Length())

	for _, size := range []int{1, 7, 1000, 1024, 5000} {
		got, err := readAll(c, size)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, got), "reads of %d bytes", size)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		begin := r.IntN(len(want) + 1)
		end := begin + r.IntN(len(want)-begin+1)
		got := bytes.Repeat([]byte{0xff}, end-begin)
		require.NoError(t, c.ReadAt(got, int64(begin)))
		require.True(t, bytes.Equal(want[begin:end], got), "[%d:%d]", begin, end)
	}
}

func TestReadAtRange(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, 100)), storage.File{Pad: true, Length: math.MaxInt64 - 100})
	for _, tt := range []struct {
		name string
		off  int64
		n    int
		want error
	}{
		{"whole file", 0, 100, nil},
		{"into the pad", 99, 2, nil},
		{"last byte", math.MaxInt64 - 1, 1, nil},
		{"nothing at the end", math.MaxInt64, 0, nil},
		{"beyond the end, sum overflows", math.MaxInt64 - 1, 2, storage.ErrRange},
		{"at the end", math.MaxInt64, 1, storage.ErrRange},
		{"negative", -1, 1, storage.ErrRange},
		{"most negative", math.MinInt64, 1, storage.ErrRange},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorIs(t, c.ReadAt(make([]byte, tt.n), tt.off), tt.want)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	d := newDir(t, 0)
	stamp := func(size int64) storage.Stamp { return storage.Stamp{Size: size} }
	pad := storage.File{Pad: true, Length: math.MaxInt64}
	for _, tt := range []struct {
		name  string
		files []storage.File
	}{
		{"empty path", []storage.File{{Path: ""}}},
		{"absolute path", []storage.File{{Path: "/etc/passwd"}}},
		{"parent", []storage.File{{Path: "../a"}}},
		{"parent inside", []storage.File{{Path: "a/../b"}}},
		{"dot", []storage.File{{Path: "./a"}}},
		{"empty element", []storage.File{{Path: "a//b"}}},
		{"trailing slash", []storage.File{{Path: "a/"}}},
		{"zero byte", []storage.File{{Path: "a\x00b"}}},
		{"negative length", []storage.File{{Path: "a", Length: -1, Stamp: stamp(-1)}}},
		{"negative pad", []storage.File{{Pad: true, Length: -1}}},
		{"stamp of another length", []storage.File{{Path: "a", Length: 1, Stamp: stamp(2)}}},
		{"sum overflows", []storage.File{pad, {Path: "a", Length: 1, Stamp: stamp(1)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := storage.Open(d.pool, d.root, tt.files)
			require.Error(t, err)
		})
	}
}

func TestClose(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, 100)), d.file(t, "b", random(2, 100)))
	_, err := readAll(c, 150)
	require.NoError(t, err)
	require.Equal(t, 2, d.pool.NumOpen())

	require.NoError(t, c.Close())
	require.Zero(t, d.pool.NumOpen(), "descriptors are given back")
	err = c.ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, storage.ErrClosed)
	require.ErrorIs(t, err, os.ErrClosed)
	require.NotErrorIs(t, err, storage.ErrChanged)
	require.NoError(t, c.Close(), "closing twice is harmless")
}

func TestStampOfRefusesDirectories(t *testing.T) {
	f, err := os.Open(t.TempDir())
	require.NoError(t, err)
	defer f.Close()
	_, err = storage.StampOf(f)
	require.Error(t, err)
}

func TestReadAtDoesNotAllocate(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, 1000)), d.file(t, "b", random(2, 1000)))
	p := make([]byte, 1500)
	require.NoError(t, c.ReadAt(p, 0))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if c.ReadAt(p, 100) != nil {
			panic(io.ErrUnexpectedEOF)
		}
	}))
}
