package trackernet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/httptracker"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// Config is what a [Client] is made with. The zero value works.
type Config struct {
	// Private lets trackers be at addresses that are not of the public internet,
	// loopback and private networks: for URLs that the user gave, or that came
	// from such an address themselves.
	Private bool

	// Bind is the address of ours from which trackers are spoken to: they take it
	// for the one at which peers reach us. If zero or unspecified, the system
	// chooses.
	Bind netip.Addr

	// UserAgent names the program to HTTP trackers. If empty, "seedserver".
	UserAgent string

	// Timeout bounds a call. If zero, 50 s: over UDP two packets are lost and
	// the third answered.
	Timeout time.Duration

	// MaxCalls bounds the calls that are under way at once; others wait. If zero
	// or negative, 50.
	MaxCalls int
}

const (
	defaultTimeout  = 50 * time.Second
	defaultMaxCalls = 50
	// otherFamily is how much longer one family may take than the other.
	otherFamily = 4 * time.Second
)

// Client announces to trackers and scrapes them. It may be used concurrently.
type Client struct {
	timeout  time.Duration
	calls    chan struct{} // holds a value for each call that is under way
	families [2]speaker    // IPv4, IPv6
	any      speaker
}

// speaker speaks over some address families.
type speaker struct {
	http *httptracker.Client
	udp  *udptracker.Client
}

// New returns a client.
func New(cfg Config) *Client {
	allow := tracker.Public
	if cfg.Private {
		allow = nil
	}
	speak := func(suffix string) speaker {
		return speaker{
			httptracker.NewClient(httptracker.ClientConfig{Network: "tcp" + suffix, Allow: allow, Bind: cfg.Bind, UserAgent: cfg.UserAgent}),
			udptracker.NewClient(udptracker.ClientConfig{Network: "udp" + suffix, Allow: allow, Bind: cfg.Bind}),
		}
	}
	c := &Client{timeout: cfg.Timeout, any: speak("")}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if cfg.MaxCalls <= 0 {
		cfg.MaxCalls = defaultMaxCalls
	}
	c.calls = make(chan struct{}, cfg.MaxCalls)
	c.families = [2]speaker{speak("4"), speak("6")}
	return c
}

// Announce announces req to the tracker at this URL (http, https or udp). A
// tracker that is named rather than given by its address is told over IPv4 and
// over IPv6, where it has both, "so that it can hand out both" (BEP 7): req must
// have a Key then, or the tracker counts two clients. The answer has the peers
// of both; an answer over one family is enough.
//
// The error is a [*tracker.FailureError] if the tracker refused, and wraps
// [tracker.ErrAddress] if it may not be spoken to.
func (c *Client) Announce(ctx context.Context, announce string, req *tracker.AnnounceRequest) (*tracker.AnnounceResponse, error) {
	if !named(announce) {
		return call(ctx, c, c.any, announcing(announce, req))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type outcome struct {
		res *tracker.AnnounceResponse
		err error
	}
	var outcomes [2]chan outcome
	for i, family := range c.families {
		outcomes[i] = make(chan outcome, 1)
		go func() {
			res, err := call(ctx, c, family, announcing(announce, req))
			outcomes[i] <- outcome{res, err}
		}()
	}
	var four, six outcome
	other := &six
	from := outcomes[1]
	select {
	case four = <-outcomes[0]:
	case six = <-outcomes[1]:
		other, from = &four, outcomes[0]
	}
	if four.res != nil || six.res != nil { // one has answered: the other gets little more time
		defer time.AfterFunc(otherFamily, cancel).Stop()
	}
	*other = <-from
	switch {
	case four.res == nil && six.res == nil:
		return nil, worse(four.err, six.err)
	case four.res == nil:
		return six.res, nil
	case six.res != nil:
		merge(four.res, six.res)
	}
	return four.res, nil
}

// Scrape asks the tracker with this announce URL for the counts of hashes; one
// that it does not know is missing, or has zeros. Errors are as those of
// Announce.
func (c *Client) Scrape(ctx context.Context, announce string, hashes [][20]byte) (map[[20]byte]tracker.ScrapeStats, error) {
	return call(ctx, c, c.any, func(ctx context.Context, s speaker) (map[[20]byte]tracker.ScrapeStats, error) {
		switch scheme(announce) {
		case "udp":
			return s.udp.Scrape(ctx, announce, hashes)
		case "http", "https":
			return s.http.Scrape(ctx, announce, hashes)
		}
		return nil, errScheme(announce)
	})
}

// CloseIdle closes the connections that wait for further calls.
func (c *Client) CloseIdle() {
	for _, s := range []speaker{c.any, c.families[0], c.families[1]} {
		s.http.CloseIdle()
	}
}

func announcing(announce string, req *tracker.AnnounceRequest) func(context.Context, speaker) (*tracker.AnnounceResponse, error) {
	return func(ctx context.Context, s speaker) (*tracker.AnnounceResponse, error) {
		res := new(tracker.AnnounceResponse)
		var err error
		switch scheme(announce) {
		case "udp":
			err = s.udp.Announce(ctx, announce, req, res)
		case "http", "https":
			err = s.http.Announce(ctx, announce, req, res)
		default:
			err = errScheme(announce)
		}
		if err != nil {
			return nil, err
		}
		return res, nil
	}
}

// call has f speak when there is a place for one more call.
func call[T any](ctx context.Context, c *Client, s speaker, f func(context.Context, speaker) (T, error)) (none T, err error) {
	select {
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case c.calls <- struct{}{}:
	}
	defer func() { <-c.calls }()
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	return f(ctx, s)
}

var errTimeout = errors.New("the tracker does not answer")

// merge adds what was answered over IPv6 to what was over IPv4. Both may name
// the same peers: who dials them sees to that.
func merge(four, six *tracker.AnnounceResponse) {
	four.Interval, four.MinInterval = max(four.Interval, six.Interval), max(four.MinInterval, six.MinInterval)
	four.Complete, four.Incomplete = max(four.Complete, six.Complete), max(four.Incomplete, six.Incomplete)
	four.Downloaded = max(four.Downloaded, six.Downloaded)
	four.Peers4 = append(four.Peers4, six.Peers4...)
	four.Peers6 = append(four.Peers6, six.Peers6...)
	if four.Warning == "" {
		four.Warning = six.Warning
	}
	if four.TrackerID == "" {
		four.TrackerID = six.TrackerID
	}
}

// worse is the error that says more: a refusal, then that of the family the
// tracker has an address in.
func worse(four, six error) error {
	var noAddress *net.AddrError
	if errors.Is(six, tracker.ErrFailure) && !errors.Is(four, tracker.ErrFailure) || errors.As(four, &noAddress) {
		return six
	}
	return four
}

// scheme returns what a URL says its tracker speaks.
func scheme(announce string) string {
	s, _, _ := strings.Cut(announce, ":")
	return strings.ToLower(s)
}

func errScheme(announce string) error {
	return fmt.Errorf("a tracker's URL begins with http://, https:// or udp://, not with %q", scheme(announce)[:min(len(scheme(announce)), 20)])
}

// named reports whether the host of a URL is a name.
func named(announce string) bool {
	u, err := url.Parse(announce)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err != nil
}
