package udptracker

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Config is what a [Server] is made with. Only Store is required. The functions
// are called concurrently, one call for each socket, and hold up all that come
// to it: they must not wait for anything.
type Config struct {
	Store tracker.Store

	// Policy holds for other ways to ask the same tracker, too. Of peers, 241
	// of IPv4 or 67 of IPv6 fit into a packet.
	tracker.Policy

	// Own returns the addresses of our own seed of a torrent as this client can
	// reach them, at most one of each address family, and none if we do not
	// seed it. That of the client's family comes last in an answer, in addition
	// to what was asked for but never when nothing was, and is not given to a
	// peer that has everything. Our seed counts as one in "seeders". If nil,
	// there is no such seed.
	Own func(infohash [20]byte, client netip.Addr) []netip.AddrPort

	// Trusted are networks whose announces may name the peer's IPv4 address, as
	// loopback may.
	Trusted []netip.Prefix

	// PerAddress is how many packets a second one address may send to a socket;
	// those beyond are not answered. An IPv6 address stands for its /64. If
	// zero, 20,000, which a provider's shared address does not reach. If
	// negative, off.
	PerAddress int

	// Secret makes connection ids. Servers that share it accept each other's.
	// If zero, it is drawn from crypto/rand.
	Secret [16]byte

	// Log is told of every announce and scrape of a verified sender. If nil,
	// nobody is.
	Log func(Access)

	// Logger gets refused requests at debug level, for strangers can produce
	// any number of them. If nil, nothing is logged.
	Logger *slog.Logger
}

const defaultPerAddress = 20_000

// withDefaults returns c with every zero replaced but that of Secret.
func (c Config) withDefaults() Config {
	c.Policy = c.Policy.WithDefaults()
	if c.PerAddress == 0 {
		c.PerAddress = defaultPerAddress
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// Access is one request in the eyes of an access log.
type Access struct {
	Time    time.Time // when the request arrived
	From    netip.AddrPort
	Scrape  bool   // a scrape, not an announce
	Peers   int    // told of, our own seed included
	Failure string // the reason given to the client; "" if none
	Bytes   int    // length of the answer

	// Request is what an announce says, nil in a scrape. It is good only during
	// the call. Its Path may hold the announce key of a user.
	Request *AnnounceRequest

	// InfoHashes are the torrents of a scrape, good only during the call.
	InfoHashes [][20]byte
}
