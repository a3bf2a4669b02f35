package bencode

import (
	"errors"
	"fmt"
)

var (
	// ErrSyntax is matched by every [*SyntaxError]: the bytes are not bencode,
	// or not in canonical form where that is asked for.
	ErrSyntax = errors.New("bencode: invalid encoding")

	// ErrLimit is matched by every [*LimitError]: the bytes may be bencode, but
	// are more than the caller wants to read.
	ErrLimit = errors.New("bencode: limit exceeded")

	// ErrType is matched by every [*TypeError]: a document and a Go value do
	// not fit each other.
	ErrType = errors.New("bencode: type mismatch")
)

// SyntaxError tells where and why bytes are not an acceptable encoding.
type SyntaxError struct {
	Offset int    // index in the input of the first byte of the wrong, or missing, token
	Reason string // what is wrong, for people
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("bencode: %s at offset %d", e.Reason, e.Offset)
}

// Is reports whether target is [ErrSyntax].
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

// LimitError tells which limit of [Options] the input exceeds, and where.
type LimitError struct {
	Offset int    // index in the input of the first byte beyond the limit
	Limit  string // "size", "depth" or "tokens"
	Max    int    // the limit: bytes, levels or tokens
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("bencode: more than the allowed %s of %d at offset %d", e.Limit, e.Max, e.Offset)
}

// Is reports whether target is [ErrLimit].
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// TypeError tells that a well-formed document could not be stored in a Go
// value, or that a Go value has no encoding.
type TypeError struct {
	Type string // the Go type handed to Unmarshal or Marshal
	Err  error  // what went wrong
}

func (e *TypeError) Error() string { return fmt.Sprintf("bencode: %s: %v", e.Type, e.Err) }

// Is reports whether target is [ErrType].
func (e *TypeError) Is(target error) bool { return target == ErrType }

// Unwrap returns Err, which may come from the Unmarshaler or Marshaler of a
// field.
func (e *TypeError) Unwrap() error { return e.Err }
