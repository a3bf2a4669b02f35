package web

import (
	"encoding/json"
	"math"
	"time"
)

// entryJSON is the JSON form of an entry. Links are relative to the address of
// the answer. The name is there to be shown: it is not exact when it is not
// UTF-8; the link is.
type entryJSON struct {
	Name      string     `json:"name"`
	Path      string     `json:"path,omitempty"` // in the answer to a search
	Type      string     `json:"type"`           // file, directory or unit
	URL       string     `json:"url,omitempty"`
	Size      int64      `json:"size"`
	Files     int        `json:"files,omitempty"`
	Modified  time.Time  `json:"modified,omitzero"`
	Title     string     `json:"title,omitempty"`
	About     string     `json:"description,omitempty"`
	Published time.Time  `json:"published,omitzero"`
	State     string     `json:"state,omitempty"`
	Progress  float64    `json:"progress,omitempty"`
	Reason    string     `json:"reason,omitempty"`
	InfoHash  string     `json:"infohash,omitempty"`
	Torrent   string     `json:"torrent,omitempty"`
	Magnet    string     `json:"magnet,omitempty"`
	Peers     *peersJSON `json:"peers,omitempty"`
}

type peersJSON struct {
	Seeds     int     `json:"seeds"`
	Leechers  int     `json:"leechers"`
	Completed int     `json:"completed"`
	Copies    float64 `json:"copies,omitempty"`
}

// listingJSON is the JSON form of an index but for the entries.
type listingJSON struct {
	Path        string `json:"path"`
	Directories int    `json:"directories"`
	Files       int    `json:"files"`
	Bytes       int64  `json:"bytes"`
	Pending     int    `json:"pending"`
	Title       string `json:"title,omitempty"`
	About       string `json:"description,omitempty"`
	Unit        any    `json:"unit,omitempty"` // an entryJSON if the directory is one torrent
	Query       string `json:"query,omitempty"`
	Truncated   bool   `json:"truncated,omitempty"` // there was no time or no room for all that match
}

// entryJSON returns the JSON form of e. suffix is that of its torrent's address.
func (x *exchange) entryJSON(e *Entry, suffix string) entryJSON {
	j := entryJSON{Name: e.Name, Type: "file", Size: e.Size, Files: e.Files, Modified: e.ModTime.UTC(), Reason: e.Reason,
		Title: e.Title, About: e.Description}
	switch {
	case e.Unit:
		j.Type = "unit"
	case e.Dir:
		j.Type = "directory"
	}
	if e.linked() {
		j.URL = x.href(e.Path)
		if e.Dir {
			j.URL += "/"
		}
	}
	if !e.seeded() && e.State != LeftOut {
		return j
	}
	j.State = e.State.String()
	if e.State == Hashing && !math.IsNaN(e.Progress) {
		j.Progress = min(max(e.Progress, 0), 1)
	}
	if e.State == Published && j.URL != "" {
		j.InfoHash = e.InfoHash.String()
		j.Published = e.Published.UTC()
		j.Torrent = x.href(e.Path) + suffix
		j.Magnet = x.cfg.Source.Magnet(*e, x.via).String()
		if e.Peers.Known {
			j.Peers = &peersJSON{e.Peers.Seeds, e.Peers.Leechers, e.Peers.Completed, e.Peers.Copies}
		}
	}
	return j
}

func (l *listing) jsonTop() []byte {
	top := listingJSON{Path: "/" + l.dir.Path, Directories: l.dirs, Files: l.files, Bytes: l.bytes, Pending: l.pending}
	if l.dir.Path != "" {
		top.Path += "/"
	}
	top.Title, top.About = l.dir.Title, l.dir.Description
	if l.found != nil {
		top.Query, top.Truncated = l.found.Query, l.found.Cut
	}
	if l.dir.Unit {
		top.Unit = l.x.entryJSON(&l.dir, l.x.torrentSuffix(l.dir.Path))
	}
	b, _ := json.Marshal(top) // strings and numbers only
	return append(b[:len(b)-1], `,"entries":[`...)
}

func (l *listing) appendJSONRow(dst []byte, i int, e *Entry) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	j := l.x.entryJSON(e, l.suffix(e))
	if l.found != nil {
		j.Path = "/" + e.Path
	}
	b, err := json.Marshal(j)
	if err != nil { // a time or a number that JSON cannot say
		b, _ = json.Marshal(entryJSON{Name: j.Name, Type: j.Type, URL: j.URL, Size: j.Size, State: j.State})
	}
	return append(append(dst, '\n'), b...)
}

func (l *listing) jsonBottom() []byte { return []byte("\n]}\n") }
