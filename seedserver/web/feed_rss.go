package web

import (
	"encoding/xml"
	"strings"
	"time"
)

// rssFeed is an RSS 2.0 document, with the elements for torrents that clients
// read (namespace of ezRSS).
type rssFeed struct {
	XMLName xml.Name   `xml:"rss"`
	Version string     `xml:"version,attr"`
	Atom    string     `xml:"xmlns:atom,attr"`
	Torrent string     `xml:"xmlns:torrent,attr"`
	Channel rssChannel `xml:"channel"`
}

type rssChannel struct {
	Title       string    `xml:"title"`
	Link        string    `xml:"link"`
	Description string    `xml:"description"`
	Generator   string    `xml:"generator"`
	Built       string    `xml:"lastBuildDate,omitempty"`
	Self        rssSelf   `xml:"atom:link"`
	Items       []rssItem `xml:"item"`
}

type rssSelf struct {
	Rel  string `xml:"rel,attr"`
	Type string `xml:"type,attr"`
	Href string `xml:"href,attr"`
}

type rssItem struct {
	Title       string       `xml:"title"`
	Link        string       `xml:"link"`
	GUID        rssGUID      `xml:"guid"`
	Published   string       `xml:"pubDate,omitempty"`
	Description string       `xml:"description"`
	Enclosure   rssEnclosure `xml:"enclosure"`
	Length      int64        `xml:"torrent:contentLength"`
	InfoHash    string       `xml:"torrent:infoHash"`
	Magnet      string       `xml:"torrent:magnetURI,omitempty"`
}

type rssGUID struct {
	PermaLink bool   `xml:"isPermaLink,attr"`
	Value     string `xml:",chardata"`
}

type rssEnclosure struct {
	URL    string `xml:"url,attr"`
	Length int64  `xml:"length,attr"`
	Type   string `xml:"type,attr"`
}

// rss returns f as RSS.
func (f *feed) rss() rssFeed {
	doc := rssFeed{
		Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Torrent: "http://xmlns.ezrss.it/0.1/",
		Channel: rssChannel{Title: f.Title, Link: f.Index, Description: f.Summary, Generator: "seedserver", Built: rssTime(f.Updated),
			Self: rssSelf{"self", typeRSS, f.Self}},
	}
	for _, i := range f.Items {
		doc.Channel.Items = append(doc.Channel.Items, rssItem{
			Title: i.heading(), Link: i.Page, GUID: rssGUID{Value: "urn:btih:" + i.InfoHash.String()}, Published: rssTime(i.since()),
			Description: i.html(), Enclosure: rssEnclosure{i.Torrent, i.Length, typeTorrent},
			Length: i.Size, InfoHash: i.InfoHash.String(), Magnet: i.Magnet,
		})
	}
	return doc
}

// html describes i in HTML: that is what readers take a description for.
func (i *item) html() string {
	var b []byte
	if i.Description != "" {
		b = append(b, "<p>"...)
		b = append(b, strings.ReplaceAll(string(appendHTML(nil, visibleText(i.Description))), "\n", "<br>\n")...)
		b = append(b, "</p>\n"...)
	}
	b = appendHTML(append(b, "<p>"...), i.facts())
	b = append(appendHTML(append(b, `: <a href="`...), i.Torrent), `">torrent</a>`...)
	if i.Magnet != "" {
		b = append(appendHTML(append(b, `, <a href="`...), i.Magnet), `">magnet link</a>`...)
	}
	return string(append(b, `</p>`...))
}

// rssTime writes a time as RSS wants it (RFC 822 with four digits of the year),
// or nothing if it is not known.
func rssTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC1123Z)
}
