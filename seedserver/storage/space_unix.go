//go:build linux || darwin || freebsd

package storage

import (
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// FreeSpace returns how many bytes an ordinary user may still write on the file system of root; false if it does not say.
func FreeSpace(root *os.Root) (int64, bool) {
	top, err := root.Open(".")
	if err != nil {
		return 0, false
	}
	defer top.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(top.Fd()), &st); err != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

// occupied returns how many bytes of the disk a file takes, which are fewer than its size if it has holes.
func occupied(info fs.FileInfo) int64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return int64(st.Blocks) * 512
}
