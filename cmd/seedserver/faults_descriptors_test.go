//go:build linux

package main

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFewDescriptors: where few files may be open, more connections than fit come, to both ports, and stay. The rest goes on: the
// index answers, files are opened and sent, new ones are published; the processor rests; and the operator is told.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	requireTool(t, "prlimit", "util-linux")
	if !inNamespace(t) {
		return
	}
	const limit = 256
	s := newPlainServer(t, "--json")
	s.under = []string{"prlimit", fmt.Sprintf("--nofile=%d:%[1]d", limit)}
	s.start()
	var files [40][]byte // more than are kept open
	for i := range files {
		files[i] = content(uint64(i), 50_000)
		s.put(fmt.Sprintf("%d.bin", i), files[i])
	}
	for i := range files {
		s.published(fmt.Sprintf("%d.bin", i), 30*time.Second)
	}
	require.Len(t, s.logged("too few files may be open for --max-peers: raise the limit (LimitNOFILE= in the systemd unit, ulimit -n in a shell)", 0), 1)
	require.Equal(t, []string{"descriptors"}, s.troubles())

	for n := range 8 {
		for range 60 { // of one address no more are taken
			if conn, err := s.connect(clientIP(n), s.fetch("0.bin").InfoHash); err == nil {
				t.Cleanup(func() { conn.Close() })
			}
		}
	}
	require.Less(t, s.descriptors(), limit*3/4)
	for i := range files {
		body, resp := s.get(fmt.Sprintf("%d.bin", i))
		require.Equal(t, http.StatusOK, resp.StatusCode)
		require.Equal(t, files[i], body)
	}
	s.put("late.bin", files[0])
	s.published("late.bin", 30*time.Second)

	// Whoever takes all places of the index keeps only the index.
	var takers []net.Conn
	for range limit {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.base, "http://"))
		require.NoError(t, err) // some wait to be accepted
		takers = append(takers, conn)
	}
	pause(time.Second)
	require.Less(t, s.descriptors(), limit)
	before := s.cpu()
	pause(2 * time.Second)
	require.Less(t, s.cpu()-before, 500*time.Millisecond, "nobody spins")
	require.Equal(t, []string{"descriptors"}, s.troubles(), "the status page answers")
	for _, conn := range takers {
		conn.Close()
	}
	_, resp := s.get("0.bin")
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Empty(t, s.logged("connections cannot be accepted for the moment", 0))
}
