package tracker

import (
	"errors"
	"time"
)

// ErrFailure is matched by every [*FailureError].
var ErrFailure = errors.New("tracker: refused")

// ErrNotRegistered refuses an announce for a torrent that is not tracked here.
// Clients know this wording: some then stop asking until the user steps in.
var ErrNotRegistered error = &FailureError{Reason: "torrent not registered with this tracker"}

// FailureError is a refusal by a tracker (BEP 3, "failure reason"). Its Reason
// is the only text of an error that a tracker sends to a client.
type FailureError struct {
	Reason string // shown to the user of the client

	// RetryAfter is when the client may ask again (BEP 31): sent in whole
	// minutes, rounded up. Zero says nothing about it; negative means never.
	RetryAfter time.Duration
}

func (e *FailureError) Error() string { return "tracker: " + e.Reason }

// Is reports whether target is [ErrFailure].
func (e *FailureError) Is(target error) bool { return target == ErrFailure }
