package metainfo_test

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// disk is a directory in memory that counts what Build does to it.
type disk struct {
	plain        bool // readers are no io.ReaderAt
	read         atomic.Int64
	opened, open atomic.Int64
}

// file returns an Input of the content, with its length.
func (d *disk) file(path string, content []byte) metainfo.Input {
	f := metainfo.Input{Length: int64(len(content))}
	if path != "" {
		f.Path = strings.Split(path, "/")
	}
	f.Open = func() (io.ReadCloser, error) {
		d.opened.Add(1)
		d.open.Add(1)
		h := handle{d, bytes.NewReader(content)}
		if d.plain {
			return h, nil
		}
		return randomHandle{h}, nil
	}
	return f
}

// handle is an open file of a disk.
type handle struct {
	disk *disk
	r    *bytes.Reader
}

func (h handle) Read(p []byte) (int, error) {
	n, err := h.r.Read(p)
	h.disk.read.Add(int64(n))
	return n, err
}

func (h handle) Close() error {
	h.disk.open.Add(-1)
	return nil
}

// randomHandle is a handle that many can read.
type randomHandle struct{ handle }

func (h randomHandle) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.r.ReadAt(p, off)
	h.disk.read.Add(int64(n))
	return n, err
}

// naivePieces hashes the content the short way.
func naivePieces(content []byte, pieceLength int) (pieces []byte) {
	for len(content) > 0 {
		n := min(pieceLength, len(content))
		sum := sha1.Sum(content[:n])
		pieces = append(pieces, sum[:]...)
		content = content[n:]
	}
	return pieces
}

// TestBuild: any tree of files, piece length, number of workers, kind of
// reader and place to resume from gives the hashes of the joined content, and
// every byte is read once.
func TestBuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := &disk{plain: rapid.Bool().Draw(t, "plain")}
		pieceLength := rapid.SampledFrom([]int{1, 7, 100, 1000, 16384}).Draw(t, "piece length")
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 1, 6, 7, 8, 99, 100, 101, 250, 1000}), 1, 12).Draw(t, "sizes")
		var content []byte
		cfg := metainfo.BuildConfig{
			Name: "d", Multi: true, PieceLength: int64(pieceLength), Workers: rapid.IntRange(0, 5).Draw(t, "workers"),
		}
		for i, size := range sizes {
			b := contentBytes(fmt.Sprint(i), int64(size))
			content = append(content, b...)
			cfg.Files = append(cfg.Files, d.file(fmt.Sprintf("%03d", i), b))
		}
		if len(content) == 0 {
			t.Skip("no content")
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(cfg.Files), func(i, j int) { cfg.Files[i], cfg.Files[j] = cfg.Files[j], cfg.Files[i] })
		want := naivePieces(content, pieceLength)
		done := rapid.IntRange(0, len(want)/sha1.Size).Draw(t, "done")
		cfg.Done = want[:done*sha1.Size]

		raw, err := metainfo.Build(context.Background(), cfg)
		require.NoError(t, err)
		info, err := metainfo.ParseInfo(raw)
		require.NoError(t, err)
		require.Equal(t, want, info.Pieces)
		require.Zero(t, d.open.Load(), "files left open")
		if left := int64(len(content) - done*pieceLength); !d.plain {
			require.Equal(t, max(left, 0), d.read.Load(), "bytes read")
		} else {
			require.LessOrEqual(t, d.read.Load(), int64(len(content)))
		}
		for i, f := range info.Files {
			require.Equal(t, []string{fmt.Sprintf("%03d", i)}, f.Path)
			require.Equal(t, int64(sizes[i]), f.Length)
		}
	})
}

func TestBuildSingleFile(t *testing.T) {
	d := &disk{}
	raw, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
		Name: "x", Private: true, Source: "S", Files: []metainfo.Input{d.file("", []byte("hello"))},
	})
	require.NoError(t, err)
	sum := sha1.Sum([]byte("hello"))
	require.Equal(t, "d6:lengthi5e4:name1:x12:piece lengthi16384e6:pieces20:"+string(sum[:])+"7:privatei1e6:source1:Se", string(raw))
	require.Equal(t, int64(1), d.opened.Load())
}

// TestBuildSizeChanged: a file that is not as long as announced is named.
func TestBuildSizeChanged(t *testing.T) {
	content := make([]byte, 100_000)
	for _, plain := range []bool{false, true} {
		for _, size := range []int64{0, 1, 40_000, 99_999, 100_001, 200_000} {
			t.Run(fmt.Sprintf("plain=%v/length=%d", plain, size), func(t *testing.T) {
				d := &disk{plain: plain}
				f := d.file("sub/b", content)
				f.Length = size
				_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
					Name: "d", Multi: true, PieceLength: 16384,
					Files: []metainfo.Input{d.file("a", content), f, d.file("z", content)},
				})
				var sizeError *metainfo.SizeError
				require.ErrorAs(t, err, &sizeError)
				require.ErrorIs(t, err, metainfo.ErrSizeChanged)
				require.Equal(t, "d/sub/b", sizeError.Path)
				require.Equal(t, size, sizeError.Want)
				require.Equal(t, size < 100_000, sizeError.Longer)
				require.Zero(t, d.open.Load(), "files left open")
			})
		}
	}
}

