package accesslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func read(t testing.TB, path string) string {
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

func write(t testing.TB, f *File, text string) {
	n, err := f.Write([]byte(text))
	require.NoError(t, err)
	require.Equal(t, len(text), n)
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "access.log")
	f, err := Open(path, nil)
	require.NoError(t, err)
	write(t, f, "one\n")
	require.Empty(t, read(t, path))
	f.Flush()
	require.Equal(t, "one\n", read(t, path))
	write(t, f, "two\n")
	require.NoError(t, f.Close())
	require.Equal(t, "one\ntwo\n", read(t, path))
	write(t, f, "three\n")
	require.NoError(t, f.Close(), "closing twice is harmless")

	f, err = Open(path, nil)
	require.NoError(t, err)
	write(t, f, "four\n")
	require.NoError(t, f.Close())
	require.Equal(t, "one\ntwo\nfour\n", read(t, path), "appended")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o007, "not for everybody")

	_, err = Open(filepath.Join(t.TempDir(), "no", "such"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// TestReopen is what logrotate does: rename, then ask to reopen. No line is lost or in both.
func TestReopen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	f, err := Open(path, nil)
	require.NoError(t, err)
	write(t, f, "before\n")
	require.NoError(t, os.Rename(path, path+".1"))
	write(t, f, "between\n")
	require.NoError(t, f.Reopen())
	write(t, f, "after\n")
	f.Flush()
	require.Equal(t, "before\nbetween\n", read(t, path+".1"))
	require.Equal(t, "after\n", read(t, path))

	// Where it cannot be opened, it goes on.
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	require.Error(t, f.Reopen())
	write(t, f, "still\n")
	require.NoError(t, f.Close())
	require.NoError(t, New(new(bytes.Buffer), nil).Reopen(), "what has no path stays as it is")
}

func TestRun(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	synctest.Test(t, func(t *testing.T) {
		f, err := Open(path, nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		later := func(d time.Duration) {
			time.Sleep(d)
			synctest.Wait()
		}
		write(t, f, "one\n")
		later(900 * time.Millisecond)
		require.Empty(t, read(t, path))
		later(200 * time.Millisecond)
		require.Equal(t, "one\n", read(t, path))
		write(t, f, strings.Repeat("x", maxPending/2))
		later(0)
		require.Greater(t, len(read(t, path)), maxPending/2, "much is written at once")
		write(t, f, "last\n")
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		require.True(t, strings.HasSuffix(read(t, path), "last\n"))
		require.NoError(t, f.Close())
	})
}

// stuck is a writer that takes nothing until it is let go.
type stuck struct {
	bytes.Buffer
	free chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.free
	return s.Buffer.Write(p)
}

// TestStuck: whoever logs never waits, memory is bounded, whole lines are left out, and somebody is told how many.
func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		out := &stuck{free: make(chan struct{})}
		f := New(out, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- f.Run(ctx) }()
		line := strings.Repeat("x", 1023) + "\n"
		const lines = 3 * maxPending / 1024
		for i := range lines {
			write(t, f, line)
			if i == 10 {
				time.Sleep(2 * time.Second)
			}
		}
		require.LessOrEqual(t, cap(f.pending), 2*maxPending)
		close(out.free)
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
		written := out.Len() / 1024
		require.Equal(t, out.Len(), written*1024)
		require.Contains(t, log.String(), fmt.Sprint("lines=", lines-written))
	})
}

type failing struct{ err error }

func (f *failing) Write(p []byte) (int, error) { return len(p), f.err }

// TestFailing: a full disk is said once, and once more when it happens again.
func TestFailing(t *testing.T) {
	var log bytes.Buffer
	out := &failing{err: errors.New("no space")}
	f := New(out, slog.New(slog.NewTextHandler(&log, nil)))
	again := func(err error) {
		out.err = err
		write(t, f, "line\n")
		f.Flush()
	}
	again(out.err)
	again(out.err)
	require.Equal(t, 1, strings.Count(log.String(), "no space"))
	err := out.err
	again(nil)
	again(err)
	require.Equal(t, 2, strings.Count(log.String(), "no space"))
}

// TestConcurrently: lines of many stay whole, in one file or the next.
func TestConcurrently(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	f, err := Open(path, nil)
	require.NoError(t, err)
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			for i := range 500 {
				fmt.Fprintf(f, "%d %d\n", w, i)
			}
		})
	}
	for i := range 10 {
		require.NoError(t, os.Rename(path, fmt.Sprint(path, ".", i)))
		require.NoError(t, f.Reopen())
		f.Flush()
	}
	writers.Wait()
	require.NoError(t, f.Close())
	files, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	next := map[int]int{}
	total := 0
	for _, name := range files {
		for line := range strings.Lines(read(t, name)) {
			var w, i int
			_, err := fmt.Sscanf(line, "%d %d\n", &w, &i)
			require.NoError(t, err, "%q", line)
			next[w]++
			total++
		}
	}
	require.Equal(t, 2000, total)
	require.Equal(t, map[int]int{0: 500, 1: 500, 2: 500, 3: 500}, next)
}

func BenchmarkWrite(b *testing.B) {
	f := New(&failing{}, nil)
	go f.Run(b.Context())
	b.ReportAllocs()
	line := bytes.Repeat([]byte("x"), 150)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			_, _ = f.Write(line)
		}
	})
}
