package seedserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/tracker"
)

// FetchConfig says what to get from a web server, and where to put it. URL is needed.
type FetchConfig struct {
	URL string
	// Path is the file to save to if the server has no torrent to give. If empty, the name that the URL ends with, here.
	Path string
	// MaxSize is how large a plain file may be of which the server does not say how large it is, bytes. If zero, 4 GiB.
	MaxSize int64
	// Overwrite lets a file be replaced that is there.
	Overwrite bool
	// Progress, if set, is told now and then how far a plain file is; total is negative while it is not known.
	Progress func(path string, have, total int64)
	// Waiting, if set, is told that the server asks for patience, and why.
	Waiting func(reason string, wait time.Duration)
}

// A Fetched is what a URL led to: a torrent, or a file that was saved.
type Fetched struct {
	Torrent *metainfo.Torrent // nil when a plain file was saved
	// Local says that the URL's own server is not on the public internet: what its torrent names may be there, too.
	Local bool
	Path  string // of the file
	Size  int64  // of the file, bytes
}

// Bounds of what is fetched.
const (
	maxTorrent     = 64 << 20 // bytes
	maxPlainUnsaid = 4 << 30  // bytes of a file of unsaid length
	maxFetchHops   = 5
	fetchTries     = 10 // in a row without a byte
	maxFetchWait   = time.Minute
	fetchIdle      = 60 * time.Second
)

const torrentType = "application/x-bittorrent"

// Fetch asks a web server for the torrent of a file, and takes the file itself from a server that knows no torrents: from where an
// earlier call ended, if the server can. A server that says when to come again is waited for.
//
// The URL may lead anywhere; where the server sends us from there may be in a private network only if the URL is. No answer is
// larger than the bounds say.
func Fetch(ctx context.Context, cfg FetchConfig) (*Fetched, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of a web server", cfg.URL)
	}
	f := &webFetch{cfg: cfg, url: u}
	f.client.Transport = &http.Transport{
		DialContext: f.dial, TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: fetchIdle,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
	f.client.CheckRedirect = checkFetchRedirect
	defer f.client.CloseIdleConnections()
	return f.run(ctx)
}

// A webFetch is one call of Fetch.
type webFetch struct {
	cfg    FetchConfig
	url    *url.URL
	client http.Client
	local  atomic.Bool // the URL's own host was reached at an address that is not public
}

func checkFetchRedirect(r *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxFetchHops:
		return fmt.Errorf("the server redirects without end: %w", errNoUse)
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return fmt.Errorf("the server redirects to %q, which is not on the web: %w", r.URL.Scheme, errNoUse)
	}
	return nil
}

// dial connects to the URL's own host wherever that is, and to others where they may be.
func (f *webFetch) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	own := strings.EqualFold(host, f.url.Hostname()) && port == portOf(f.url)
	d := net.Dialer{Timeout: 15 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		switch {
		case err != nil:
			return err
		case tracker.Public(to.Addr()):
		case own:
			f.local.Store(true)
		case !f.local.Load():
			return fmt.Errorf("the server sends us to %s: %w", to.Addr(), tracker.ErrAddress)
		}
		return nil
	}}
	return d.DialContext(ctx, network, addr)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

// run asks until there is a torrent, a file, or an error that will not go away.
func (f *webFetch) run(ctx context.Context) (*Fetched, error) {
	var last error
	var p *plainFile
	defer func() {
		if p != nil {
			p.close()
		}
	}()
	for tries := 0; tries < fetchTries; {
		got, again, err := f.once(ctx, &p)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err == nil && got != nil:
			return got, nil
		case again <= 0:
			return nil, err
		}
		if p != nil && p.moved {
			tries = 0
		}
		tries++
		last = err
		if f.cfg.Waiting != nil {
			f.cfg.Waiting(err.Error(), again)
		}
		if !wait(ctx, again) {
			return nil, context.Cause(ctx)
		}
	}
	return nil, fmt.Errorf("gave up: %w", last)
}

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// once makes one request. again is after which time another makes sense, 0 for never.
func (f *webFetch) once(ctx context.Context, p **plainFile) (got *Fetched, again time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url.String(), nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("User-Agent", "seedserver")
	req.Header.Set("Accept", torrentType+", */*;q=0.1")
	if *p != nil {
		(*p).ask(req)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		if errors.Is(err, tracker.ErrAddress) || errors.Is(err, errNoUse) {
			return nil, 0, err
		}
		return nil, 5 * time.Second, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusServiceUnavailable || resp.StatusCode == http.StatusTooManyRequests:
		return nil, retryAfter(resp), fmt.Errorf("%s says %s: %s", f.url.Redacted(), resp.Status, firstLine(resp.Body))
	case resp.StatusCode >= 500:
		return nil, 5 * time.Second, fmt.Errorf("%s says %s", f.url.Redacted(), resp.Status)
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && *p != nil:
		(*p).startOver()
		return nil, time.Second, fmt.Errorf("%s has changed, starting over", f.url.Redacted())
	case resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent:
		return nil, 0, fmt.Errorf("%s says %s: %s", f.url.Redacted(), resp.Status, firstLine(resp.Body))
	case isTorrent(resp):
		t, err := f.torrent(resp.Body)
		if err != nil {
			return nil, 0, err
		}
		return &Fetched{Torrent: t, Local: f.local.Load()}, 0, nil
	}
	return f.plain(resp, cancel, p)
}

func mediaType(resp *http.Response) string {
	t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return t
}

// isTorrent reports whether a response is a torrent: by its type, or where the server knows no such type, by its name.
func isTorrent(resp *http.Response) bool {
	switch t := mediaType(resp); {
	case t == torrentType:
		return true
	case t == "text/html":
		return false
	}
	_, disposition, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
	return strings.HasSuffix(resp.Request.URL.Path, ".torrent") || strings.HasSuffix(disposition["filename"], ".torrent")
}

// torrent reads a .torrent file of bounded size.
func (f *webFetch) torrent(body io.Reader) (*metainfo.Torrent, error) {
	b, err := io.ReadAll(io.LimitReader(body, maxTorrent+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", f.url.Redacted(), err)
	case len(b) > maxTorrent:
		return nil, fmt.Errorf("%s sends more than a .torrent file may hold", f.url.Redacted())
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.url.Redacted(), err)
	}
	return t, nil
}

func retryAfter(resp *http.Response) time.Duration {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil {
		return 5 * time.Second
	}
	return min(max(time.Duration(seconds)*time.Second, time.Second), maxFetchWait)
}

// firstLine returns the first line of a text for people, shortened and safe to print.
func firstLine(r io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(r, 300))
	line, _, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, line)
}

// fileName returns the name that a URL ends with, if that is one to save a file under.
func fileName(u *url.URL) (string, error) {
	name := path.Base(u.Path)
	if strings.HasSuffix(u.Path, "/") && len(u.Path) > 1 {
		return "", fmt.Errorf("%s is the page of a directory, not a file: give the address of a file, or say with --saveas where to save the page", u.Redacted())
	}
	if name == "." || name == "/" || name == ".." || strings.HasPrefix(name, ".") || strings.ContainsAny(name, "/\\\x00") || len(name) > 200 {
		return "", fmt.Errorf("%s does not end in a file's name: say with --saveas where to save it", u.Redacted())
	}
	return name, nil
}
