package storage

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// scatter turns the system's own reading ahead off.
func (h handle) scatter() { unix.Fadvise(h.fd, 0, 0, unix.FADV_RANDOM) }

// prefetch has n bytes from off read into memory.
func (h handle) prefetch(off, n int64) { unix.Fadvise(h.fd, off, n, unix.FADV_WILLNEED) }

// readCached reads what is in memory of p's bytes, from the first on, without waiting for the disk. File systems that cannot tell
// give nothing.
func (h handle) readCached(p []byte, off int64) int {
	if len(p) == 0 {
		return 0
	}
	vector := unix.Iovec{Base: &p[0]}
	vector.SetLen(len(p))
	n, _, errno := unix.Syscall6(unix.SYS_PREADV2, uintptr(h.fd), uintptr(unsafe.Pointer(&vector)), 1, uintptr(off), uintptr(off>>32), unix.RWF_NOWAIT)
	runtime.KeepAlive(p)
	if errno != 0 {
		return 0
	}
	return int(n)
}