// brokenReader fails in one of the ways a file can.
type brokenReader struct {
	reading, closing error
	io.Reader
}

func (r brokenReader) ReadAt(p []byte, _ int64) (int, error) {
	if r.reading != nil {
		return 0, r.reading
	}
	return r.Read(p)
}

func (r brokenReader) Close() error { return r.closing }

func TestBuildReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	tests := map[string]func() (io.ReadCloser, error){
		"opening": func() (io.ReadCloser, error) { return nil, broken },
		"reading": func() (io.ReadCloser, error) { return brokenReader{reading: broken}, nil },
		"closing": func() (io.ReadCloser, error) {
			return brokenReader{closing: broken, Reader: strings.NewReader("a")}, nil
		},
	}
	for name, open := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{Name: "x", Files: []metainfo.Input{{Length: 1, Open: open}}})
			require.ErrorIs(t, err, broken)
			require.ErrorContains(t, err, name+" x")
		})
	}
}

func TestBuildInvalid(t *testing.T) {
	d := &disk{}
	one := d.file("", []byte("a"))
	with := func(path ...string) metainfo.Input {
		f := one
		f.Path = path
		return f
	}
	long := func(length int64) metainfo.Input {
		return metainfo.Input{Path: []string{"l"}, Length: length, Open: one.Open}
	}
	tests := []struct {
		name string
		cfg  metainfo.BuildConfig
	}{
		{"no name", metainfo.BuildConfig{Files: []metainfo.Input{one}}},
		{"name with a slash", metainfo.BuildConfig{Name: "a/b", Files: []metainfo.Input{one}}},
		{"name upwards", metainfo.BuildConfig{Name: "..", Files: []metainfo.Input{one}}},
		{"no file", metainfo.BuildConfig{Name: "x"}},
		{"no files", metainfo.BuildConfig{Name: "x", Multi: true}},
		{"two files", metainfo.BuildConfig{Name: "x", Files: []metainfo.Input{one, one}}},
		{"single file with a path", metainfo.BuildConfig{Name: "x", Files: []metainfo.Input{with("a")}}},
		{"no path", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{one}}},
		{"path upwards", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{with("a", "..")}}},
		{"path with NUL", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{with("a\x00")}}},
		{"path twice", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{with("a"), with("a")}}},
		{"file and directory", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{with("a"), with("a-b"), with("a", "b")}}},
		{"negative length", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{long(-1)}}},
		{"sum out of 64 bits", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{with("a"), long(1<<63 - 1)}}},
		{"no bytes", metainfo.BuildConfig{Name: "x", Multi: true, Files: []metainfo.Input{long(0)}}},
		{"no Open", metainfo.BuildConfig{Name: "x", Files: []metainfo.Input{{Length: 1}}}},
		{"negative piece length", metainfo.BuildConfig{Name: "x", PieceLength: -1, Files: []metainfo.Input{one}}},
		{"piece length too large", metainfo.BuildConfig{Name: "x", PieceLength: 1 << 30, Files: []metainfo.Input{one}}},
		{"too many pieces", metainfo.BuildConfig{Name: "x", Multi: true, PieceLength: 1, Files: []metainfo.Input{long(1 << 22)}}},
		{"half a hash done", metainfo.BuildConfig{Name: "x", Done: make([]byte, 10), Files: []metainfo.Input{one}}},
		{"too much done", metainfo.BuildConfig{Name: "x", Done: make([]byte, 40), Files: []metainfo.Input{one}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := metainfo.Build(t.Context(), tt.cfg)
			require.ErrorIs(t, err, metainfo.ErrInvalid)
			require.Zero(t, d.opened.Load())
		})
	}
}

// TestBuildReports hashes 400 pieces of 1 KiB at 10 pieces a second, in fake
// time: 20 calls of Progress a second are the most, and a Checkpoint every 5 s.
func TestBuildReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := contentBytes("reports", 400<<10)
		want := naivePieces(content, 1<<10)
		var progress []int64
		var checkpoints [][]byte
		var waited int64
		started := time.Now()
		_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
			Name: "x", PieceLength: 1 << 10, Workers: 1, Files: []metainfo.Input{(&disk{}).file("", content)},
			Done: want[:100*sha1.Size],
			Wait: func(_ context.Context, n int) error {
				waited += int64(n)
				time.Sleep(100 * time.Millisecond)
				return nil
			},
			Progress: func(done, total int64) {
				require.Equal(t, int64(len(content)), total)
				progress = append(progress, done)
			},
			Checkpoint: func(leading []byte) { checkpoints = append(checkpoints, leading) },
		})
		require.NoError(t, err)
		require.Equal(t, 30*time.Second, time.Since(started))
		require.Equal(t, int64(300<<10), waited)
		require.Equal(t, int64(100<<10), progress[0])
		require.Equal(t, int64(len(content)), progress[len(progress)-1])
		require.IsIncreasing(t, progress)
		require.InDelta(t, 300, len(progress), 2)
		require.GreaterOrEqual(t, len(checkpoints), 5)
		for i, leading := range checkpoints {
			require.InDelta(t, 100+50*(i+1), len(leading)/sha1.Size, 1)
			require.True(t, bytes.HasPrefix(want, leading))
		}
	})
}

