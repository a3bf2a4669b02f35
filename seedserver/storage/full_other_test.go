//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris)

package storage

import "errors"

var errFull = errors.New("there is not enough space on the disk")
