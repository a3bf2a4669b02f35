package storage_test

import (
	"bytes"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScattered: contents whose reads are scattered, and hints of whatever kind, give the same bytes.
func TestScattered(t *testing.T) {
	d := newDir(t, 2)
	data := random(1, 300_000)
	c := d.open(t, d.file(t, "a", data[:100_000]), d.file(t, "b", nil), d.file(t, "c", data[100_000:200_000]), d.file(t, "d", data[200_000:]))
	c.Scatter()
	d.forget(t, "a")
	d.forget(t, "c")
	d.forget(t, "d")
	var readers sync.WaitGroup
	for i := range 200 {
		readers.Go(func() {
			off := int64(i * 1499 % 290_000)
			p := make([]byte, 10_000)
			c.ReadAhead(off+10_000, 20_000)
			if err := c.ReadAt(p, off); err != nil || !bytes.Equal(data[off:off+10_000], p) {
				t.Errorf("read at %d: %v", off, err)
			}
		})
	}
	readers.Wait()
}

// TestReadAheadTakesAnything: a hint is never an error.
func TestReadAheadTakesAnything(t *testing.T) {
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, 1000)), d.file(t, "b", random(2, 1000)))
	c.Scatter()
	hint := func() {
		for _, off := range []int64{math.MinInt64, -1, 0, 999, 1000, 1999, 2000, math.MaxInt64} {
			for _, n := range []int64{math.MinInt64, -1, 0, 1, 1500, 2000, math.MaxInt64} {
				c.ReadAhead(off, n)
			}
		}
	}
	hint()
	require.Zero(t, d.pool.NumOpen(), "a hint opens no file")
	d.forget(t, "a")
	p := make([]byte, 2000)
	require.NoError(t, c.ReadAt(p, 0))
	hint()
	require.NoError(t, c.ReadAt(p, 0))
	require.NoError(t, c.Close())
	hint()
}
