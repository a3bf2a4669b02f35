package metainfo_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// BenchmarkBuild hashes a file from the page cache.
func BenchmarkBuild(b *testing.B) {
	const size = 256 << 20
	path := filepath.Join(b.TempDir(), "file")
	f, err := os.Create(path)
	require.NoError(b, err)
	_, err = io.CopyN(f, newContent("benchmark", size), size)
	require.NoError(b, err)
	require.NoError(b, f.Close())
	for _, pieceLength := range []int64{16 << 10, 256 << 10, 16 << 20} {
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("piece=%dKiB/workers=%d", pieceLength>>10, workers), func(b *testing.B) {
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					_, err := metainfo.Build(b.Context(), metainfo.BuildConfig{
						Name:        "file",
						PieceLength: pieceLength,
						Workers:     workers,
						Files: []metainfo.Input{{
							Length: size,
							Open:   func() (io.ReadCloser, error) { return os.Open(path) },
						}},
					})
					require.NoError(b, err)
				}
			})
		}
	}
}
