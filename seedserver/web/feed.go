package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

const (
	typeAtom = "application/atom+xml"
	typeRSS  = "application/rss+xml"

	// maxItems is how many of the newest torrents a feed has.
	maxItems = 50
)

// item is one torrent of a feed.
type item struct {
	Entry
	Page, Torrent, Magnet string
	Length                int64 // of the torrent, in bytes
}

// feed is what both formats say.
type feed struct {
	Title   string
	Summary string
	Self    string // URL of the feed
	Index   string // URL of the directory
	Updated time.Time
	Items   []item
}

// serveFeed answers /-/feed.atom?dir=PATH and /-/feed.rss?dir=PATH: the newest
// torrents in and below a directory.
func (x *exchange) serveFeed(name string) {
	dir, ok := x.queryDir(x.r.URL.Query())
	if !ok {
		return
	}
	f, err := x.feed(name, dir)
	if err != nil {
		return // nobody is there to read an answer
	}
	var doc any = f.rss()
	mediaType := typeRSS
	if name == "feed.atom" {
		doc, mediaType = f.atom(), typeAtom
	}
	b, err := xml.MarshalIndent(doc, "", " ")
	if err != nil {
		x.sourceFailed(dir, err)
		return
	}
	b = append([]byte(xml.Header), append(b, '\n')...)
	sum := sha256.Sum256(b)
	header := x.w.Header()
	header.Set("Content-Type", mediaType+"; charset=utf-8")
	header.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	x.varyHost()
	http.ServeContent(x.w, x.r, "", time.Time{}, bytes.NewReader(b))
}

// feed collects what the feed of a directory says. The error is that of the
// request's context.
func (x *exchange) feed(name string, dir Entry) (*feed, error) {
	f := &feed{Title: x.cfg.title(), Summary: "New torrents, as they are published", Self: x.own(feedPath(name, dir)), Index: x.own("")}
	if dir.Path != "" {
		f.Index = x.url(dir.Path, "/")
	}
	switch {
	case dir.Title != "":
		f.Title = visible(dir.Title)
	case dir.Path != "":
		f.Title += " – " + visible(dir.Path)
	}
	if dir.Description != "" {
		f.Summary = visibleText(dir.Description)
	}
	newest, err := x.newest(dir.Path)
	if err != nil {
		return nil, err
	}
	for _, e := range newest {
		torrent, err := x.source.Torrent(x.r.Context(), e, x.via)
		if err != nil {
			continue // it was retired a moment ago
		}
		f.Items = append(f.Items, item{Entry: e, Page: x.url(e.Path, "?page"), Torrent: x.torrentURL(e),
			Magnet: x.magnetLink(e), Length: int64(len(torrent))})
	}
	for _, i := range f.Items {
		if i.since().After(f.Updated) {
			f.Updated = i.since()
		}
	}
	return f, nil
}

// feedPath returns the address of a feed of a directory, from the root.
func feedPath(name string, dir Entry) string {
	if dir.Path == "" {
		return "-/" + name
	}
	return "-/" + name + "?dir=" + url.QueryEscape(dir.Path)
}

// feedLink is a feed of a directory.
type feedLink struct{ Name, Type, Href string }

// feedLinks returns relative links to the feeds of a directory.
func (x *exchange) feedLinks(dir Entry) []feedLink {
	return []feedLink{
		{"Atom", typeAtom, x.root + feedPath("feed.atom", dir)},
		{"RSS", typeRSS, x.root + feedPath("feed.rss", dir)},
	}
}

// own returns the absolute URL of an address of our own, given from the root.
func (x *exchange) own(path string) string {
	if x.via.URL == "" {
		return x.root + path
	}
	return x.via.URL + "/" + path
}

// newest returns the torrents in and below a directory that were published
// last, newest first, each once.
func (x *exchange) newest(dir string) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(x.r.Context(), searchTime)
	defer cancel()
	var newest []Entry
	x.walk(ctx, dir, func(e *Entry) bool {
		if e.State == Published && e.seeded() {
			newest = append(newest, *e)
		}
		if len(newest) == 20*maxItems {
			newest = keepNewest(newest)
		}
		return true
	})
	return keepNewest(newest), x.r.Context().Err()
}

// keepNewest returns the newest of entries in order. What is at several places
// is one torrent: the first place counts.
func keepNewest(entries []Entry) []Entry {
	slices.SortFunc(entries, func(a, b Entry) int {
		if order := b.since().Compare(a.since()); order != 0 {
			return order
		}
		return compareNames(a.Path, b.Path)
	})
	seen := map[metainfo.InfoHash]bool{}
	entries = slices.DeleteFunc(entries, func(e Entry) bool {
		again := seen[e.InfoHash]
		seen[e.InfoHash] = true
		return again
	})
	return entries[:min(len(entries), maxItems)]
}

// since returns when e was published, as far as that is known.
func (e *Entry) since() time.Time {
	if e.Published.IsZero() {
		return e.ModTime
	}
	return e.Published
}

// heading returns the title of e, or its name.
func (e *Entry) heading() string {
	if e.Title != "" {
		return visible(e.Title)
	}
	return visible(e.Name)
}

// facts says what i is, in plain text.
func (i *item) facts() string {
	text := visible(i.Path) + ", " + string(appendSize(nil, i.Size))
	if i.Unit && i.Files > 0 {
		text += ", " + string(appendCount(nil, i.Files, "file"))
	}
	return text
}
