package swarm

import (
	"fmt"
	"net"
)

// ErrClosed is returned for a [Swarm] or [Host] that has stopped. It matches [net.ErrClosed].
var ErrClosed = fmt.Errorf("swarm: stopped: %w", net.ErrClosed)
