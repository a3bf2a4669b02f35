//go:build !(linux || darwin || freebsd)

package storage

import (
	"io/fs"
	"os"
)

// FreeSpace returns how many bytes an ordinary user may still write on the file system of root; false if it does not say.
func FreeSpace(*os.Root) (int64, bool) { return 0, false }

// occupied returns how many bytes of the disk a file takes, which are fewer than its size if it has holes; 0 if that is not known.
func occupied(fs.FileInfo) int64 { return 0 }
