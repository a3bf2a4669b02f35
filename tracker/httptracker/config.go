package httptracker

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Store is where a [Handler] keeps its peers: the one of package peerstore, for
// example. Its methods are called concurrently.
type Store interface {
	// Announce records req, puts the counts of the swarm into res and appends
	// up to req.NumWant peers to res.Peers4 and res.Peers6. It returns what is
	// now known of the asker. It keeps nothing of req and res.
	Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error)

	// Scrape returns the counts of a swarm, and false if it knows nothing of it.
	Scrape(infohash [20]byte) (tracker.ScrapeStats, bool)
}

// Config is what a [Handler] is made with. Only Store is required. The
// functions are called concurrently, each request calling them in its own
// goroutine, and hold up its answer.
type Config struct {
	Store Store

	// Allow says whether a torrent is tracked here: nil to go on, an error to
	// refuse. The text of a [*tracker.FailureError], such as
	// [tracker.ErrNotRegistered], is sent to the client; any other error is
	// answered with "internal error". A scrape leaves out what is refused. If
	// nil, every torrent is tracked.
	Allow func(infohash [20]byte) error

	// AllowKey is asked after Allow, with KEY of the path /announce/KEY or
	// /scrape/KEY, and "" for a path without one. Its errors are treated as
	// those of Allow. If nil, keys are not looked at.
	AllowKey func(key string, infohash [20]byte) error

	// Announced, if not nil, is told of each announce that Allow and AllowKey
	// let through, with its KEY and before it is answered. It keeps nothing of
	// req.
	Announced func(now time.Time, key string, req *tracker.AnnounceRequest)

	// Own returns the addresses of our own seed of a torrent as this client can
	// reach them, at most one of each address family, and none if we do not
	// seed it. They come last in an announce's answer, in addition to what was
	// asked for but never when nothing was, and are not given to a peer that
	// has everything. Our seed counts as one in "complete". If nil, there is no
	// such seed.
	Own func(infohash [20]byte, r *http.Request) []netip.AddrPort

	// ClientAddr returns the address a request came from, and false if it
	// cannot tell, which refuses the request. Behind a proxy it reads what the
	// proxy says. If nil, it is the address of the connection.
	ClientAddr func(*http.Request) (netip.Addr, bool)

	// TrustedProxies are networks whose announces may name the peer's address
	// by "ip=", as loopback may. Both are judged by what ClientAddr returns: a
	// client behind a proxy that is named as such gains nothing.
	TrustedProxies []netip.Prefix

	// Interval is how long clients wait between regular announces. If zero or
	// negative, 30 minutes. Peers of the store must live longer than this.
	Interval time.Duration

	// CurrentInterval, if not nil, is asked for each answer in place of Interval:
	// it lets a tracker under load be asked less often.
	CurrentInterval func() time.Duration

	// MinInterval is how long clients wait at least, whatever happens. If zero,
	// half of the interval. If negative, it is not sent.
	MinInterval time.Duration

	// Jitter spreads intervals evenly over Interval*(1-Jitter) to
	// Interval*(1+Jitter). If zero, 0.1. If negative, off.
	Jitter float64

	// DefaultNumWant is the number of peers for a client that asks for none in
	// particular. If zero, [tracker.DefaultNumWant]. If negative, none.
	DefaultNumWant int

	// MaxNumWant bounds the peers of one answer. If zero, [tracker.MaxNumWant].
	// If negative, clients get no peers but our own seed.
	MaxNumWant int

	// Warning returns a text for the users of a torrent, which clients show next
	// to its peers ("warning message"), and "" if there is none. If nil, there
	// never is.
	Warning func(infohash [20]byte) string

	// Scrape says what a scrape may ask for. The zero value is
	// [tracker.ScrapeSpecific].
	Scrape tracker.ScrapePolicy

	// MaxScrape bounds the torrents of one scrape; one over it is refused in
	// words that make clients ask for fewer. If zero or negative, 100.
	MaxScrape int

	// Log is told of every announce and scrape after it was answered. If nil,
	// nobody is.
	Log func(Access)

	// Logger gets refused requests at debug level, for strangers can produce
	// any number of them. If nil, nothing is logged.
	Logger *slog.Logger
}

const (
	defaultInterval  = 30 * time.Minute
	defaultJitter    = 0.1
	defaultMaxScrape = 100
)

// withDefaults returns c with every zero replaced.
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
	if c.MaxScrape <= 0 {
		c.MaxScrape = defaultMaxScrape
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// intervals returns the interval and the least interval of an answer.
func (h *Handler) intervals() (regular, least time.Duration) {
	regular = h.cfg.Interval
	if h.cfg.CurrentInterval != nil {
		regular = h.cfg.CurrentInterval()
	}
	least = h.cfg.MinInterval
	if least == 0 {
		least = (regular / 2).Truncate(time.Second)
	}
	return regular, max(least, 0)
}

// Access is one request in the eyes of an access log.
type Access struct {
	Time time.Time // when the request arrived

	// Request is good only during the call. Its URL may hold the announce key
	// of a user: [Access.Target] is the form for logs.
	Request *http.Request

	Client   netip.AddrPort // the address the request came from and, of an announce, the peer's port
	Scrape   bool           // a scrape, not an announce
	InfoHash [20]byte       // of an announce; zero if it could not be read
	Event    tracker.Event  // of an announce
	Peers    int            // told of, our own seed included
	Failure  string         // the reason given to the client; "" if none
	Bytes    int            // length of the body
}

// Target returns the request's path and query, with the announce key masked.
func (a Access) Target() string {
	u := *a.Request.URL
	if name, key, ok := tracker.CutPath(u.Path); ok && key != "" {
		u.Path, u.RawPath = name+"/masked", ""
	}
	return u.RequestURI()
}
