//go:build !linux

package swarm

import "net"

// limitUnsent does nothing: the send buffer is the bound.
func limitUnsent(net.Conn, int) {}
