//go:build !linux || !(amd64 || arm64)

package udptracker

// canShare: other systems have the option, but give all packets to one socket.
const canShare = false

func share(uintptr) error { return nil }
