package storage_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/stretchr/testify/require"
)

// TestVerify: "pieces maps to a string whose length is a multiple of 20. It is to be subdivided into strings of length 20,
// each of which is the SHA1 hash of the piece at the corresponding index" (BEP 3).
func TestVerify(t *testing.T) {
	const pieceLength = 16 << 10
	data := random(1, 20*pieceLength+5)
	d := newDir(t, 0)
	c := d.open(t,
		d.file(t, "a", data[:3*pieceLength+1]),
		d.file(t, "empty", nil),
		d.file(t, "b", data[3*pieceLength+1:]))
	pieces := hashes(data, pieceLength)
	flipped := slices.Clone(pieces)
	flipped[7*20+3] ^= 1

	for _, tt := range []struct {
		name        string
		pieceLength int64
		pieces      []byte
		want        error // nil: any error
	}{
		{"a hash too few", pieceLength, pieces[20:], nil},
		{"a hash too many", pieceLength, append(slices.Clone(pieces), pieces[:20]...), nil},
		{"half a hash", pieceLength, pieces[:len(pieces)-10], nil},
		{"no piece length", 0, pieces, nil},
		{"another piece length", 2 * pieceLength, pieces, nil},
		{"wrong hash", pieceLength, flipped, storage.ErrCorrupt},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := c.Verify(t.Context(), tt.pieceLength, tt.pieces, nil)
			require.Error(t, err)
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
			}
		})
	}

	t.Run("names the piece", func(t *testing.T) {
		var corrupt *storage.CorruptError
		require.ErrorAs(t, c.Verify(t.Context(), pieceLength, flipped, nil), &corrupt)
		require.Equal(t, 7, corrupt.Piece)
	})
	t.Run("good", func(t *testing.T) {
		var last, total int64
		require.NoError(t, c.Verify(t.Context(), pieceLength, pieces, func(done, of int64) {
			require.GreaterOrEqual(t, done, last)
			last, total = done, of
		}))
		require.EqualValues(t, len(data), last)
		require.EqualValues(t, len(data), total)
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("stop")
		cancel(stop)
		require.ErrorIs(t, c.Verify(ctx, pieceLength, pieces, nil), stop)
	})
	t.Run("an empty file changed", func(t *testing.T) {
		require.NoError(t, os.Chtimes(filepath.Join(d.path, "empty"), time.Time{}, time.Unix(1, 0)))
		require.ErrorIs(t, c.Verify(t.Context(), pieceLength, pieces, nil), storage.ErrChanged)
	})
}

func TestVerifyNothing(t *testing.T) {
	d := newDir(t, 0)
	require.NoError(t, d.open(t).Verify(t.Context(), 16<<10, nil, nil))
}
