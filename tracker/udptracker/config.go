package udptracker

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Store is where a [Server] keeps its peers: the one of package peerstore, for
// example. Its methods are called concurrently.
type Store interface {
	// Announce records req, puts the counts of the swarm into res and appends
	// up to req.NumWant peers to res.Peers4 and res.Peers6. It returns what is
	// now known of the asker. It keeps nothing of req and res.
	Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error)

	// Scrape returns the counts of a swarm, and false if it knows nothing of it.
	Scrape(infohash [20]byte) (tracker.ScrapeStats, bool)
}

// Config is what a [Server] is made with. Only Store is required. The functions
// are called concurrently, one call for each socket, and hold up all that come
// to it: they must not wait for anything.
type Config struct {
	Store Store

	// Allow says whether a torrent is tracked here: nil to go on, an error to
	// refuse. The text of a [*tracker.FailureError], such as
	// [tracker.ErrNotRegistered], is sent to the client; any other error is
	// answered with "internal error". A scrape says 0 of what is refused. If
	// nil, every torrent is tracked.
	Allow func(infohash [20]byte) error

	// AllowKey is asked after Allow, with KEY of the path /announce/KEY that a
	// client sends along (BEP 41), and "" if there is none: always so in a
	// scrape. Its errors are treated as those of Allow. If nil, keys are not
	// looked at.
	AllowKey func(key string, infohash [20]byte) error

	// Announced, if not nil, is told of each announce that Allow and AllowKey
	// let pass, with its key. It keeps nothing of req.
	Announced func(now time.Time, key string, req *tracker.AnnounceRequest)

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

	// Interval is how long clients wait between regular announces. If zero or
	// negative, 30 minutes. Peers of the store must live longer than this.
	Interval time.Duration

	// CurrentInterval, if not nil, is asked for each answer in place of Interval:
	// it lets a tracker under load be asked less often.
	CurrentInterval func() time.Duration

	// Scrape says what a scrape may ask for: nothing, if it is
	// [tracker.ScrapeNone]. UDP knows no scrape of all torrents.
	Scrape tracker.ScrapePolicy

	// Jitter spreads intervals evenly over Interval*(1-Jitter) to
	// Interval*(1+Jitter). If zero, 0.1. If negative, off.
	Jitter float64

	// DefaultNumWant is the number of peers for a client that asks for none in
	// particular. If zero, [tracker.DefaultNumWant]. If negative, none.
	DefaultNumWant int

	// MaxNumWant bounds the peers of one answer, next to what fits into a
	// packet: 241 IPv4 or 67 IPv6 peers. If zero, [tracker.MaxNumWant]. If
	// negative, clients get no peers but our own seed.
	MaxNumWant int

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

const (
	defaultInterval   = 30 * time.Minute
	defaultJitter     = 0.1
	defaultPerAddress = 20_000
)

// withDefaults returns c with every zero replaced but that of Secret.
func (c Config) withDefaults() Config {
	if c.Interval <= 0 {
		c.Interval = defaultInterval
	}
	if c.Jitter == 0 {
		c.Jitter = defaultJitter
	}
	if c.DefaultNumWant == 0 {
		c.DefaultNumWant = tracker.DefaultNumWant
	}
	if c.MaxNumWant == 0 {
		c.MaxNumWant = tracker.MaxNumWant
	}
	if c.PerAddress == 0 {
		c.PerAddress = defaultPerAddress
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// interval returns the interval of an answer before it is spread.
func (c *Config) interval() time.Duration {
	if c.CurrentInterval != nil {
		return c.CurrentInterval()
	}
	return c.Interval
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
