package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// TrackerTable is what a tracker knows, as its page shows it.
type TrackerTable struct {
	Time     time.Time
	Torrents []TrackerTorrent // in the order to show; there may be more of them
	Total    TrackerTotal     // of all
}

// TrackerTorrent is one torrent of a tracker.
type TrackerTorrent struct {
	InfoHash metainfo.InfoHash
	Name     string // "" if not known; its path if it is published beside the tracker
	Size     int64  // in bytes, 0 if not known

	Complete    int // seeds
	Downloading int // all others
	Downloaded  int // downloads that were said to be finished
}

// Transferred is what the finished downloads come to, in bytes.
func (t *TrackerTorrent) Transferred() int64 { return t.Size * int64(t.Downloaded) }

// TrackerTotal sums a tracker up.
type TrackerTotal struct {
	Torrents    int
	Complete    int
	Downloading int
	Downloaded  int
	Transferred int64 // bytes, of torrents whose size is known
	Connections int   // peers of all torrents
	Addresses   int   // different IP addresses among them
}

// TrackerConfig configures the pages of a tracker that is alone. Only Table is
// needed.
type TrackerConfig struct {
	Table   func() TrackerTable // called by many goroutines at once
	Title   string              // at the top of the page. If empty, "Tracker"
	Version string
	Proxies Proxies
	URL     string // address of the tracker as clients write it; if empty, each request tells
	UDP     bool   // it answers on UDP, too
}

// TrackerPages answers for a tracker that is alone: its page at / and /-/tracker.
type TrackerPages struct {
	h   *Handler
	cfg TrackerConfig
}

// NewTrackerPages returns the pages of a tracker.
func NewTrackerPages(cfg TrackerConfig) *TrackerPages {
	if cfg.Title == "" {
		cfg.Title = "Tracker"
	}
	h := &Handler{cfg: Config{Title: cfg.Title, Version: cfg.Version, Proxies: cfg.Proxies, URL: cfg.URL, alone: true}}
	h.log = h.cfg.logger()
	return &TrackerPages{h, cfg}
}

// ServeHTTP answers one request.
func (p *TrackerPages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{Handler: p.h, w: w, r: r, accept: parseAccept(r.Header.Values("Accept")), via: p.h.Via(r)}
	sent := r.URL.EscapedPath()
	x.root = rootOf(sent)
	x.setHeaders()
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		x.text(http.StatusMethodNotAllowed, "this address can only be read\n")
	case sent == "/" || sent == "/-/tracker":
		page := x.trackerPage(p.cfg.Table())
		if x.via.URL != "" {
			page.Announce = append(page.Announce, x.via.URL+"/announce")
			if _, host, ok := strings.Cut(x.via.URL, "://"); ok && p.cfg.UDP {
				page.Announce = append(page.Announce, "udp://"+host+"/announce")
			}
		}
		x.varyHost()
		x.sendTracker(page)
	default:
		if name, ok := strings.CutPrefix(sent, "/-/static/"); ok && static.Serve(w, r, name, "public") {
			return
		}
		x.text(http.StatusNotFound, "there is nothing here; the tracker's page is at /\n")
	}
}

// trackerPage is what tracker.html shows.
type trackerPage struct {
	shell
	Announce []string // URLs of the tracker
	Time     string
	Rows     []trackerRow
	More     int // torrents that are not shown
	Total    TrackerTotal
	Sent     string // Total.Transferred, in words
	table    TrackerTable
}

type trackerRow struct {
	TrackerTorrent
	Show string // the name, or that there is none
	Href string // its details; "" if the tracker is alone
	Size string
	Sent string
}

func (x *exchange) trackerPage(t TrackerTable) trackerPage {
	p := trackerPage{shell: x.shell("", ""), Time: t.Time.UTC().Format("2006-01-02 15:04:05"), Total: t.Total,
		Sent: string(appendSize(nil, t.Total.Transferred)), More: t.Total.Torrents - len(t.Torrents), table: t}
	p.Crumbs = []crumb{{Name: "Torrents"}}
	if !p.Alone {
		p.Title = "Tracker – " + p.Site
		p.Crumbs = []crumb{{Name: "Files", Href: x.root}, {Name: "Tracker"}}
	}
	p.Rows = make([]trackerRow, len(t.Torrents))
	for i, one := range t.Torrents {
		row := trackerRow{TrackerTorrent: one, Show: visible(one.Name)}
		if !p.Alone && one.Name != "" {
			row.Href = x.href(one.Name) + "?page"
		}
		if one.Size > 0 {
			row.Size, row.Sent = string(appendSize(nil, one.Size)), string(appendSize(nil, one.Transferred()))
		}
		p.Rows[i] = row
	}
	return p
}

// sendTracker sends the page in the form that the client prefers.
func (x *exchange) sendTracker(p trackerPage) {
	x.w.Header().Set("Cache-Control", "no-store")
	switch x.accept.choose(typeHTML, typeJSON) {
	case typeJSON:
		x.send(http.StatusOK, typeJSON, trackerJSON(p.Version, &p.table))
	case typeHTML:
		x.page(http.StatusOK, "tracker.html", p)
	default:
		x.text(http.StatusNotAcceptable, "this page is text/html or application/json\n")
	}
}

// serveTracker answers for the tracker's page of a Handler.
func (x *exchange) serveTracker() {
	if x.cfg.Tracker == nil {
		x.notFound()
		return
	}
	x.sendTracker(x.trackerPage(x.cfg.Tracker(x.r)))
}

// trackerJSON is the machine's form of the page. Sizes that are not known are
// null.
func trackerJSON(version string, t *TrackerTable) []byte {
	type torrent struct {
		InfoHash    string `json:"infohash"`
		Name        string `json:"name,omitempty"`
		Size        *int64 `json:"size"`
		Complete    int    `json:"complete"`
		Downloading int    `json:"downloading"`
		Downloaded  int    `json:"downloaded"`
		Transferred *int64 `json:"transferred"`
	}
	type totals struct {
		Torrents    int   `json:"torrents"`
		Complete    int   `json:"complete"`
		Downloading int   `json:"downloading"`
		Downloaded  int   `json:"downloaded"`
		Transferred int64 `json:"transferred"`
		Addresses   int   `json:"addresses"`
		Connections int   `json:"connections"`
	}
	out := struct {
		Version  string    `json:"version"`
		Time     time.Time `json:"time"`
		Torrents []torrent `json:"torrents"`
		Totals   totals    `json:"totals"`
	}{version, t.Time.UTC(), make([]torrent, len(t.Torrents)), totals{t.Total.Torrents, t.Total.Complete, t.Total.Downloading,
		t.Total.Downloaded, t.Total.Transferred, t.Total.Addresses, t.Total.Connections}}
	for i := range t.Torrents {
		one := &t.Torrents[i]
		row := torrent{InfoHash: one.InfoHash.String(), Name: one.Name, Complete: one.Complete, Downloading: one.Downloading, Downloaded: one.Downloaded}
		if one.Size > 0 {
			sent := one.Transferred()
			row.Size, row.Transferred = &one.Size, &sent
		}
		out.Torrents[i] = row
	}
	b, _ := json.Marshal(out) // strings and numbers only
	return append(b, '\n')
}

// Count writes a number with spaces between thousands.
func (trackerPage) Count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
