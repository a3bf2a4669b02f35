//go:build !linux

package catalog

import (
	"io/fs"
	"os"
)

// examine looks at name in a directory, without following it if it is a link.
func examine(dir *os.Root, _ *os.File, name string) (kind, Stamp, error) {
	fi, err := dir.Lstat(name)
	if err != nil {
		return unknownKind, Stamp{}, err
	}
	return kindOf(fi.Mode()), stampOf(fi), nil
}

// kindOf returns what stands at a path by its mode.
func kindOf(mode fs.FileMode) kind {
	switch {
	case mode.IsRegular():
		return regular
	case mode.IsDir():
		return directory
	case mode&fs.ModeSymlink != 0:
		return symlink
	case mode&fs.ModeNamedPipe != 0:
		return fifo
	case mode&fs.ModeSocket != 0:
		return socket
	case mode&fs.ModeDevice != 0:
		return device
	}
	return unknownKind
}
