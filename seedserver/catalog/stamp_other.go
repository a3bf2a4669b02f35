//go:build !linux && !darwin && !freebsd && !netbsd

package catalog

import "io/fs"

// stampOf returns the stamp of what was examined, without what only some
// systems tell.
func stampOf(fi fs.FileInfo) Stamp {
	return Stamp{Size: fi.Size(), ModTime: fi.ModTime().UnixNano()}
}
