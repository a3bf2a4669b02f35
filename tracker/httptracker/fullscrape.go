package httptracker

import (
	"bytes"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/tracker"
)

const (
	maxFullScrape   = 100_000 // torrents of one answer: about 9 MB
	fullScrapeEvery = time.Minute
)

// eacher is a [Store] that can be walked. A full scrape needs one.
type eacher interface {
	Each(visit func(infohash [20]byte, stats tracker.ScrapeStats) bool)
}

// fullScrape is the answer to a scrape of all torrents. It is made once a
// minute at most, whoever asks how often.
type fullScrape struct {
	mu   sync.Mutex
	at   time.Time
	body []byte
}

var (
	errNoScrape      = &tracker.FailureError{Reason: "scrapes are not answered here", RetryAfter: -1}
	errTooManyToList = &tracker.FailureError{Reason: "Request-URI Too Long: there are too many torrents for a full scrape"}
)

// answer appends the answer to x.body.
func (f *fullScrape) answer(h *Handler, x *exchange, r *http.Request) ([]byte, error) {
	store, ok := h.cfg.Store.(eacher)
	if !ok {
		return x.body, errFullScrape
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if x.access.Time.Sub(f.at) >= fullScrapeEvery {
		body, err := h.appendAll(f.body[:0], store, r)
		if err != nil {
			return x.body, err
		}
		f.body, f.at = body, x.access.Time
	}
	return append(x.body, f.body...), nil
}

// counted is the line of one torrent.
type counted struct {
	infohash [20]byte
	stats    tracker.ScrapeStats
}

// appendAll appends the counts of all torrents that are tracked here, in the
// order of their infohashes.
func (h *Handler) appendAll(dst []byte, store eacher, r *http.Request) ([]byte, error) {
	var all []counted
	store.Each(func(infohash [20]byte, stats tracker.ScrapeStats) bool {
		all = append(all, counted{infohash, stats})
		return len(all) <= maxFullScrape
	})
	if len(all) > maxFullScrape {
		return dst, errTooManyToList
	}
	slices.SortFunc(all, func(a, b counted) int { return bytes.Compare(a.infohash[:], b.infohash[:]) })
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendDictStart(bencode.AppendKey(dst, "files"))
	for i := range all {
		one := &all[i]
		if h.allowed("", one.infohash) != nil {
			continue
		}
		if len(h.own(one.infohash, r)) > 0 {
			one.stats.Complete++
		}
		dst = appendStats(bencode.AppendBytes(dst, one.infohash[:]), one.stats)
	}
	return h.appendFlags(bencode.AppendEnd(dst)), nil
}
