package httptracker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// ClientConfig is what a [Client] is made with. The zero value works.
type ClientConfig struct {
	// Network is "tcp4" or "tcp6" to reach trackers over one family only: a
	// client that has both announces over each (BEP 7). If empty, "tcp".
	Network string

	// Allow says whether a tracker at this address may be spoken to, such as
	// [tracker.Public]. It is asked of every address a connection is made to,
	// those that redirects lead to included. If nil, all are.
	Allow func(netip.Addr) bool

	// Bind is the address of ours from which trackers are spoken to: they take it
	// for the one at which peers reach us. If zero or unspecified, the system
	// chooses.
	Bind netip.Addr

	// UserAgent names the program. If empty, "seedserver".
	UserAgent string

	// MaxResponse bounds an answer, in bytes of the body after it was
	// decompressed. If zero, 1 MiB.
	MaxResponse int64

	// Dial connects to an address HOST:PORT. If nil, [net.Dialer] does, and
	// Allow is asked; one that is given asks by itself.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	defaultMaxResponse = 1 << 20
	maxRedirects       = 5
	maxHeader          = 32 << 10
	idleTimeout        = 30 * time.Second
)

// Client announces to trackers and scrapes them over HTTP. It may be used
// concurrently. The environment's proxies are not used.
type Client struct {
	cfg       ClientConfig
	http      http.Client
	transport *http.Transport
}

// NewClient returns a client.
func NewClient(cfg ClientConfig) *Client {
	if cfg.Network == "" {
		cfg.Network = "tcp"
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "seedserver"
	}
	if cfg.MaxResponse <= 0 {
		cfg.MaxResponse = defaultMaxResponse
	}
	c := &Client{cfg: cfg}
	dial := cfg.Dial
	if dial == nil {
		dialer := &net.Dialer{Timeout: 15 * time.Second, Control: c.control}
		if cfg.Bind.IsValid() && !cfg.Bind.IsUnspecified() {
			dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(cfg.Bind, 0))
		}
		dial = dialer.DialContext
	}
	c.transport = &http.Transport{
		DialContext:     func(ctx context.Context, _, addr string) (net.Conn, error) { return dial(ctx, cfg.Network, addr) },
		IdleConnTimeout: idleTimeout, MaxIdleConns: 16, MaxIdleConnsPerHost: 1, MaxConnsPerHost: 4, MaxResponseHeaderBytes: maxHeader,
		ResponseHeaderTimeout: 30 * time.Second, TLSHandshakeTimeout: 15 * time.Second,
	}
	c.http = http.Client{Transport: c.transport, CheckRedirect: checkRedirect}
	return c
}

// control asks Allow of an address before a connection to it is made.
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

func checkRedirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return errors.New("too many redirects")
	}
	return checkURL(r.URL)
}

func checkURL(u *url.URL) error {
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("this is not the URL of an HTTP tracker: the scheme is %q", u.Scheme)
	}
	return nil
}

// Announce announces req to the tracker at this URL and reads the answer into
// res. The error is a [*tracker.FailureError] if the tracker refused; it wraps
// [tracker.ErrAddress] if it may not be spoken to, and [ErrResponse] if what answered is
// no tracker.
func (c *Client) Announce(ctx context.Context, announce string, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) error {
	res.Reset()
	return c.get(ctx, string(AppendAnnounceURL(nil, announce, req)), func(body []byte) error { return ParseAnnounceResponse(body, res) })
}

// Scrape asks the tracker with this announce URL for the counts of hashes. Those
// it does not know are missing in the answer; what was not asked for may be in
// it. Errors are as those of Announce, or that the URL has no scrape.
func (c *Client) Scrape(ctx context.Context, announce string, hashes [][20]byte) (map[[20]byte]tracker.ScrapeStats, error) {
	scrape, ok := tracker.ScrapeURL(announce)
	if !ok {
		return nil, errors.New("this tracker has no scrape: the last part of its URL does not begin with announce")
	}
	var all map[[20]byte]tracker.ScrapeStats
	err := c.get(ctx, string(AppendScrapeURL(nil, scrape, hashes)), func(body []byte) (err error) {
		all, err = ParseScrapeResponse(body)
		return err
	})
	return all, err
}

// get fetches an URL and has read read the answer. One that is no success is
// read for the reason, which some trackers put there, and fails in any case.
func (c *Client) get(ctx context.Context, target string, read func(body []byte) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return fmt.Errorf("reading the tracker's URL: %w", err)
	}
	if err := checkURL(r.URL); err != nil {
		return err
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	resp, err := c.http.Do(r)
	if err != nil {
		return shorten(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxResponse+1))
	switch {
	case int64(len(body)) > c.cfg.MaxResponse:
		return fmt.Errorf("%w: it has more than %d bytes", ErrResponse, c.cfg.MaxResponse)
	case err != nil && len(body) == 0:
		return fmt.Errorf("reading the tracker's answer: %w", err)
	} // else: some close early, or state a wrong length
	err = read(body)
	if resp.StatusCode != http.StatusOK && !errors.Is(err, tracker.ErrFailure) {
		return fmt.Errorf("the tracker answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return err
}

// shorten takes the URL out of an error: it holds the whole announce, and may
// hold a user's key.
func shorten(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// CloseIdle closes the connections that wait for further requests.
func (c *Client) CloseIdle() { c.transport.CloseIdleConnections() }
