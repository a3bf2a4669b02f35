package catalog

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// writersOf asks for a read lease on f, which the kernel refuses while anybody
// has the file open for writing, and gives it back at once. A writer who opens
// the file in between waits for that moment; the SIGIO the kernel then sends us
// is one that the Go runtime ignores.
func writersOf(f *os.File) writers {
	conn, err := f.SyscallConn()
	if err != nil {
		return cannotSee
	}
	var leaseErr error
	err = conn.Control(func(fd uintptr) {
		if _, leaseErr = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK); leaseErr == nil {
			// It cannot fail on a lease we hold; closing f would end it too.
			_, _ = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_UNLCK)
		}
	})
	switch {
	case err != nil:
		return cannotSee
	case leaseErr == nil:
		return nobody
	case errors.Is(leaseErr, unix.EAGAIN):
		return somebody
	}
	return cannotSee // EACCES, EINVAL, ENOLCK, ENOSYS: not our file, or a file system without leases
}
