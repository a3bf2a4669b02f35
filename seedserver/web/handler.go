package web

import (
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/seedserver/web/asset"
)

// Handler answers requests from a [Source]. It may be used by many goroutines
// at once.
type Handler struct {
	cfg     Config
	log     *slog.Logger
	readmes readmes
	walks   chan struct{} // holds a value for each walk that goes on
	made    chan struct{} // for each list of many rows that is made
	longs   chan struct{} // and for each long one that is sent
}

// New returns a Handler. It panics if cfg.Source is nil.
func New(cfg Config) *Handler {
	if cfg.Source == nil {
		panic("web: Config.Source is nil")
	}
	return &Handler{cfg: cfg, log: cfg.logger(), walks: make(chan struct{}, maxWalks), made: make(chan struct{}, maxMade), longs: make(chan struct{}, maxLong)}
}

// form is which of its forms a request asks an entry for.
type form uint8

const (
	negotiated form = iota // what Accept and the size say
	asTorrent
	asMagnet
	asPage
)

// exchange is one request and its answer.
type exchange struct {
	*Handler
	w      http.ResponseWriter
	r      *http.Request
	accept accept
	via    Via
	source Source
	viewer string // the name of who asks, "" for anybody
	dir    string // the directory of the request's path: where relative links start
	root   string // the relative link to the root

	scratch []byte // of magnet
}

// ServeHTTP answers one request as the package documentation says.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Handler: h, w: w, r: r, accept: parseAccept(r.Header.Values("Accept")), via: h.Via(r)}
	sent := r.URL.EscapedPath()
	x.root = rootOf(sent)
	x.source = h.cfg.Source
	if h.cfg.View != nil {
		x.source, x.viewer = h.cfg.View(r)
	}
	x.setHeaders()
	switch {
	case r.URL.Path == loginPath && h.cfg.SignIn != nil:
		x.serveLogin()
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		x.problem(http.StatusMethodNotAllowed, "This address can only be read", "Use GET or HEAD.")
	case strings.HasPrefix(sent, "/-/"):
		x.serveOwn(strings.TrimPrefix(sent, "/-/"))
	default:
		x.servePath(sent)
	}
}

// rootOf returns the relative link from a path to the root.
func rootOf(sent string) string {
	if root := strings.Repeat("../", max(strings.Count(sent, "/")-1, 0)); root != "" {
		return root
	}
	return "./"
}

// setHeaders sets what all answers share. Each kind of answer adds to it or
// replaces the policy of the pages.
func (x *exchange) setHeaders() {
	header := x.w.Header()
	header.Set("Content-Security-Policy", asset.Policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	header.Set("Vary", x.vary("Accept"))
	if x.viewer != "" {
		header.Set("Cache-Control", "private, no-cache")
	}
}

// vary adds to a list of headers those that say who asks.
func (x *exchange) vary(headers string) string {
	if x.cfg.View != nil {
		headers += ", Authorization, Cookie"
	}
	return headers
}

// varyHost tells caches that the body names the host the client used.
func (x *exchange) varyHost() {
	if x.cfg.url() == "" {
		x.w.Header().Set("Vary", x.vary("Accept, Host"))
	}
}

// servePath answers for a path of the Source.
func (x *exchange) servePath(sent string) {
	path, slash, ok := resolve(sent)
	if !ok {
		x.notFound()
		return
	}
	x.dir = path
	if !slash {
		x.dir = strings.TrimSuffix(path[:len(path)-len(base(path))], "/")
	}
	e, f, ok := x.find(path, slash)
	switch {
	case !ok:
		x.notFound()
	case e.State == LeftOut:
		x.leftOut(e)
	case f == asTorrent:
		x.serveTorrent(e)
	case f == asMagnet:
		x.serveMagnet(e)
	case f == asPage && (!e.Dir || e.Unit):
		x.serveDetails(e)
	case e.Dir && e.Unit && x.wantsTorrent(typeHTML):
		x.serveTorrent(e)
	case e.Dir != slash:
		x.redirectSlash(e)
	case e.Dir:
		x.serveIndex(e)
	default:
		x.serveFile(e)
	}
}

// find returns what a path names, and the form that is asked for. A file of
// that very name goes before NAME.torrent and NAME.magnet.
func (x *exchange) find(path string, slash bool) (e Entry, f form, ok bool) {
	e, ok = x.source.Lookup(path)
	if ok && e.State != LeftOut {
		return e, queryForm(x.r.URL.RawQuery), true
	}
	if of, f := suffixForm(path); f != negotiated && !slash {
		if named, found := x.source.Lookup(of); found {
			return named, f, true
		}
	}
	return e, negotiated, ok
}

// suffixForm takes the form from the end of a path.
func suffixForm(path string) (of string, f form) {
	if of, ok := strings.CutSuffix(path, ".torrent"); ok {
		return of, asTorrent
	}
	if of, ok := strings.CutSuffix(path, ".magnet"); ok {
		return of, asMagnet
	}
	return path, negotiated
}

func queryForm(raw string) form {
	query, err := url.ParseQuery(raw)
	switch {
	case err != nil:
		return negotiated
	case query.Has("torrent"):
		return asTorrent
	case query.Has("magnet"):
		return asMagnet
	case query.Has("page"):
		return asPage
	}
	return negotiated
}

// redirectSlash sends the client to the address of e that ends with a slash if
// e is a directory, and without if it is not.
func (x *exchange) redirectSlash(e Entry) {
	to := escapePath(base(e.Path))
	if e.Dir {
		to += "/"
	} else {
		to = "../" + to
	}
	if x.r.URL.RawQuery != "" {
		to += "?" + x.r.URL.RawQuery
	}
	x.redirect(to, "It is at "+to+"\n")
}

// redirect sends the client to a link, with a text for who does not follow.
func (x *exchange) redirect(to, text string) {
	x.w.Header().Set("Location", to)
	x.text(http.StatusFound, text)
}

// href returns the relative link to a path.
func (x *exchange) href(path string) string {
	if name := base(path); path == x.dir+"/"+name || x.dir == "" && path == name {
		return escapePath(name)
	}
	return x.root + escapePath(path)
}

// url returns the absolute URL of a relative link to path, or the link if our
// address is not known.
func (x *exchange) url(path, suffix string) string {
	if x.via.URL == "" {
		return x.href(path) + suffix
	}
	return x.via.URL + "/" + escapePath(path) + suffix
}

// sourceFailed answers for an error of the Source.
func (x *exchange) sourceFailed(e Entry, err error) {
	if x.r.Context().Err() != nil {
		return // nobody is there to read an answer
	}
	var busy *BusyError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.notFound()
	case errors.As(err, &busy):
		x.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(busy.RetryAfter.Seconds()))))
		x.w.Header().Set("Cache-Control", "no-store")
		x.problem(http.StatusServiceUnavailable, "Not now", busy.Reason)
	case errors.Is(err, ErrUnavailable):
		x.pending(Entry{Path: e.Path, Name: e.Name, State: Settling, Reason: "it just changed"})
	default:
		x.log.Debug("source failed", "path", e.Path, "err", err)
		x.problem(http.StatusInternalServerError, "Something went wrong here",
			"The server could not read this file. Try again in a moment; if it stays like this, tell the operator.")
	}
}
