package storage_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// unprivileged runs f on a thread that the permissions of files bind, even if the tests run as root.
func unprivileged(t *testing.T, f func()) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with its goroutine
		if os.Geteuid() == 0 {
			if err := unix.Setfsuid(65534); err != nil {
				done <- err
				return
			}
		}
		f()
		done <- nil
	}()
	require.NoError(t, <-done)
}

func TestUnreadable(t *testing.T) {
	for _, tt := range []struct{ name, locked string }{
		{"file", "sub/a"},
		{"directory", "sub"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDir(t, 0)
			c := d.open(t, d.file(t, "sub/a", random(1, 100)))
			locked := filepath.Join(d.path, tt.locked)
			require.NoError(t, os.Chmod(locked, 0))
			t.Cleanup(func() { os.Chmod(locked, 0o755) })
			var err error
			unprivileged(t, func() { err = c.ReadAt(make([]byte, 1), 0) })
			var changed *storage.ChangedError
			require.ErrorAs(t, err, &changed)
			require.True(t, changed.Suspect)
			require.ErrorIs(t, err, fs.ErrPermission)
		})
	}
}

// TestOutOfDescriptors: when others use up the descriptors of the process, the pool gives up idle ones of its own.
func TestOutOfDescriptors(t *testing.T) {
	d := newDir(t, 100)
	p := make([]byte, 10)
	files := []storage.File{d.file(t, "a", random(1, 10)), d.file(t, "b", random(2, 10)), d.file(t, "c", random(3, 10))}
	for _, f := range files[:2] {
		require.NoError(t, d.open(t, f).ReadAt(p, 0))
	}

	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	inUse, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	var hogs []int
	defer func() {
		for _, fd := range hogs {
			unix.Close(fd)
		}
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
	}()
	require.NoError(t, unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(inUse) + 20), Max: limit.Max}))
	for {
		fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			require.ErrorIs(t, err, unix.EMFILE)
			break
		}
		hogs = append(hogs, fd)
	}
	require.NoError(t, d.open(t, files[2]).ReadAt(p, 0))
	require.Equal(t, random(3, 10), p)
}
