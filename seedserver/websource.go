package seedserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
)

// Bounds of what is asked of the web seeds of one torrent.
const (
	maxWebSources = 8
	minWebWait    = 5 * time.Second // after a failure; doubled for each one more
	maxWebWait    = 5 * time.Minute
	maxRetryAfter = time.Hour
)

// A webSource reads the files of a torrent from a web seed (BEP 19), one range at a time on one connection. One goroutine uses it.
type webSource struct {
	base   *url.URL
	info   *metainfo.Info
	local  bool       // the base may be in a private network; where it redirects to never
	bind   netip.Addr // of ours, from which it is asked; if unspecified, the system chooses
	client http.Client
	wait   time.Duration // after the next failure
}

// webSources returns the web seeds that a torrent names, as many as are made use of. They are asked from the address bind.
func webSources(t *metainfo.Torrent, local bool, bind netip.Addr) (list []*webSource) {
	seen := map[string]bool{}
	for _, raw := range t.WebSeeds {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || seen[raw] {
			continue
		}
		if seen[raw] = true; len(seen) > maxWebSources {
			break
		}
		list = append(list, newWebSource(u, t.Info, local, bind))
	}
	return list
}

func newWebSource(u *url.URL, info *metainfo.Info, local bool, bind netip.Addr) *webSource {
	w := &webSource{base: u, info: info, local: local, bind: bind}
	w.client.CheckRedirect = checkFetchRedirect
	w.client.Transport = &http.Transport{
		DialContext: w.dial, TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: fetchIdle, IdleConnTimeout: fetchIdle,
		MaxResponseHeaderBytes: 64 << 10, DisableCompression: true,
	}
	return w
}

// String returns the URL, without a password or key.
func (w *webSource) String() string {
	u := *w.base
	u.Path, u.RawPath = maskSeedKey(u.Path), ""
	return u.Redacted()
}

// dial connects to public addresses, and to the base's own host wherever that is if it may be.
func (w *webSource) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	own := w.local && strings.EqualFold(host, w.base.Hostname()) && port == portOf(w.base)
	d := net.Dialer{Timeout: 15 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err == nil && !own && !tracker.Public(to.Addr()) {
			return fmt.Errorf("web seed at %s: %w", to.Addr(), tracker.ErrAddress)
		}
		return err
	}}
	if w.bind.IsValid() && !w.bind.IsUnspecified() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(w.bind, 0))
	}
	return d.DialContext(ctx, network, addr)
}

// fileURL returns where file i is: BEP 19, "the client will add the name".
func (w *webSource) fileURL(i int) string {
	u := *w.base
	at := u.EscapedPath()
	if slash := strings.HasSuffix(at, "/"); slash || w.info.Multi {
		if !slash {
			at += "/"
		}
		at += url.PathEscape(w.info.Name)
	}
	if w.info.Multi {
		for _, name := range w.info.Files[i].Path {
			at += "/" + url.PathEscape(name)
		}
	}
	u.RawPath = at
	u.Path, _ = url.PathUnescape(at)
	return u.String()
}

// ReadAt is part of swarm.Source. It asks for the part of each file that is in the run.
func (w *webSource) ReadAt(ctx context.Context, p []byte, off int64) error {
	for i, f := range w.info.Files {
		from, to := max(off, f.Offset), min(off+int64(len(p)), f.Offset+f.Length)
		if from >= to {
			continue
		}
		part := p[from-off : to-off]
		if f.Pad {
			clear(part)
			continue
		}
		if err := w.get(ctx, i, part, from-f.Offset); err != nil {
			return w.judge(err)
		}
	}
	w.wait = 0
	return nil
}

// judge says of an error of the connection when to try again; what is said already stays.
func (w *webSource) judge(err error) error {
	if _, ok := errors.AsType[*swarm.RetryError](err); ok || errors.Is(err, tracker.ErrAddress) || errors.Is(err, errNoUse) {
		return err
	}
	w.wait = min(cmp.Or(2*w.wait, minWebWait), maxWebWait)
	return &swarm.RetryError{After: w.wait, Err: err}
}

// get fills p from byte off of file i on.
func (w *webSource) get(ctx context.Context, i int, p []byte, off int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.fileURL(i), nil)
	if err != nil {
		return fmt.Errorf("%w: %w", err, errNoUse)
	}
	last, size := off+int64(len(p))-1, w.info.Files[i].Length
	req.Header.Set("User-Agent", "seedserver")
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, last))
	resp, err := w.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	whole := resp.StatusCode == http.StatusOK && int64(len(p)) == size
	switch want := fmt.Sprintf("bytes %d-%d/", off, last); {
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusRequestTimeout:
		return w.later(resp)
	case resp.StatusCode == http.StatusOK && !whole:
		return fmt.Errorf("the server gives no parts of files: %w", errNoUse)
	case resp.StatusCode != http.StatusPartialContent && !whole:
		return fmt.Errorf("the server says %s: %w", resp.Status, errNoUse)
	case whole && resp.ContentLength >= 0 && resp.ContentLength != size,
		!whole && resp.Header.Get("Content-Range") != want+strconv.FormatInt(size, 10) && resp.Header.Get("Content-Range") != want+"*":
		return fmt.Errorf("the server has another file, or gives another part of it than was asked for: %w", errNoUse)
	}
	idle := time.AfterFunc(fetchIdle, cancel)
	defer idle.Stop()
	for len(p) > 0 {
		n, err := resp.Body.Read(p)
		if p = p[n:]; n > 0 {
			idle.Reset(fetchIdle)
		}
		if err != nil && len(p) > 0 {
			return fmt.Errorf("the server ends early: %w", err)
		}
	}
	// What ends here leaves the connection to the next request.
	if n, _ := io.ReadFull(resp.Body, make([]byte, 1)); n > 0 {
		return fmt.Errorf("the server sends more than was asked for: %w", errNoUse)
	}
	return nil
}

// later obeys a server that asks for patience.
func (w *webSource) later(resp *http.Response) error {
	err := fmt.Errorf("the server says %s", resp.Status)
	header := resp.Header.Get("Retry-After")
	after := time.Duration(0)
	if at, e := http.ParseTime(header); e == nil {
		after = time.Until(at)
	} else if seconds, e := strconv.ParseUint(header, 10, 31); e == nil {
		after = time.Duration(seconds) * time.Second
	} else {
		return err
	}
	return &swarm.RetryError{After: min(max(after, time.Second), maxRetryAfter), Err: err}
}
