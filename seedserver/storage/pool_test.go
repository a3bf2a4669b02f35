package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/stretchr/testify/require"
)

func TestPoolBounds(t *testing.T) {
	d := newDir(t, 4)
	require.Equal(t, 4, d.pool.Limit())
	var contents []*storage.Content
	for i := range 20 {
		contents = append(contents, d.open(t, d.file(t, fmt.Sprint(i), random(uint64(i), 10))))
	}
	for range 3 {
		for i, c := range contents {
			got, err := readAll(c, 10)
			require.NoError(t, err)
			require.Equal(t, random(uint64(i), 10), got)
			require.LessOrEqual(t, d.pool.NumOpen(), 4)
		}
	}
	require.Equal(t, 4, d.pool.NumOpen())
}

// TestPoolKeepsWhatIsUsed reads one file between all others. The file is removed while it is open: reading through the
// descriptor still shows a stamp, opening it again would not.
func TestPoolKeepsWhatIsUsed(t *testing.T) {
	d := newDir(t, 4)
	hot := d.open(t, d.file(t, "hot", random(99, 10)))
	p := make([]byte, 10)
	require.NoError(t, hot.ReadAt(p, 0))
	require.NoError(t, d.root.Remove("hot"))
	for i := range 40 {
		cold := d.open(t, d.file(t, fmt.Sprint(i), random(uint64(i), 10)))
		require.NoError(t, cold.ReadAt(p, 0))
		var changed *storage.ChangedError
		require.ErrorAs(t, hot.ReadAt(p, 0), &changed)
		require.NoError(t, changed.Err, "the descriptor was given up after %d others", i)
	}
	require.Equal(t, 4, d.pool.NumOpen())
}

func TestPoolDefault(t *testing.T) {
	for _, limit := range []int{0, -1} {
		require.GreaterOrEqual(t, storage.NewPool(limit).Limit(), 8)
		require.LessOrEqual(t, storage.NewPool(limit).Limit(), 16<<10)
	}
}

// TestPoolConcurrently has many readers fight for two descriptors while contents are closed under them. Every read gives
// the right bytes or says that the content is closed.
func TestPoolConcurrently(t *testing.T) {
	const readers, reads = 8, 300
	d := newDir(t, 2)
	data := make([][]byte, 6)
	contents := make([]*storage.Content, len(data))
	for i := range contents {
		data[i] = random(uint64(i), 3000)
		contents[i] = d.open(t, d.file(t, fmt.Sprint(i, "a"), data[i][:1000]), d.file(t, fmt.Sprint(i, "b"), data[i][1000:]))
	}
	var wg sync.WaitGroup
	for reader := range readers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(reader), 0))
			p := make([]byte, 500)
			for range reads {
				i, off := r.IntN(len(contents)), r.IntN(2500)
				if err := contents[i].ReadAt(p, int64(off)); err != nil {
					t.Error(err)
				} else if !bytes.Equal(p, data[i][off:off+len(p)]) {
					t.Error("wrong bytes")
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, d.pool.NumOpen(), 2+readers)

	for reader := range readers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(reader), 1))
			p := make([]byte, 500)
			for range reads {
				i, off := r.IntN(len(contents)), r.IntN(2500)
				if err := contents[i].ReadAt(p, int64(off)); err == nil && !bytes.Equal(p, data[i][off:off+len(p)]) {
					t.Error("wrong bytes")
				} else if err != nil && !errors.Is(err, storage.ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	for _, c := range contents {
		require.NoError(t, c.Close())
	}
	wg.Wait()
	require.Zero(t, d.pool.NumOpen())
}
