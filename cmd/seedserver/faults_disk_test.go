//go:build linux

package main

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A brittleDisk is a file system in a file, of which the end can be taken away: what lies there cannot be read then.
type brittleDisk struct {
	t     *testing.T
	image string
	lost  []byte // the end, while it is gone
	at    int64  // where it begins
}

// mountBrittle mounts a fresh one at dir. The mount lives in the test's own namespace, and ends with it.
func mountBrittle(t *testing.T, dir string) *brittleDisk {
	t.Helper()
	requireTool(t, "mkfs.ext4", "e2fsprogs")
	d := &brittleDisk{t: t, image: filepath.Join(t.TempDir(), "image")}
	require.NoError(t, os.WriteFile(d.image, nil, 0o600))
	require.NoError(t, os.Truncate(d.image, 24<<20))
	out, err := exec.Command("mkfs.ext4", "-q", "-O", "^has_journal", d.image).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NoError(t, os.MkdirAll(dir, 0o755))
	if out, err := exec.Command("mount", "-o", "loop", d.image, dir).CombinedOutput(); err != nil {
		t.Skipf("a file system in a file cannot be mounted here: %s", strings.TrimSpace(string(out))) // no package brings that
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return d
}

// lose takes away what lies on the disk from where the block of a file of the disk lies.
func (d *brittleDisk) lose(path string, block []byte) {
	d.t.Helper()
	f, err := os.Open(path)
	require.NoError(d.t, err)
	defer f.Close()
	require.NoError(d.t, unix.Syncfs(int(f.Fd())))
	whole, err := os.ReadFile(d.image)
	require.NoError(d.t, err)
	d.at = int64(bytes.Index(whole, block))
	require.Positive(d.t, d.at)
	d.lost = whole[d.at:]
	require.NoError(d.t, os.Truncate(d.image, d.at))
	require.NoError(d.t, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)) // what was read before is in memory
}

// mend puts it back.
func (d *brittleDisk) mend() {
	d.t.Helper()
	f, err := os.OpenFile(d.image, os.O_WRONLY, 0)
	require.NoError(d.t, err)
	defer f.Close()
	_, err = f.WriteAt(d.lost, d.at)
	require.NoError(d.t, err)
}

// TestDiskFailsToRead: what a disk fails to read is refused to peers and cut off over HTTP, never made up; everything else goes on, and
// so does it once the disk reads again. The operator is told.
func TestDiskFailsToRead(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newPlainServer(t, "--json", "--plain-below", "64MiB")
	disk := mountBrittle(t, filepath.Join(s.dir, "disk"))
	t.Cleanup(s.stop) // before the disk goes
	bad, good := content(1, 4<<20), content(2, 1<<20)
	s.put("disk/bad.bin", bad)
	s.put("good.bin", good)
	s.start()
	s.published("disk/bad.bin", 30*time.Second)
	s.published("good.bin", 30*time.Second)
	torrent := s.fetch("disk/bad.bin")
	require.Empty(t, s.troubles())

	disk.lose(filepath.Join(s.dir, "disk/bad.bin"), bad[len(bad)/2:][:4096])
	l := s.leech(clientIP(0), torrent, bad)
	requireCleanEnd(t, l.run(nil)) // it asks again and again for what it was refused, and is hung up on
	require.GreaterOrEqual(t, l.received, len(bad)/4)
	require.LessOrEqual(t, l.received, len(bad)/2)
	status, got, whole := s.download("disk/bad.bin", nil)
	require.Equal(t, http.StatusOK, status)
	require.False(t, whole)
	require.True(t, bytes.HasPrefix(bad, got))
	s.requireDownload(clientIP(1), "good.bin", good)

	require.Equal(t, []string{"reads"}, s.troubles())
	lines := s.logged("the disk fails to read what is published", 0)
	require.Len(t, lines, 1, "it is said once")
	require.Equal(t, "disk/bad.bin", lines[0].Path)
	require.Contains(t, lines[0].Err, "input/output error")
	require.Positive(t, s.metric("seedserver_read_errors_total"))
	e, ok := s.entry("disk/bad.bin")
	require.True(t, ok && e.State == "published", "it is the same file")

	disk.mend()
	s.requireDownload(clientIP(2), "disk/bad.bin", bad)
}
