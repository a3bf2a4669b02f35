//go:build !(linux || darwin || freebsd)

package storage

import "os"

// FreeSpace returns how many bytes an ordinary user may still write on the file system of root; false if it does not say.
func FreeSpace(*os.Root) (int64, bool) { return 0, false }
