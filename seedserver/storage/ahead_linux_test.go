package storage_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// forget has the system drop what it keeps of a file in memory, where the file system lets it.
func (d *dir) forget(t testing.TB, path string) {
	f, err := os.Open(filepath.Join(d.path, path))
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, f.Sync())
	require.NoError(t, unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED))
}

// inMemory returns how many bytes of a file the system keeps in memory, in whole pages.
func (d *dir) inMemory(t testing.TB, path string) (bytes int) {
	f, err := os.Open(filepath.Join(d.path, path))
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	mapped, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	require.NoError(t, err)
	defer unix.Munmap(mapped)
	page := os.Getpagesize()
	resident := make([]byte, (len(mapped)+page-1)/page)
	_, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(&mapped[0])), uintptr(len(mapped)), uintptr(unsafe.Pointer(&resident[0])))
	require.Zero(t, errno)
	for _, r := range resident {
		bytes += page * int(r&1)
	}
	return bytes
}

// TestReadAheadReads: a read of scattered content brings nothing into memory but what was asked for, a hint what it names; and a hint
// is passed on only while reads find that the disk is needed.
func TestReadAheadReads(t *testing.T) {
	const size, part = 8 << 20, 128 << 10
	d := newDir(t, 0)
	c := d.open(t, d.file(t, "a", random(1, size)))
	c.Scatter()
	p := make([]byte, part)
	require.NoError(t, c.ReadAt(p, 0))
	d.forget(t, "a")
	if d.inMemory(t, "a") > 0 {
		t.Log("the file system keeps all in memory: nothing to see here")
		return
	}
	c.ReadAhead(size/2, part)
	require.Zero(t, d.inMemory(t, "a"), "so far reads had no need of the disk")
	require.NoError(t, c.ReadAt(p, 0))
	require.Equal(t, part, d.inMemory(t, "a"))
	c.ReadAhead(size/2, part)
	require.Eventually(t, func() bool { return d.inMemory(t, "a") == 2*part }, 10*time.Second, time.Millisecond)
}
