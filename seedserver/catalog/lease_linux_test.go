package catalog

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLeaseTellsOfWriters(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(name, []byte("x"), 0o644))
	r, err := os.Open(name)
	require.NoError(t, err)
	defer r.Close()
	if writersOf(r) == cannotSee {
		t.Skip("this file system has no leases: set TMPDIR to one on ext4, xfs, btrfs or tmpfs")
	}
	require.Equal(t, nobody, writersOf(r))
	for _, flag := range []int{os.O_WRONLY, os.O_RDWR, os.O_APPEND | os.O_WRONLY} {
		w, err := os.OpenFile(name, flag, 0)
		require.NoError(t, err)
		require.Equal(t, somebody, writersOf(r))
		require.NoError(t, w.Close())
		require.Equal(t, nobody, writersOf(r))
	}
	other, err := os.Open(name)
	require.NoError(t, err)
	require.Equal(t, nobody, writersOf(r), "a reader is no writer")
	require.NoError(t, other.Close())
}

func TestLeaseIsGivenBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(name, []byte("x"), 0o644))
	r, err := os.Open(name)
	require.NoError(t, err)
	defer r.Close()
	writersOf(r)
	opened := make(chan error, 1)
	go func() {
		w, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err == nil {
			err = w.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		require.NoError(t, err)
	case <-time.After(10 * time.Second):
		t.Fatal("a writer waits for a lease that was not given back")
	}
}

func TestLeaseWhereThereIsNone(t *testing.T) {
	f, err := os.Open(os.DevNull) // no regular file, so EINVAL
	require.NoError(t, err)
	defer f.Close()
	require.Equal(t, cannotSee, writersOf(f))
}

// TestWriterThatIsSlow holds a file open for longer than it takes to settle.
func TestWriterThatIsSlow(t *testing.T) {
	s := serve(t, Config{})
	f, err := os.Create(s.path("f"))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.WriteString("first half, ")
	require.NoError(t, err)
	s.awaitState("f", "settling: open for writing")
	s.await("that a write is noticed", func() bool { // that was a moment ago only for a moment: so it writes until that is seen
		_, err := f.WriteString("more, ")
		return err == nil && s.describe("f") == "settling: written a moment ago"
	})
	s.awaitState("f", "settling: open for writing")
	require.Empty(t, s.lib.told())
	require.NoError(t, f.Close())
	s.awaitSeeded("f")
}

// TestOldFileThatIsOpenAtStart is not published before its writer closes it.
func TestOldFileThatIsOpenAtStart(t *testing.T) {
	s := &server{t: t, dir: t.TempDir()}
	s.write("f", "x")
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(s.path("f"), old, old))
	f, err := os.OpenFile(s.path("f"), os.O_RDWR, 0)
	require.NoError(t, err)
	defer f.Close()
	s.start()
	s.awaitState("f", "settling: open for writing")
	require.NoError(t, f.Close())
	s.awaitState("f", "published")
}
