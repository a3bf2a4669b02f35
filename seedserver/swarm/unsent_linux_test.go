package swarm

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestUnsentIsBounded: what a peer does not read stays with us, but for its receive buffer and a little.
func TestUnsentIsBounded(t *testing.T) {
	took := func(limit bool) (bytes int) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer l.Close()
		silent, err := net.Dial("tcp", l.Addr().String())
		require.NoError(t, err)
		defer silent.Close()
		silent.(*net.TCPConn).SetReadBuffer(64 << 10)
		conn, err := l.Accept()
		require.NoError(t, err)
		defer conn.Close()
		if limit {
			limitUnsent(conn)
		}
		for block := make([]byte, 64<<10); ; {
			conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
			n, err := conn.Write(block)
			bytes += n
			if err != nil {
				return bytes
			}
		}
	}
	free, bounded := took(false), took(true)
	t.Logf("a peer that reads nothing takes %d bytes, with the bound %d", free, bounded)
	require.Less(t, bounded, free)
	require.Less(t, bounded, 1<<20)
}
