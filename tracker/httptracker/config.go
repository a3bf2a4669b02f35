package httptracker

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Config is what a [Handler] is made with. Only Store is required. The
// functions are called concurrently, each request calling them in its own
// goroutine, and hold up its answer.
type Config struct {
	Store tracker.Store

	// Policy holds for other ways to ask the same tracker, too.
	tracker.Policy

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

	// MinInterval is how long clients wait at least, whatever happens. If zero,
	// half of the interval. If negative, it is not sent.
	MinInterval time.Duration

	// Warning returns a text for the users of a torrent, which clients show next
	// to its peers ("warning message"), and "" if there is none. If nil, there
	// never is.
	Warning func(infohash [20]byte) string

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

const defaultMaxScrape = 100

// withDefaults returns c with every zero replaced.
func (c Config) withDefaults() Config {
	c.Policy = c.Policy.WithDefaults()
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
	regular = h.cfg.Regular()
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

// Target returns the request's path and query, with the announce key masked:
// all that is behind /announce/ and /scrape/, as a client that adds a slash is
// answered nothing, but has sent its key.
func (a Access) Target() string {
	u := *a.Request.URL
	for _, name := range [...]string{tracker.AnnouncePath, tracker.ScrapePath} {
		if key, ok := strings.CutPrefix(u.Path, name+"/"); ok && key != "" {
			u.Path, u.RawPath = name+"/masked", ""
		}
	}
	return u.RequestURI()
}
