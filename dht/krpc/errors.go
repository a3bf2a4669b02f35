package krpc

import (
	"errors"
	"fmt"
)

// ErrMalformed says that a packet is no message that could be answered or used. Nothing is to be sent back: "never answer
// malformed packets without a readable t".
var ErrMalformed = errors.New("krpc: malformed message")

// Codes of errors (BEP 5).
const (
	CodeGeneric  = 201
	CodeServer   = 202
	CodeProtocol = 203 // malformed packet, invalid arguments, or bad token
	CodeMethod   = 204 // method unknown
)

// Error is a failure (BEP 5): what a node answered, or what a bad query is to be answered with.
type Error struct {
	Code    int
	Message string
}

func (e *Error) Error() string { return fmt.Sprintf("krpc: error %d: %s", e.Code, e.Message) }

// The refusals of Parse. They are made once, so that a flood of bad queries costs no memory.
var (
	errID       = &Error{CodeProtocol, "id is not 20 bytes"}
	errTarget   = &Error{CodeProtocol, "target is not 20 bytes"}
	errInfohash = &Error{CodeProtocol, "info_hash is not 20 bytes"}
	errToken    = &Error{CodeProtocol, "no token"}
	errPort     = &Error{CodeProtocol, "invalid port"}
	errArgs     = &Error{CodeProtocol, "no arguments"}
)
