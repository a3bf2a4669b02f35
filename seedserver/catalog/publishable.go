package catalog

import "io/fs"

// Publishable reports whether a file or directory of this name and type is let into a torrent: it is a regular file or a
// directory, and neither junk, nor a dot-file, nor under a temporary name.
func Publishable(name string, mode fs.FileMode) bool {
	k := unknownKind
	switch {
	case mode.IsRegular():
		k = regular
	case mode.IsDir():
		k = directory
	}
	return judgeName(name, k).in()
}
