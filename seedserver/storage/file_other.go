//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris)

package storage

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// handle is an open file.
type handle struct{ file *os.File }

// openFile opens the regular file at path below root and examines it. No
// component may be a symbolic link: each is looked at before the file is opened,
// and what was opened must be what was looked at.
func openFile(root *os.Root, path string, write bool) (handle, Stamp, error) {
	name, err := filepath.Localize(path)
	if err != nil {
		return handle{}, Stamp{}, err
	}
	var seen os.FileInfo
	for i := range len(path) + 1 {
		if i < len(path) && path[i] != '/' {
			continue
		}
		seen, err = root.Lstat(filepath.FromSlash(path[:i]))
		if err != nil {
			return handle{}, Stamp{}, err
		}
		if i < len(path) && !seen.IsDir() {
			return handle{}, Stamp{}, errNotRegular
		}
	}
	if !seen.Mode().IsRegular() {
		return handle{}, Stamp{}, errNotRegular
	}
	access := os.O_RDONLY
	if write {
		access = os.O_RDWR
	}
	f, err := root.OpenFile(name, access, 0)
	if err != nil {
		return handle{}, Stamp{}, err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(seen, opened) {
		err = errNotRegular
	}
	if err != nil {
		f.Close()
		return handle{}, Stamp{}, err
	}
	return handle{f}, stampOfInfo(opened), nil
}

// readAt reads until p is full or the file ends.
func (h handle) readAt(p []byte, off int64) (int, error) {
	n, err := h.file.ReadAt(p, off)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// writeAt writes all of p, or fails.
func (h handle) writeAt(p []byte, off int64) error {
	_, err := h.file.WriteAt(p, off)
	return err
}

// truncate makes the file size bytes long.
func (h handle) truncate(size int64) error { return h.file.Truncate(size) }

// sync waits until what was written is on the disk.
func (h handle) sync() error { return h.file.Sync() }

// stamp examines the open file.
func (h handle) stamp() (Stamp, error) { return stampOf(h.file) }

func (h handle) close() { h.file.Close() }

func stampOf(f *os.File) (Stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return Stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return Stamp{}, errNotRegular
	}
	return stampOfInfo(info), nil
}

func stampOfInfo(info os.FileInfo) Stamp {
	return Stamp{Size: info.Size(), ModTime: info.ModTime().UnixNano()}
}

func isObstructed(error) bool { return false }

func isStale(error) bool { return false }

// isFull reports that the disk is full, by the words these systems have for it.
func isFull(err error) bool {
	text := err.Error()
	return strings.Contains(text, "not enough space") || strings.Contains(text, "no space left") || strings.Contains(text, "file system full")
}

// isTooMany reports that the process has no descriptor left, by the only word
// these systems share.
func isTooMany(err error) bool { return strings.Contains(err.Error(), "too many open files") }

// openFileLimit returns a number that every one of these systems allows.
func openFileLimit() int { return 512 }
