package main

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// requireCleanEnd checks that a download ended because the server closed the connection, and for no worse reason. The last message
// may have been cut.
func requireCleanEnd(t *testing.T, err error) {
	t.Helper()
	clean := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
	require.True(t, clean, "the download ended with: %v", err)
}
