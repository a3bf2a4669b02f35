package httptracker

import (
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
)

// Handler answers announces and scrapes over HTTP. It serves the paths
// /announce, /announce/KEY, /scrape and /scrape/KEY. It may be used
// concurrently.
type Handler struct {
	cfg       Config
	random    *rand.Rand
	exchanges sync.Pool
	full      fullScrape
}

// New returns a handler. It panics if cfg.Store is nil.
func New(cfg Config) *Handler {
	if cfg.Store == nil {
		panic("httptracker: Config.Store is nil")
	}
	h := &Handler{cfg: cfg.withDefaults(), random: rand.New(globalSource{})}
	h.exchanges.New = func() any { return new(exchange) }
	return h
}

// globalSource is the generator of package rand, which may be used concurrently.
type globalSource struct{}

func (globalSource) Uint64() uint64 { return rand.Uint64() }

// Handles reports whether r is meant for a tracker rather than for a file that
// happens to be called announce: by its path, and an info_hash in its query.
func Handles(r *http.Request) bool {
	if _, _, ok := tracker.CutPath(r.URL.Path); !ok {
		return false
	}
	raw := r.URL.RawQuery
	return strings.HasPrefix(raw, "info_hash=") || strings.Contains(raw, "&info_hash=")
}

// exchange is one request and its answer, with the memory both need. It is
// used again, so that the path of an announce does not allocate.
type exchange struct {
	query  AnnounceQuery
	res    tracker.AnnounceResponse
	hashes [][20]byte
	body   []byte
	access Access
}

// ServeHTTP answers r. Refusals, too, have status 200 and a bencoded body, for
// clients do not read the body of any other status. Exceptions are what no
// BitTorrent client sends: other paths (404) and methods other than GET (405).
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name, key, ok := tracker.CutPath(r.URL.Path)
	switch {
	case !ok:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	x := h.answer(r, name, key)
	writeBody(w, x.body)
	h.finish(x)
}

// answer makes the answer to r, whose path is name and key. It goes back by
// finish.
func (h *Handler) answer(r *http.Request, name, key string) *exchange {
	x := h.exchanges.Get().(*exchange)
	x.access = Access{Time: time.Now(), Request: r, Scrape: name == tracker.ScrapePath}
	x.body = x.body[:0]
	var err error
	if x.access.Scrape {
		err = h.scrape(x, key)
	} else {
		err = h.announce(x, key)
	}
	if err != nil {
		h.refuse(x, err)
	}
	return x
}

// finish is called when the answer was sent.
func (h *Handler) finish(x *exchange) {
	if h.cfg.Log != nil {
		x.access.Bytes = len(x.body)
		h.cfg.Log(x.access)
	}
	x.access = Access{} // do not hold on to the request
	h.exchanges.Put(x)
}

// refuse makes err the answer.
func (h *Handler) refuse(x *exchange, err error) {
	if ctx := x.access.Request.Context(); h.cfg.Logger.Enabled(ctx, slog.LevelDebug) {
		h.cfg.Logger.LogAttrs(ctx, slog.LevelDebug, "request refused",
			slog.Any("addr", x.access.Client), slog.Bool("scrape", x.access.Scrape), slog.Any("err", err))
	}
	failure := errInternal
	errors.As(err, &failure)
	x.access.Failure, x.access.Peers = failure.Reason, 0
	x.body = appendFailure(x.body[:0], failure)
}

var (
	errInternal = &tracker.FailureError{Reason: "internal error"}
	errClient   = &tracker.FailureError{Reason: "the address of the client is not known"}
)

// Header values shared by all answers: nobody changes them.
var (
	textPlain = []string{"text/plain"}
	noStore   = []string{"no-store"}
)

// writeBody sends an answer. Its length is stated only if net/http would not do
// so by itself: it does up to 2,048 bytes.
func writeBody(w http.ResponseWriter, body []byte) {
	header := w.Header()
	header["Content-Type"] = textPlain
	header["Cache-Control"] = noStore
	if len(body) > 2048 {
		header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	w.Write(body) // the client is gone if this fails
}

// announce answers an announce, or returns why it is refused.
func (h *Handler) announce(x *exchange, key string) error {
	r := x.access.Request
	client, err := h.client(r)
	if err != nil {
		return err
	}
	x.access.Client = netip.AddrPortFrom(client, 0)
	x.query, err = ParseAnnounceQuery(r.URL.RawQuery)
	q := &x.query
	x.access.InfoHash, x.access.Event = q.InfoHash, q.Event
	if err != nil {
		return err
	}
	x.access.Client = netip.AddrPortFrom(client, q.Addr.Port())
	if err := h.allowed(key, q.InfoHash); err != nil {
		return err
	}
	q.Addr = netip.AddrPortFrom(h.peerAddr(client, q, r), q.Addr.Port())
	if h.cfg.Announced != nil {
		h.cfg.Announced(x.access.Time, key, &q.AnnounceRequest)
	}
	askedNone := q.NumWant == 0
	q.NumWant = tracker.NumWant(q.NumWant, h.cfg.DefaultNumWant, h.cfg.MaxNumWant)

	x.res.Reset()
	standing, err := h.cfg.Store.Announce(x.access.Time, &q.AnnounceRequest, &x.res)
	if err != nil {
		return err
	}
	x.res.ExternalIP = client
	regular, least := h.intervals()
	x.res.Interval, x.res.MinInterval = tracker.Jitter(regular, h.cfg.Jitter, h.random), least
	if h.cfg.Warning != nil {
		x.res.Warning = h.cfg.Warning(q.InfoHash)
	}
	own := h.own(q.InfoHash, r)
	if len(own) > 0 {
		x.res.Complete++
	}
	if q.Event == tracker.EventStopped || !standing.WantsSeeds() || askedNone {
		own = nil
	}
	x.access.Peers = len(x.res.Peers4)/compact.Peer4Size + len(x.res.Peers6)/compact.Peer6Size + len(own)
	x.body = appendAnnounce(x.body, &x.res, own, q.Dicts)
	return nil
}

// scrape answers a scrape, or returns why it is refused.
func (h *Handler) scrape(x *exchange, key string) error {
	r := x.access.Request
	client, err := h.client(r)
	if err != nil {
		return err
	}
	x.access.Client = netip.AddrPortFrom(client, 0)
	if h.cfg.Scrape == tracker.ScrapeNone {
		return errNoScrape
	}
	x.hashes, err = parseScrapeQuery(x.hashes[:0], r.URL.RawQuery, h.cfg.MaxScrape)
	if errors.Is(err, errFullScrape) && h.cfg.Scrape == tracker.ScrapeFull && h.cfg.AllowKey == nil {
		x.body, err = h.full.answer(h, x, r)
		return err
	}
	if err != nil {
		return err
	}
	x.body = h.appendScrape(x.body, x.hashes, key, r)
	return nil
}

// allowed asks whether a torrent may be talked about.
func (h *Handler) allowed(key string, infohash [20]byte) error {
	if h.cfg.Allow != nil {
		if err := h.cfg.Allow(infohash); err != nil {
			return err
		}
	}
	if h.cfg.AllowKey != nil {
		return h.cfg.AllowKey(key, infohash)
	}
	return nil
}

// own returns the addresses of our own seed.
func (h *Handler) own(infohash [20]byte, r *http.Request) []netip.AddrPort {
	if h.cfg.Own == nil {
		return nil
	}
	return h.cfg.Own(infohash, r)
}
