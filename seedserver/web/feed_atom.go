package web

import (
	"encoding/xml"
	"time"
)

// atomFeed is an Atom document (RFC 4287).
type atomFeed struct {
	XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	ID        string      `xml:"id"`
	Title     string      `xml:"title"`
	Subtitle  string      `xml:"subtitle"`
	Updated   string      `xml:"updated"`
	Author    string      `xml:"author>name"`
	Generator string      `xml:"generator"`
	Links     []atomLink  `xml:"link"`
	Entries   []atomEntry `xml:"entry"`
}

type atomEntry struct {
	ID        string     `xml:"id"`
	Title     string     `xml:"title"`
	Published string     `xml:"published"`
	Updated   string     `xml:"updated"`
	Summary   string     `xml:"summary"`
	Links     []atomLink `xml:"link"`
}

type atomLink struct {
	Rel    string `xml:"rel,attr"`
	Type   string `xml:"type,attr"`
	Href   string `xml:"href,attr"`
	Length int64  `xml:"length,attr,omitempty"`
	Title  string `xml:"title,attr,omitempty"`
}

// atom returns f as Atom. An entry's id is that of its content, so that a file
// that changed is a new entry and one that was renamed is not.
func (f *feed) atom() atomFeed {
	doc := atomFeed{
		ID: f.Self, Title: f.Title, Subtitle: f.Summary, Updated: atomTime(f.Updated), Author: f.Title, Generator: "seedserver",
		Links: []atomLink{{Rel: "self", Type: typeAtom, Href: f.Self}, {Rel: "alternate", Type: typeHTML, Href: f.Index}},
	}
	for _, i := range f.Items {
		links := []atomLink{{Rel: "alternate", Type: typeHTML, Href: i.Page}}
		if i.Magnet != "" {
			links = append(links, atomLink{Rel: "alternate", Type: typeTorrent, Href: i.Magnet, Title: "Magnet link"})
		}
		doc.Entries = append(doc.Entries, atomEntry{
			ID: "urn:btih:" + i.InfoHash.String(), Title: i.heading(), Published: atomTime(i.since()), Updated: atomTime(i.since()), Summary: i.text(),
			Links: append(links, atomLink{Rel: "enclosure", Type: typeTorrent, Href: i.Torrent, Length: i.Length}),
		})
	}
	return doc
}

// text describes i in plain text.
func (i *item) text() string {
	if i.Description == "" {
		return i.facts()
	}
	return visibleText(i.Description) + "\n\n" + i.facts()
}

// atomTime writes a time as RFC 4287, section 3.3, wants it. The zero time
// becomes 1970: an element must have one.
func atomTime(t time.Time) string {
	if t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339)
}
