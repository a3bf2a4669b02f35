package storage

import (
	"fmt"
	"os"
)

// Stamp is what the file system tells about one file at one moment. Two equal
// stamps of the same path are taken to mean the same bytes.
//
// Where the system does not tell (see the package's limitations), Dev, Ino and
// ChangeTime are zero.
type Stamp struct {
	Dev, Ino   uint64 // device and inode number
	Size       int64  // bytes
	ModTime    int64  // last change of the bytes, nanoseconds since 1970 UTC
	ChangeTime int64  // last change of bytes, owner, mode, name or link count, nanoseconds since 1970 UTC
}

// StampOf returns the stamp of an open file. It fails if f is not a regular
// file or cannot be examined.
func StampOf(f *os.File) (Stamp, error) {
	s, err := stampOf(f)
	if err != nil {
		return Stamp{}, fmt.Errorf("examining %s: %w", f.Name(), err)
	}
	return s, nil
}

// sameContent reports whether s and t agree in what decides about the bytes.
func (s Stamp) sameContent(t Stamp) bool {
	return s.Size == t.Size && s.ModTime == t.ModTime
}
