package dhtnet

import (
	"log/slog"
	"net"
	"net/netip"

	"github.com/seedserver/bittorrent/dht"
)

// PublicRouters are well-known first addresses of the DHT. Tests have no business there.
var PublicRouters = []string{"router.bittorrent.com:6881", "dht.transmissionbt.com:6881", "router.utorrent.com:6881", "dht.libtorrent.org:25401"}

// Config says what a [Server] runs on. It is not changed after use. Only Conns is needed.
type Config struct {
	// Conns are the sockets: one of IPv4 or one of IPv6, or one of each, see [Listen]. The server closes them.
	Conns []*net.UDPConn

	// Node is the node's own configuration. Rand, Secret, IPv4, IPv6 and Saved are filled in.
	Node dht.Config

	// Routers are nodes HOST:PORT that are asked while the table is small. If empty, none.
	Routers []string

	// File is where the ids and the best nodes of the table are kept over a restart. If empty, nowhere.
	File string

	// Found is told of peers of published infohashes that announces come upon, and which node told. It must not block. If nil, nobody
	// is told.
	Found func(infohash [20]byte, from netip.AddrPort, peers []netip.AddrPort)

	// Logger hears of the file and of routers that cannot be found. If nil, nobody does.
	Logger *slog.Logger
}

func (c *Config) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}
