package udptracker

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// ClientConfig is what a [Client] is made with. The zero value works.
type ClientConfig struct {
	// Network is "udp4" or "udp6" to reach trackers over one family only: a
	// client that has both announces over each (BEP 7). If empty, "udp".
	Network string

	// Allow says whether a tracker at this address may be spoken to, such as
	// [tracker.Public]. If nil, all are.
	Allow func(netip.Addr) bool

	// Bind is the address of ours from which trackers are spoken to: they take it
	// for the one at which peers reach us. If zero or unspecified, the system
	// chooses.
	Bind netip.Addr

	// Timeout is how long the first packet is waited for; each further time is
	// twice as long. If zero, the 15 s of BEP 15.
	Timeout time.Duration

	// Retries is how often a packet without an answer is sent again. If zero,
	// the 8 times of BEP 15, which take more than an hour: a context that ends
	// is how a caller goes on to another tracker. If negative, never.
	Retries int

	// Dial connects to an address HOST:PORT, a Read of the connection being a
	// packet. If nil, [net.Dialer] does, and Allow is asked; one that is given
	// asks by itself.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	defaultTimeout = 15 * time.Second
	defaultRetries = 8
	maxRetries     = 16
	idLife         = time.Minute // "a client can use a connection ID until one minute after it has received it"
	maxAnswer      = 16 << 10    // bytes of a packet that are read
	maxPath        = 1000        // bytes of a path that is sent
)

// Client announces to trackers and scrapes them over UDP. It may be used
// concurrently. Each call has a socket of its own.
type Client struct{ cfg ClientConfig }

// NewClient returns a client.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Network == "" {
		cfg.Network = "udp"
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Retries == 0 {
		cfg.Retries = defaultRetries
	}
	cfg.Retries = min(max(cfg.Retries, 0), maxRetries)
	c := &Client{cfg: cfg}
	if c.cfg.Dial == nil {
		dialer := &net.Dialer{Timeout: defaultTimeout, Control: c.control}
		if cfg.Bind.IsValid() && !cfg.Bind.IsUnspecified() {
			dialer.LocalAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(cfg.Bind, 0))
		}
		c.cfg.Dial = dialer.DialContext
	}
	return c
}

// control asks Allow of an address before a packet is sent to it.
func (c *Client) control(_, address string, _ syscall.RawConn) error {
	if c.cfg.Allow == nil {
		return nil
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil || !c.cfg.Allow(addr.Addr().Unmap().WithZone("")) {
		return fmt.Errorf("%w: %s", tracker.ErrAddress, address)
	}
	return nil
}

// ErrNoAnswer is returned when all packets were sent in vain.
var ErrNoAnswer = errors.New("udptracker: no answer")

// Announce announces req to the tracker at this URL, "udp://HOST:PORT", and
// reads the answer into res. Path and query of the URL are sent along (BEP 41).
//
// The error is a [*tracker.FailureError] if the tracker refused, wraps
// [tracker.ErrAddress] if it may not be spoken to, or is [ErrNoAnswer].
func (c *Client) Announce(ctx context.Context, announce string, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) error {
	res.Reset()
	host, path, err := split(announce)
	if err != nil {
		return err
	}
	return c.with(ctx, host, func(s *socket) error {
		return s.ask(ctx, ActionAnnounce,
			func(dst []byte, id uint64, transaction uint32) []byte {
				return AppendAnnounceRequest(dst, id, transaction, req, path)
			},
			func(b []byte) error { return ParseAnnounceResponse(b, s.six, res) })
	})
}

// Scrape asks the tracker at this URL for the counts of hashes, 74 at a time.
// One that it does not know has zeros. Errors are as those of Announce.
func (c *Client) Scrape(ctx context.Context, announce string, hashes [][20]byte) (map[[20]byte]tracker.ScrapeStats, error) {
	host, _, err := split(announce)
	if err != nil {
		return nil, err
	}
	all := make(map[[20]byte]tracker.ScrapeStats, len(hashes))
	err = c.with(ctx, host, func(s *socket) error {
		for len(hashes) > 0 {
			some := hashes[:min(len(hashes), MaxScrape)]
			hashes = hashes[len(some):]
			var stats []tracker.ScrapeStats
			err := s.ask(ctx, ActionScrape,
				func(dst []byte, id uint64, transaction uint32) []byte {
					return AppendScrapeRequest(dst, id, transaction, some)
				},
				func(b []byte) (err error) { stats, err = ParseScrapeResponse(stats[:0], b); return err })
			if err != nil {
				return err
			}
			for i := range min(len(some), len(stats)) {
				all[some[i]] = stats[i]
			}
		}
		return nil
	})
	return all, err
}

// split returns the address and the path with the query of a tracker's URL.
func split(announce string) (host, path string, err error) {
	u, err := url.Parse(announce)
	if err != nil || !strings.EqualFold(u.Scheme, "udp") || u.Hostname() == "" || u.Port() == "" {
		return "", "", errors.New("this is not the URL of a UDP tracker, udp://HOST:PORT")
	}
	if path = u.RequestURI(); path == "/" || len(path) > maxPath {
		path = ""
	}
	return u.Host, path, nil
}

// with calls f with a socket to host.
func (c *Client) with(ctx context.Context, host string, f func(*socket) error) error {
	conn, err := c.cfg.Dial(ctx, c.cfg.Network, host)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	remote, _ := netip.ParseAddrPort(conn.RemoteAddr().String()) // the zero one is none of IPv6
	s := &socket{cfg: &c.cfg, conn: conn, six: remote.Addr().Unmap().Is6(), in: make([]byte, maxAnswer)}
	return f(s)
}

// transaction returns an id that nobody who does not see our packets guesses.
func transaction() uint32 {
	var b [4]byte
	crand.Read(b[:]) // never fails: it ends the process instead
	return binary.BigEndian.Uint32(b[:])
}
