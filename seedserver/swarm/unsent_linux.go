package swarm

import (
	"net"

	"golang.org/x/sys/unix"
)

// maxUnsent is how many bytes that left us may wait in the kernel for a peer that does not read. They are off the rate limit
// and never on the line; without a bound they are some megabytes for each such peer. It is enough that the line never waits for us.
const maxUnsent = 256 << 10

// limitUnsent sets that bound. Where it cannot be had there is none but the send buffer.
func limitUnsent(conn net.Conn) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	})
}
