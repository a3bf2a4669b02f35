//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris

package storage

import "golang.org/x/sys/unix"

var errFull = unix.ENOSPC
