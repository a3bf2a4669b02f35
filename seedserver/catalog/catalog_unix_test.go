//go:build unix

package catalog

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/fsnotify/fsnotify"
	"github.com/stretchr/testify/require"
)

func TestHardLink(t *testing.T) {
	s := serve(t, Config{}).published("f")
	require.NoError(t, os.Link(s.path("f"), s.path("g")))
	s.awaitState("g", "published")
	s.awaitState("f", "published")
	f, _ := s.cat.Lookup("f")
	g, _ := s.cat.Lookup("g")
	require.NotEqual(t, f.InfoHash, g.InfoHash, "the name is part of the info dict")
	require.ElementsMatch(t, []string{"pause", "resume f", "publish g"}, s.lib.told())
}

func TestLinksFIFOsAndSocketsAreLeftOut(t *testing.T) {
	s := serve(t, Config{})
	outside := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(outside, []byte("secret"), 0o644))
	s.write("d/inside", "inside")
	require.NoError(t, os.Symlink("d/inside", s.path("to-inside")))
	require.NoError(t, os.Symlink(outside, s.path("to-outside")))
	require.NoError(t, os.Symlink("d", s.path("to-directory")))
	require.NoError(t, os.Symlink("/", s.path("to-root")))
	require.NoError(t, syscall.Mkfifo(s.path("pipe"), 0o644))
	l, err := net.Listen("unix", s.path("sock"))
	require.NoError(t, err)
	defer l.Close()
	for path, want := range map[string]string{
		"to-inside": "left out: symbolic link", "to-outside": "left out: symbolic link",
		"to-directory": "left out: symbolic link", "to-root": "left out: symbolic link",
		"pipe": "left out: FIFO", "sock": "left out: socket",
	} {
		s.awaitState(path, want)
	}
	s.awaitState("d/inside", "published")
	s.requireTold("publish d/inside")
	require.Equal(t, 6, s.cat.Totals().Count(LeftOut))
}

func TestFileThatBecomesALink(t *testing.T) {
	s := serve(t, Config{}).published("f")
	require.NoError(t, os.Symlink("/etc/passwd", s.path("link.tmp")))
	s.rename("link.tmp", "f")
	s.awaitState("f", "left out: symbolic link")
	s.await("retired", func() bool { s.lib.mu.Lock(); defer s.lib.mu.Unlock(); return len(s.lib.torrents) == 0 })
}

// TestFolderNeverFollowsLinks opens paths whose directories became links after
// they were listed.
func TestFolderNeverFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "real/sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "real/sub/f"), []byte("f"), 0o644))
	require.NoError(t, os.Symlink("real", filepath.Join(dir, "link")))
	require.NoError(t, os.Symlink("f", filepath.Join(dir, "real/sub/l")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "real/sub/pipe"), 0o644))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()

	f := folder{root: root}
	defer f.close()
	_, err = f.open("link/sub")
	require.True(t, isNotExist(err))
	d, err := f.open("real/sub")
	require.NoError(t, err)
	for _, name := range []string{"l", "pipe", "nothing"} {
		_, _, err = openRegular(d, name)
		require.True(t, isNotExist(err), name)
	}
	file, fi, err := openRegular(d, "f")
	require.NoError(t, err)
	require.EqualValues(t, 1, fi.Size())
	require.NoError(t, file.Close())
}

func TestTrusted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(name, nil, 0o644))
	for mode, want := range map[os.FileMode]bool{0o600: true, 0o644: true, 0o664: false, 0o646: false, 0o777: false} {
		require.NoError(t, os.Chmod(name, mode))
		fi, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, want, trusted(fi), "%v", mode)
	}
}

// TestLostEventsAreReported holds the reader of events back until the kernel
// drops some.
func TestLostEventsAreReported(t *testing.T) {
	const most = 40_000 // events; Linux keeps 16,384, and some are on their way
	dir := t.TempDir()
	names := []string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}
	for _, name := range names {
		require.NoError(t, os.WriteFile(name, nil, 0o644))
	}
	w, err := newWatcher(dir)
	require.NoError(t, err)
	w.add("")
	require.NoError(t, w.failure())
	for i := range most {
		// Equal events one after the other would be told as one.
		require.NoError(t, os.Chmod(names[i%2], 0o600))
	}
	overflow := make(chan error, 100)
	go w.run(t.Context(), func(touches) {}, func(err error) {
		select {
		case overflow <- err:
		default:
		}
	})
	require.ErrorIs(t, <-overflow, fsnotify.ErrEventOverflow)
}

// Only what keeps us from seeing changes makes us scan every few seconds: one directory of somebody else's does not.
func TestWhatMakesUsScan(t *testing.T) {
	for err, scans := range map[error]bool{
		syscall.ENOSPC: true, syscall.EMFILE: true, syscall.EACCES: false, syscall.EPERM: false, syscall.ENOENT: false, fsnotify.ErrClosed: false,
	} {
		require.Equal(t, scans, !missesNothing(&fs.PathError{Op: "inotify_add_watch", Path: "d", Err: err}), "%v", err)
	}
}

func TestLostEventsAreMadeUpForByAScan(t *testing.T) {
	source, err := newWatcher(t.TempDir())
	require.NoError(t, err)
	l := &loop{inbox: make(chan event)}
	go new(Catalog).watch(t.Context(), l, source)
	source.events.Errors <- fsnotify.ErrEventOverflow
	lost := <-l.inbox

	w := with(t, "d/f")
	w.deaf = true
	w.write("d/g", "g")
	w.pass(second)
	require.False(t, w.has("d/g"))
	lost(w.core, w.now)
	w.run()
	require.True(t, w.has("d/g"))
}
