package storage

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

var (
	// ErrChanged matches every [ChangedError]: a file is no longer as published.
	ErrChanged = errors.New("storage: file changed since it was published")
	// ErrCorrupt matches every [CorruptError]: a piece does not have its hash.
	ErrCorrupt = errors.New("storage: piece does not match its hash")
	// ErrRange is wrapped by the error of a read that leaves the content.
	ErrRange = errors.New("storage: read outside the content")
	// ErrFull matches the error of a write for which the disk has no room.
	ErrFull = errors.New("storage: no room on the disk")
	// ErrPad matches the error of a write of what is not zero to a pad: its piece
	// could never be read again, nor its hash hold.
	ErrPad = errors.New("storage: a pad file is not all zeros")
	// ErrClosed is wrapped by the error of a read after [Content.Close]. It
	// unwraps to [os.ErrClosed].
	ErrClosed = fmt.Errorf("storage: content closed: %w", os.ErrClosed)

	errNotRegular = errors.New("not a regular file")
)

// ChangedError reports that a file is not as its stamp says. Bytes that were
// read together with it must not be used. It matches [ErrChanged].
type ChangedError struct {
	Path string // as in [File]
	Want Stamp  // what was published
	Got  Stamp  // what is there; zero if Err is set

	// Suspect reports that nothing proves other bytes: size and modification
	// time are as published and only the change time, the device or the inode
	// differ, or the file cannot be seen at its path at all (removed, renamed,
	// unreadable). The content has to be verified before it is used again. If
	// false, the bytes published are certainly not at this path any more.
	Suspect bool

	Err error // why nothing could be examined; nil if Got is known
}

// Error says in which way the file changed.
func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s changed since it was published: %s", e.Path, e.reason())
}

func (e *ChangedError) reason() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Want.Size != e.Got.Size:
		return fmt.Sprintf("%d bytes, was %d", e.Got.Size, e.Want.Size)
	case e.Want.ModTime != e.Got.ModTime:
		return fmt.Sprintf("modified %v, was %v", wall(e.Got.ModTime), wall(e.Want.ModTime))
	case e.Want.Dev != e.Got.Dev || e.Want.Ino != e.Got.Ino:
		return "another file lies at its path"
	default:
		return fmt.Sprintf("attributes or name changed %v", wall(e.Got.ChangeTime))
	}
}

func wall(ns int64) string { return time.Unix(0, ns).UTC().Format(time.RFC3339Nano) }

// Is reports whether target is [ErrChanged].
func (e *ChangedError) Is(target error) bool { return target == ErrChanged }

// Unwrap returns Err.
func (e *ChangedError) Unwrap() error { return e.Err }

// CorruptError reports a piece whose bytes do not have the hash of the info
// dict. It matches [ErrCorrupt].
type CorruptError struct {
	Piece int // index, from 0
}

// Error names the piece.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("piece %d does not match its hash", e.Piece)
}

// Is reports whether target is [ErrCorrupt].
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

// differs returns the error for a file that should have the stamp of f and has
// got, or nil if it has. What is being written has none.
func (f *file) differs(got Stamp) error {
	if f.target {
		return nil
	}
	if got == f.Stamp {
		return nil
	}
	return &ChangedError{Path: f.Path, Want: f.Stamp, Got: got, Suspect: f.Stamp.sameContent(got)}
}

// fails returns the error for a file that could not be opened, read or
// examined: a ChangedError if err tells that the path leads elsewhere or
// nowhere, else err itself with what was being done.
func (f *file) fails(doing string, err error) error {
	switch {
	case f.target:
		return err
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), isStale(err):
		return &ChangedError{Path: f.Path, Want: f.Stamp, Suspect: true, Err: err}
	case errors.Is(err, errNotRegular), isObstructed(err):
		return &ChangedError{Path: f.Path, Want: f.Stamp, Err: err}
	default:
		return fmt.Errorf("%s %s: %w", doing, f.Path, err)
	}
}
