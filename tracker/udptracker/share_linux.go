//go:build linux && (amd64 || arm64)

package udptracker

import "syscall"

// canShare: Linux spreads the senders over all sockets of a port.
const canShare = true

const soReusePort = 15 // SO_REUSEPORT is not in package syscall for amd64

func share(fd uintptr) error {
	return syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, soReusePort, 1)
}