// TestBuildCancel: a cancelled Build ends in no time, says why, leaves no file
// open and no goroutine behind, and hands out what it has.
func TestBuildCancel(t *testing.T) {
	for _, plain := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			content := contentBytes("cancel", 100<<10)
			d := &disk{plain: plain}
			ctx, cancel := context.WithCancelCause(t.Context())
			stopping := errors.New("stopping")
			time.AfterFunc(10*time.Second, func() { cancel(stopping) })
			started := time.Now()
			var leading []byte
			cfg := metainfo.BuildConfig{
				Name: "x", PieceLength: 1 << 10, Workers: 3, Files: []metainfo.Input{d.file("", content)},
				Wait: func(ctx context.Context, _ int) error {
					select {
					case <-time.After(time.Second):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				},
				Checkpoint: func(b []byte) { leading = b },
			}
			_, err := metainfo.Build(ctx, cfg)
			require.ErrorIs(t, err, stopping)
			require.Equal(t, 10*time.Second, time.Since(started))
			require.Zero(t, d.open.Load())
			require.GreaterOrEqual(t, len(leading)/sha1.Size, 24)

			cfg.Done, cfg.Wait, cfg.Checkpoint = leading, nil, nil
			raw, err := metainfo.Build(t.Context(), cfg)
			require.NoError(t, err)
			info, err := metainfo.ParseInfo(raw)
			require.NoError(t, err)
			require.Equal(t, naivePieces(content, 1<<10), info.Pieces)
		})
	}
}

// TestBuildWaitError: an error of Wait ends Build, also when other workers wait
// for their turn at a plain reader.
func TestBuildWaitError(t *testing.T) {
	enough := errors.New("enough")
	var calls atomic.Int64
	_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
		Name: "x", PieceLength: 1, Workers: 4, Files: []metainfo.Input{(&disk{plain: true}).file("", make([]byte, 1000))},
		Wait: func(context.Context, int) error {
			if calls.Add(1) == 100 {
				return enough
			}
			return nil
		},
	})
	require.ErrorIs(t, err, enough)
}

// TestBuildAround: every worker runs inside Around, and the reading with it.
func TestBuildAround(t *testing.T) {
	var inside, most atomic.Int64
	_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
		Name: "x", PieceLength: 1, Workers: 3, Files: []metainfo.Input{(&disk{}).file("", make([]byte, 100))},
		Around: func(work func()) {
			most.Store(max(most.Load(), inside.Add(1)))
			work()
			inside.Add(-1)
		},
		Wait: func(context.Context, int) error {
			if inside.Load() == 0 {
				return errors.New("read outside")
			}
			return nil
		},
	})
	require.NoError(t, err)
	require.Positive(t, most.Load())
	require.Zero(t, inside.Load(), "all workers have returned")
}

// TestBuildReadsInBoundedSteps: a large piece is no reason for a large buffer.
func TestBuildReadsInBoundedSteps(t *testing.T) {
	const size = 3 << 20
	largest := atomic.Int64{}
	_, err := metainfo.Build(t.Context(), metainfo.BuildConfig{
		Name: "x", PieceLength: 16 << 20, Files: []metainfo.Input{(&disk{}).file("", make([]byte, size))},
		Wait: func(_ context.Context, n int) error {
			largest.Store(max(largest.Load(), int64(n)))
			return nil
		},
	})
	require.NoError(t, err)
	require.LessOrEqual(t, largest.Load(), int64(256<<10))
}

func TestPieceLengthFor(t *testing.T) {
	const kib, mib, gib = 1 << 10, 1 << 20, 1 << 30
	for total, want := range map[int64]int64{
		0: 16 * kib, 1: 16 * kib, 64 * mib: 16 * kib, 64*mib + 1: 32 * kib,
		700 * mib: 256 * kib, 4 * gib: 1 * mib, 64 * gib: 16 * mib, 1 << 47: 16 * mib,
	} {
		require.Equal(t, want, metainfo.PieceLengthFor(total), "total %d", total)
	}
}

func TestComparePaths(t *testing.T) {
	ordered := []string{".dot", "B/z", "Z", "a b", "a-b", "a.txt", "a/x", "a0/y", "é"}
	for i := range ordered[1:] {
		a, b := strings.Split(ordered[i], "/"), strings.Split(ordered[i+1], "/")
		require.Negative(t, metainfo.ComparePaths(a, b), "%v, %v", a, b)
		require.Positive(t, metainfo.ComparePaths(b, a), "%v, %v", b, a)
	}
	require.Zero(t, metainfo.ComparePaths([]string{"a", "b"}, []string{"a", "b"}))
}
