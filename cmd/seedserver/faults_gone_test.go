//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestDirectoryUnreadable: what lies in a directory that may not be read any more is not shared, says why, and is the same torrent once it
// may, without being published anew; the rest goes on. See testUnreadable for files.
func TestDirectoryUnreadable(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--json")
	requireNobody(t, s)
	locked, open := content(1, 1<<20), content(2, 1<<20)
	s.put("locked/a.bin", locked)
	s.put("open.bin", open)
	for _, path := range []string{"locked", "locked/a.bin", "open.bin"} {
		require.NoError(t, os.Chown(filepath.Join(s.dir, path), nobody, nobody))
	}
	s.start()
	first := s.published("locked/a.bin", 30*time.Second)
	s.published("open.bin", 30*time.Second)
	torrent := s.fetch("locked/a.bin")

	require.NoError(t, os.Chmod(filepath.Join(s.dir, "locked"), 0))
	s.eventually(30*time.Second, "the index says why", func() bool {
		e, ok := s.entry("locked")
		return ok && strings.Contains(e.Reason, "permission denied")
	})
	s.requireDownload(clientIP(0), "open.bin", open)
	require.NoError(t, os.Chmod(filepath.Join(s.dir, "locked"), 0o755))
	require.Equal(t, first, s.published("locked/a.bin", 30*time.Second))
	require.NoError(t, s.leech(clientIP(1), torrent, locked).run(nil))
	require.Equal(t, []string{first}, s.publishedAs("locked/a.bin"))
}

// TestDirectoryGone: a server whose directory is removed, or unmounted, ends with a message: what it would do in its place is to retire
// everything, and to have it hashed again.
func TestDirectoryGone(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--json")
	s.put("a.bin", content(1, 1<<20))
	s.start()
	first := s.published("a.bin", 30*time.Second)
	aside := s.dir + ".aside"
	require.NoError(t, os.Rename(s.dir, aside))
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case err := <-ended:
		s.cmd = nil
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "%v", err)
		require.Equal(t, exitFailed, exit.ExitCode())
	case <-time.After(30 * time.Second):
		require.Fail(t, "it goes on", s.log.String())
	}
	require.Contains(t, s.log.String(), "the watched directory was removed or replaced")

	require.NoError(t, os.Rename(aside, s.dir))
	mark := len(s.log.String())
	s.start()
	require.Equal(t, first, s.published("a.bin", 30*time.Second))
	require.Empty(t, s.logged("hashed", mark), "nothing is hashed again")
}
