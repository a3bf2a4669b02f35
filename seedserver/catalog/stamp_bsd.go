//go:build darwin || freebsd || netbsd

package catalog

import (
	"io/fs"
	"syscall"
)

// stampOf returns the stamp of what was examined.
func stampOf(fi fs.FileInfo) Stamp {
	s := Stamp{Size: fi.Size(), ModTime: fi.ModTime().UnixNano()}
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		s.Dev, s.Ino, s.ChangeTime = uint64(st.Dev), uint64(st.Ino), st.Ctimespec.Nano()
	}
	return s
}
