//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris)

package seedserver

// openFileLimit returns 0: these systems have no limit that is told.
func openFileLimit() int { return 0 }
