//go:build !linux

package catalog

import "os"

// examine looks at name in a directory, without following it if it is a link.
func examine(dir *os.Root, _ *os.File, name string) (kind, Stamp, error) {
	fi, err := dir.Lstat(name)
	if err != nil {
		return unknownKind, Stamp{}, err
	}
	return kindOf(fi.Mode()), stampOf(fi), nil
}
