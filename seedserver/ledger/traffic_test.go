package ledger

import (
	"bytes"
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// written returns the bytes that the database holds, whatever is counted in memory.
func written(t testing.TB, l *Ledger) int64 {
	sum, err := l.Overall(t.Context(), 0)
	require.NoError(t, err)
	return sum.Ever.Sent.Sum()
}

func TestDay(t *testing.T) {
	for _, tt := range []struct {
		at   string
		want Day
		text string
	}{
		{"1970-01-01T00:00:00Z", 0, "1970-01-01"},
		{"1970-01-01T23:59:59.999Z", 0, "1970-01-01"},
		{"1970-01-02T00:00:00Z", 1, "1970-01-02"},
		{"1969-12-31T23:59:59.999Z", -1, "1969-12-31"},
		{"1969-12-31T00:00:00Z", -1, "1969-12-31"},
		{"1969-12-30T23:59:59Z", -2, "1969-12-30"},
		{"2026-03-02T01:30:00+02:00", 20513, "2026-03-01"},
		{"2026-02-28T23:30:00-01:00", 20513, "2026-03-01"},
	} {
		t.Run(tt.at, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339Nano, tt.at)
			require.NoError(t, err)
			require.Equal(t, tt.want, DayOf(at))
			require.Equal(t, tt.text, DayOf(at).String())
			require.Equal(t, tt.want, DayOf(tt.want.Time()))
		})
	}
}

// TestCloseWrites: what was counted last is there after an orderly end.
func TestCloseWrites(t *testing.T) {
	l := open(t, t.TempDir())
	l.AddBytes(published, 1, ClassPlain, 42)
	require.EqualValues(t, 42, written(t, reopen(t, l)))
}

// TestConcurrently: many count, one flushes, one reads; nothing is lost or counted twice, and no reading is ever less than
// one before.
func TestConcurrently(t *testing.T) {
	const writers, adds = 4, 2000
	l := open(t, t.TempDir())
	stop := make(chan struct{})
	var counting, others sync.WaitGroup
	for range writers {
		counting.Go(func() {
			for range adds {
				l.AddBytes(published, 1, ClassPlain, 3)
			}
		})
	}
	others.Go(func() {
		for last := int64(0); ; {
			select {
			case <-stop:
				return
			default:
			}
			got, err := l.Overall(t.Context(), DayOf(published))
			if err != nil {
				t.Error(err)
				return
			}
			n := got.Ever.Sent.Sum()
			if n < last || got.Today != got.Ever {
				t.Errorf("%d bytes after %d, %d of them today", n, last, got.Today.Sent.Sum())
			}
			last = n
		}
	})
	others.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := l.Flush(t.Context()); err != nil {
				t.Error(err)
				return
			}
		}
	})
	counting.Wait()
	close(stop)
	others.Wait()
	require.NoError(t, l.Flush(t.Context()))
	require.EqualValues(t, writers*adds*3, written(t, l))
}

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := Config{FlushEvery: 3 * time.Second}.Open(t.Context(), t.TempDir())
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Close()) }()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()

		l.AddBytes(time.Now(), 1, ClassPlain, 10)
		time.Sleep(2900 * time.Millisecond)
		require.Zero(t, written(t, l))
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		require.EqualValues(t, 10, written(t, l))

		l.AddBytes(time.Now(), 1, ClassPlain, 5)
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.EqualValues(t, 15, written(t, l), "written once more at the end")
	})
}

// TestFull: a full disk is said, nothing counted is lost, and it is written when there is room again.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		l, err := Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}.Open(t.Context(), t.TempDir())
		require.NoError(t, err)
		defer func() { require.NoError(t, l.Close()) }()
		pages := func(pragma string) {
			_, err := l.db.Exec("PRAGMA max_page_count = " + pragma)
			require.NoError(t, err)
		}
		pages("1") // never less than there are
		var batch []Version
		for i := range 2000 {
			batch = append(batch, version("some/long/path/to/fill/pages", i))
			l.AddBytes(published, int64(i+1), ClassPlain, 1)
		}
		require.ErrorContains(t, l.AddVersions(t.Context(), batch), "full")
		require.ErrorContains(t, l.SaveCheckpoint(t.Context(), Checkpoint{Path: "a", Hashes: make([]byte, 1<<20)}), "full")
		require.ErrorContains(t, l.Flush(t.Context()), "full")
		require.Zero(t, written(t, l))

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- l.Run(ctx) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("\n")), "said once: %s", log.String())
		require.Contains(t, log.String(), "level=WARN")
		pages("1000000")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 2000, written(t, l))
		require.NoError(t, l.AddVersions(t.Context(), batch))
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
}

// TestRunEndsOnDamage: there is no use in trying again.
func TestRunEndsOnDamage(t *testing.T) {
	l := open(t, t.TempDir())
	l.AddBytes(published, 1, ClassPlain, 1)
	l = reopen(t, l)
	var page int64
	require.NoError(t, l.db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'traffic'").Scan(&page))
	require.NoError(t, l.Close())
	damage(t, filepath.Dir(l.path), page-1, page)

	synctest.Test(t, func(t *testing.T) {
		l, err := Open(t.Context(), filepath.Dir(l.path))
		require.NoError(t, err)
		l.AddBytes(published, 1, ClassPlain, 1)
		require.ErrorIs(t, l.Run(t.Context()), ErrDamaged)
		require.ErrorIs(t, l.Close(), ErrDamaged)
	})
}
