//go:build linux || darwin || freebsd

package storage

import (
	"os"

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
