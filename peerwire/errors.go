package peerwire

import (
	"errors"
	"fmt"
)

// ErrProtocol says that the peer broke the protocol: nothing later on its connection can be trusted, so the caller closes it.
// [*FrameError] and [*HandshakeError] match it through [errors.Is]; errors of the reader underneath never do.
var ErrProtocol = errors.New("peerwire: protocol violation")

// A FrameError is a frame that no peer may send: its length is impossible for its id, or a field of it is out of range.
// It matches [ErrProtocol].
type FrameError struct {
	ID     ID     // the frame's message id
	Length uint32 // the frame's length prefix, bytes: id and payload
	Reason string // what is wrong with it
}

// Error names the message, the length and the reason.
func (e *FrameError) Error() string {
	return fmt.Sprintf("peerwire: %v frame of %d bytes: %s", e.ID, e.Length, e.Reason)
}

// Is reports whether target is [ErrProtocol].
func (e *FrameError) Is(target error) bool { return target == ErrProtocol }

// A HandshakeError is a connection that does not open with the BitTorrent handshake (BEP 3). It matches [ErrProtocol].
type HandshakeError struct {
	// Read is all that was taken from the connection, 20 to 48 bytes. Stream encryption starts with random bytes,
	// so a listener that offers it goes on from these.
	Read []byte
}

// Error says what was expected; the peer's bytes stay out of the text.
func (e *HandshakeError) Error() string { return "peerwire: not a BitTorrent handshake" }

// Is reports whether target is [ErrProtocol].
func (e *HandshakeError) Is(target error) bool { return target == ErrProtocol }
