package admin

import (
	"bytes"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web/asset"
)

// Handler answers requests from a [Source]. It may be used by many goroutines at once. [Handler.Run] must run for pages to be
// live and for charts of the last hour.
type Handler struct {
	cfg     Config
	log     *slog.Logger
	door    *door // nil when everybody may look
	hub     *hub
	history *history
	sums    *sumsOf
	metrics http.Handler
	each    http.Handler // metrics with those of each torrent
}

// New returns a Handler, or an error about Config.Auth. It panics if cfg.Source is nil.
func New(cfg Config) (*Handler, error) {
	if cfg.Source == nil {
		panic("admin: Config.Source is nil")
	}
	h := &Handler{cfg: cfg, log: cfg.logger(), history: newHistory(), sums: &sumsOf{source: cfg.Source}}
	if cfg.Auth != "" {
		d, err := newDoor(cfg.Auth, cfg.Token)
		if err != nil {
			return nil, err
		}
		h.door = d
	}
	h.hub = newHub(cfg.maxListeners())
	h.metrics, h.each = h.newMetrics(false), h.newMetrics(true)
	return h, nil
}

// ServeHTTP answers one request as the package documentation says.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Handler: h, w: w, r: r, now: time.Now()}
	path := r.URL.EscapedPath()
	x.root = strings.Repeat("../", max(strings.Count(path, "/")-1, 0))
	if x.root == "" {
		x.root = "./"
	}
	x.setHeaders()
	switch {
	case !h.knownHost(r):
		x.text(http.StatusForbidden, "This host name is not known here. Add it with --admin-host if it is yours.\n")
	case strange(r):
		x.text(http.StatusForbidden, "Pages of other sites get nothing here.\n")
	case path != "/healthz" && path != "/readyz" && !h.door.enter(x):
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		x.text(http.StatusMethodNotAllowed, "This address can only be read: use GET or HEAD.\n")
	default:
		x.route(path)
	}
}

// exchange is one request and its answer.
type exchange struct {
	*Handler
	w    http.ResponseWriter
	r    *http.Request
	now  time.Time
	root string // the relative link to the status page
}

// route answers for an escaped path. Paths are taken as they are sent: one that needs cleaning is nobody's.
func (x *exchange) route(path string) {
	switch path {
	case "/":
		x.serveStatus()
	case "/events":
		x.serveEvents(metainfo.InfoHash{})
	case "/ledger":
		x.serveLedger()
	case "/ledger.csv":
		x.serveLedgerCSV()
	case "/api/v1/status":
		x.serveStatusJSON()
	case "/api/v1/history":
		x.serveHistoryJSON()
	case "/api/v1/ledger":
		x.serveLedgerJSON()
	case "/metrics":
		x.serveMetrics()
	case "/healthz":
		x.text(http.StatusOK, "ok\n")
	case "/readyz":
		x.serveReady()
	default:
		x.routeBelow(path)
	}
}

func (x *exchange) routeBelow(path string) {
	if name, ok := strings.CutPrefix(path, "/static/"); ok {
		if !static.Serve(x.w, x.r, name, "private") {
			x.notFound()
		}
		return
	}
	if name, ok := strings.CutPrefix(path, "/debug/pprof/"); ok && x.cfg.Profiles {
		x.serveProfile(name)
		return
	}
	if name, ok := strings.CutPrefix(path, "/api/v1/torrents/"); ok {
		x.withTorrent(name, x.serveTorrentJSON)
		return
	}
	name, ok := strings.CutPrefix(path, "/torrent/")
	if !ok {
		x.notFound()
		return
	}
	if name, ok := strings.CutSuffix(name, "/events"); ok {
		x.withTorrent(name, x.serveEvents)
		return
	}
	x.withTorrent(name, x.serveTorrent)
}

// withTorrent calls serve with the infohash that hex is, if it is one as we write it.
func (x *exchange) withTorrent(hex string, serve func(metainfo.InfoHash)) {
	h, err := metainfo.ParseInfoHash(hex)
	if err != nil || h.String() != hex {
		x.notFound()
		return
	}
	serve(h)
}

// setHeaders sets what all answers share.
func (x *exchange) setHeaders() {
	header := x.w.Header()
	header.Set("Content-Security-Policy", asset.Policy)
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-store")
}

// serveReady tells whoever balances load whether the directory is known.
func (x *exchange) serveReady() {
	if !x.cfg.Source.Ready() {
		x.text(http.StatusServiceUnavailable, "the directory is being looked at for the first time\n")
		return
	}
	x.text(http.StatusOK, "ok\n")
}

const htmlType = "text/html; charset=utf-8"

// shell is what the frame around every page shows.
type shell struct {
	Title   string // of the window
	Root    string // relative link to the status page
	Static  string // relative link to the directory of style sheet, script and icon
	Version string
	Here    string // which entry of the navigation this is, "" for none
	Live    string // relative link to the events of the page, or ""
	Refresh int    // seconds after which a page without scripts asks again, or 0
}

func (x *exchange) shell(title string) shell {
	return shell{Title: title + " – seedserver", Root: x.root, Static: x.root + "static/" + static.Hash() + "/", Version: x.cfg.Version}
}

// page sends a page made from a template.
func (x *exchange) page(name string, data any) {
	body, err := execute(name, data)
	if err != nil {
		x.failed(err)
		return
	}
	x.send(http.StatusOK, htmlType, []byte(body))
}

// execute renders a template.
func execute(name string, data any) (template.HTML, error) {
	var b bytes.Buffer
	err := pages.ExecuteTemplate(&b, name, data)
	return template.HTML(b.String()), err
}

func (x *exchange) text(status int, text string) {
	x.send(status, "text/plain; charset=utf-8", []byte(text))
}

func (x *exchange) notFound() {
	x.problem(http.StatusNotFound, "There is nothing at this address", "It may be a torrent that is no longer published.")
}

// problem says what went wrong: to a browser as a page, to others in two lines.
func (x *exchange) problem(status int, heading, advice string) {
	if strings.Contains(x.r.Header.Get("Accept"), "text/html") {
		body, err := execute("problem.html", problemPage{x.shell(heading), heading, advice})
		if err == nil {
			x.send(status, htmlType, []byte(body))
			return
		}
		x.log.Error("a problem cannot be shown", "err", err)
	}
	x.text(status, heading+".\n"+advice+"\n")
}

// problemPage is what the page of a problem shows.
type problemPage struct {
	shell
	Heading, Advice string
}

// failed answers for an error of the Source or of our own.
func (x *exchange) failed(err error) {
	if cause := x.r.Context().Err(); cause != nil && errors.Is(err, cause) {
		return // nobody is there to read an answer
	}
	x.log.Error("the status cannot be shown", "url", x.r.URL.Path, "err", err)
	x.problem(http.StatusInternalServerError, "Something went wrong here", "The log of the server says more.")
}

func (x *exchange) send(status int, mediaType string, body []byte) {
	x.w.Header().Set("Content-Type", mediaType)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // the client may be gone
	}
}
