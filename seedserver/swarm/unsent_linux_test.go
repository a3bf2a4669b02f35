package swarm

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// TestUnsentIsBounded: what a peer does not read stays with us, but for its receive buffer and a little.
func TestUnsentIsBounded(t *testing.T) {
	took := func(limit int) (bytes int) {
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
		if limit > 0 {
			limitUnsent(conn, limit)
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
	free, fast, bounded := took(0), took(fastUnsent), took(maxUnsent)
	t.Logf("a peer that reads nothing takes %d bytes, with the bound of a fast one %d, of others %d", free, fast, bounded)
	require.Less(t, fast, free)
	require.Less(t, fast, 2<<20)
	require.Less(t, bounded, fast)
	require.Less(t, bounded, 1<<20)
}

// TestUnsentFollowsThePeer: who takes the largest chunks has room for two of them in the kernel, until it does not any more.
func TestUnsentFollowsThePeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	bound := func() (bytes int) {
		require.NoError(t, raw.Control(func(fd uintptr) {
			bytes, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT)
		}))
		require.NoError(t, err)
		return bytes
	}
	limitUnsent(conn, firstUnsent)
	p := &peer{conn: conn}
	for _, bytes := range []int{firstUnsent, maxUnsent, fastUnsent, fastUnsent, maxUnsent} {
		p.boundUnsent(bytes)
		require.Equal(t, bytes, bound())
	}
}
