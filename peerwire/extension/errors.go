package extension

import (
	"errors"
	"fmt"
)

// ErrPayload says that a payload cannot be read. The frame around it was sound, so the caller may pass over the message and
// keep the peer; many clients do. [*PayloadError] matches it through [errors.Is].
var ErrPayload = errors.New("extension: bad payload")

// A PayloadError is a payload that is not what its message promises. It matches [ErrPayload].
type PayloadError struct {
	Message string // the message's name in the extension handshake; "handshake" for that itself
	Reason  string // what is wrong with it
	Err     error  // the decoder's error where there is one, else nil
}

// Error names the message and the reason.
func (e *PayloadError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("extension: %s payload: %s: %v", e.Message, e.Reason, e.Err)
	}
	return fmt.Sprintf("extension: %s payload: %s", e.Message, e.Reason)
}

// Is reports whether target is [ErrPayload].
func (e *PayloadError) Is(target error) bool { return target == ErrPayload }

// Unwrap returns Err.
func (e *PayloadError) Unwrap() error { return e.Err }
