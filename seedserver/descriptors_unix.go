//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris

package seedserver

import "golang.org/x/sys/unix"

// openFileLimit returns how many files this process may have open, 0 if that is not known.
func openFileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), 1<<30))
}
