package ledger

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

var (
	// ErrLocked matches every [LockedError].
	ErrLocked = errors.New("ledger: state directory in use")
	// ErrDamaged matches every [DamagedError].
	ErrDamaged = errors.New("ledger: state damaged")
	// ErrNewer matches every [NewerError].
	ErrNewer = errors.New("ledger: state written by a newer program")
	// ErrOlder matches every [OlderError].
	ErrOlder = errors.New("ledger: state written by an older program")

	errCheck = errors.New("check failed")
)

// LockedError reports that another process has the state directory open. It
// matches [ErrLocked].
type LockedError struct {
	Dir string
	PID int // of the process that has it; 0 if it did not say
}

// Error names the directory and the process.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("state directory %s is in use by another process", e.Dir)
	}
	return fmt.Sprintf("state directory %s is in use by process %d", e.Dir, e.PID)
}

// Is reports whether target is [ErrLocked].
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// DamagedError reports that the database cannot be read. It is left as it is.
// It matches [ErrDamaged].
type DamagedError struct {
	Path string // of the database
	Err  error  // what was found
}

// Error says what was found and what to do.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged (%v); run once with --rebuild-state to move it aside and start afresh: "+
		"files are hashed again, counted traffic stays in the file moved aside", e.Path, e.Err)
}

// Is reports whether target is [ErrDamaged].
func (e *DamagedError) Is(target error) bool { return target == ErrDamaged }

// Unwrap returns Err.
func (e *DamagedError) Unwrap() error { return e.Err }

// NewerError reports that the database has a schema of a newer program. It is
// left as it is. It matches [ErrNewer].
type NewerError struct {
	Found, Known int // user_version of the database, and the highest this program knows
}

// Error gives both numbers.
func (e *NewerError) Error() string {
	return fmt.Sprintf("state was written by a newer program: its schema is %d, this program knows up to %d", e.Found, e.Known)
}

// Is reports whether target is [ErrNewer].
func (e *NewerError) Is(target error) bool { return target == ErrNewer }

// OlderError reports that the database has a schema of an older program, and was
// opened for reading alone: whoever opens it for writing brings it up to date.
// It matches [ErrOlder].
type OlderError struct {
	Found, Known int // user_version of the database, and the one this program knows
}

// Error gives both numbers, and says what to do.
func (e *OlderError) Error() string {
	return fmt.Sprintf("state was written by an older program: its schema is %d, this program reads %d; "+
		"start this version of the server once", e.Found, e.Known)
}

// Is reports whether target is [ErrOlder].
func (e *OlderError) Is(target error) bool { return target == ErrOlder }

// explain adds to err what was being done, and recognises damage.
func (r *Reader) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	var failure *sqlite.Error
	damaged := errors.Is(err, errCheck)
	if errors.As(err, &failure) {
		switch failure.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			damaged = true
		}
	}
	if damaged {
		err = &DamagedError{Path: r.path, Err: err}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
