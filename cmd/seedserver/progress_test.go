package main

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestProgressInAPipe: hashing takes a while, and a pipe gets a line now and then, not thousands.
func TestProgressInAPipe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, "hashing a\x1b[2J.iso", 100<<20)
		for done := range int64(100) {
			time.Sleep(100 * time.Millisecond)
			p.set(done<<20, 100<<20)
		}
		p.finish()
		require.NotContains(t, out.String(), "\x1b")
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		require.Len(t, lines, 2)
		require.Contains(t, lines[0], ".iso: 49 %, 9.8 MiB/s")
		require.Contains(t, lines[1], ".iso: 99 %, 9.9 MiB/s")
	})
}
