package swarm

import (
	"net"

	"golang.org/x/sys/unix"
)

// limitUnsent sets how many bytes may wait in the kernel to be sent. Where it cannot be had there is none but the send buffer.
func limitUnsent(conn net.Conn, bytes int) {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) {
		unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, bytes)
	})
}
