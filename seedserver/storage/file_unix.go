//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd || solaris

package storage

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// handle is a bare descriptor: os.File allocates for every Stat. Its lifetime
// is the reference count of the descriptor around it.
type handle struct{ fd int }

// openFile opens the regular file at path below root and examines it. Every
// component is opened in its parent with O_NOFOLLOW, so that no symbolic link is
// ever followed, and with O_NONBLOCK, so that a FIFO does not make us wait for
// its writer.
func openFile(root *os.Root, path string, write bool) (handle, Stamp, error) {
	access := unix.O_RDONLY
	if write {
		access = unix.O_RDWR
	}
	top, err := root.Open(".")
	if err != nil {
		return handle{}, Stamp{}, err
	}
	defer top.Close()

	base := int(top.Fd()) // valid until top is closed
	dir := base
	for {
		element, rest, deeper := strings.Cut(path, "/")
		flags := unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC | unix.O_NOCTTY
		if deeper {
			flags |= unix.O_RDONLY | unix.O_DIRECTORY
		} else {
			flags |= access
		}
		fd, err := openAt(dir, element, flags)
		if dir != base {
			unix.Close(dir)
		}
		if err != nil {
			return handle{}, Stamp{}, err
		}
		if deeper {
			dir, path = fd, rest
			continue
		}
		h := handle{fd}
		stamp, err := h.stamp()
		if err != nil {
			h.close()
			return handle{}, Stamp{}, err
		}
		return h, stamp, nil
	}
}

func openAt(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// readAt reads until p is full or the file ends.
func (h handle) readAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		m, err := unix.Pread(h.fd, p[n:], off+int64(n))
		if err == unix.EINTR {
			continue
		}
		if err != nil || m == 0 {
			return n, err
		}
		n += m
	}
	return n, nil
}

// writeSize is how much one system call writes. The kernel takes page cache in runs as long as the write, and long runs are of
// memory that lay idle the longest. Where a hypervisor has taken such memory back, as many do, filling it costs ten times as much:
// 2 s of processor time for a GiB written by the MiB, 0.2 s by 16 KiB, and a call costs a microsecond.
const writeSize = 16 << 10

// writeAt writes all of p, or fails.
func (h handle) writeAt(p []byte, off int64) error {
	for len(p) > 0 {
		n, err := unix.Pwrite(h.fd, p[:min(len(p), writeSize)], off)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// truncate makes the file size bytes long.
func (h handle) truncate(size int64) error { return unix.Ftruncate(h.fd, size) }

// sync waits until what was written is on the disk.
func (h handle) sync() error { return unix.Fsync(h.fd) }

// stamp examines the open file.
func (h handle) stamp() (Stamp, error) {
	var st unix.Stat_t
	for {
		err := unix.Fstat(h.fd, &st)
		if err == nil {
			break
		}
		if err != unix.EINTR {
			return Stamp{}, err
		}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return Stamp{}, errNotRegular
	}
	return Stamp{
		Dev:        uint64(st.Dev),
		Ino:        uint64(st.Ino),
		Size:       st.Size,
		ModTime:    st.Mtim.Nano(),
		ChangeTime: st.Ctim.Nano(),
	}, nil
}

func (h handle) close() { unix.Close(h.fd) }

func stampOf(f *os.File) (s Stamp, err error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return Stamp{}, err
	}
	controlErr := conn.Control(func(fd uintptr) { s, err = handle{int(fd)}.stamp() })
	return s, errors.Join(controlErr, err)
}

// isObstructed reports that something that is not a file to read stands at the
// path: a symbolic link (ELOOP, EMLINK on FreeBSD), a file in place of a
// directory or a link in place of one (ENOTDIR), a socket or device (ENXIO).
func isObstructed(err error) bool {
	return errors.Is(err, unix.ELOOP) || errors.Is(err, unix.EMLINK) ||
		errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENODEV) ||
		errors.Is(err, unix.EOPNOTSUPP)
}

// isStale reports that a network file system lost the file behind a descriptor.
func isStale(err error) bool { return errors.Is(err, unix.ESTALE) }

// isFull reports that the disk, or the user's share of it, is full.
func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// isTooMany reports that the process or the system has no descriptor left.
func isTooMany(err error) bool {
	return errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE)
}

// openFileLimit returns how many files this process may have open.
func openFileLimit() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int(min(uint64(limit.Cur), 1<<30))
}
