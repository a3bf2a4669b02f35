package web

import (
	"compress/gzip"
	"html/template"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// flushAt is how many bytes of an index are collected before they are sent.
const flushAt = 32 << 10

// listing is what an index or the answer to a search shows.
type listing struct {
	x       *exchange
	dir     Entry
	found   *finding // of a search, else nil
	entries []*Entry
	long    bool   // the client has to take it
	made    func() // called when nothing is kept any more but what is sent; nil if nobody waits for that
	order   order
	taken   map[string]bool // the names that end in ".torrent": no other torrent has this address

	// What all of it comes to. Peers are summed up; their Copies say that some
	// are known.
	dirs, files, pending int
	bytes                int64
	peers                Peers

	// Of the HTML form.
	frame  indexPage
	pager  pager
	readme template.HTML // what is shown below the list

	address []byte // of appendJSONRow, to be used again

	// example is a published file to show how a download is started, or nil.
	example *Entry
}

// serveIndex sends the index of a directory in the form the client prefers.
func (x *exchange) serveIndex(dir Entry) {
	form := x.accept.choose(typeHTML, typeText, typeJSON)
	if form == "" {
		x.varyHost()
		x.problem(http.StatusNotAcceptable, "A directory has no such form",
			"Its index is text/html, text/plain or application/json; a directory that is one unit also has a torrent.")
		return
	}
	entries, long, made, sent, ok := x.listAs(form, dir)
	defer sent()
	defer made()
	if !ok {
		return
	}
	if dir.Unit && dir.State == Published {
		x.linkTorrent(dir)
	}
	l := x.list(dir, entries)
	l.long, l.made = long, made
	if form == typeHTML {
		l.readme = l.renderReadme()
	}
	l.send(form)
}

// list sorts entries and sums them up.
func (x *exchange) list(dir Entry, entries []Entry) *listing {
	query := x.r.URL.Query() // what can be read is enough
	l := &listing{x: x, dir: dir, order: parseOrder(query), entries: make([]*Entry, 0, len(entries)), taken: map[string]bool{}}
	for i := range entries {
		e := &entries[i]
		if e.Name == "" || e.Name[0] == '.' {
			continue
		}
		l.entries = append(l.entries, e)
		l.count(e)
	}
	slices.SortFunc(l.entries, l.order.compare)
	for _, e := range l.entries {
		if e.State == Published && !e.Dir && (l.example == nil || e.Size > l.example.Size && l.example.Size < x.cfg.plainBelow()) {
			l.example = e
		}
	}
	l.pager = newPager(len(l.entries), query)
	return l
}

// count adds e to the sums.
func (l *listing) count(e *Entry) {
	l.bytes += e.Size
	if strings.HasSuffix(e.Name, ".torrent") && e.linked() {
		l.taken[e.Name] = true
	}
	if e.Dir {
		l.dirs++
	} else {
		l.files++
	}
	if (e.State == Settling || e.State == Hashing) && e.seeded() {
		l.pending++
	}
	if e.seeded() {
		l.peers.Known = l.peers.Known || e.Peers.Known
		l.peers.Seeds += e.Peers.Seeds
		l.peers.Leechers += e.Peers.Leechers
		l.peers.Completed += e.Peers.Completed
		l.peers.Copies += e.Peers.Copies
	}
}

// seeded reports whether e has a state of its own: plain directories and what
// is inside a unit have none.
func (e *Entry) seeded() bool { return e.In == "" && (!e.Dir || e.Unit) }

// linked reports whether the address of e answers with something.
func (e *Entry) linked() bool { return servable(e.Name) && e.State != LeftOut }

// suffix returns what to append to the address of e for its torrent.
func (l *listing) suffix(e *Entry) string {
	switch {
	case l.found != nil:
		return l.x.torrentSuffix(e.Path)
	case len(l.taken) > 0 && l.taken[e.Name+".torrent"]:
		return "?torrent"
	}
	return ".torrent"
}

// send sends the listing in one of its forms.
func (l *listing) send(form string) {
	x := l.x
	x.varyHost()
	header := x.w.Header()
	header.Set("Vary", header.Get("Vary")+", Accept-Encoding")
	version := l.version(form)
	header.Set("ETag", version)
	if noneMatch(x.r.Header.Values("If-None-Match"), version) {
		x.w.WriteHeader(http.StatusNotModified)
		return
	}
	header.Set("Content-Type", form+"; charset=utf-8")
	if form == typeJSON {
		header.Set("Content-Type", form)
	}
	var w io.Writer = x.w
	if l.long {
		prompt := newPromptWriter(x.w)
		defer prompt.done()
		w = prompt
	}
	zipped := acceptsGzip(x.r)
	if zipped {
		header.Set("Content-Encoding", "gzip")
	}
	switch {
	case x.r.Method == http.MethodHead:
	case zipped:
		zip := compressors.Get().(*gzip.Writer)
		defer compressors.Put(zip)
		zip.Reset(w)
		l.writeTo(zip, form)
		_ = zip.Close() // the client may be gone
	default:
		l.writeTo(w, form)
	}
}

// compressors are reused because a new one allocates a megabyte.
var compressors = sync.Pool{New: func() any {
	zip, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is good
	return zip
}}

// writeTo sends the listing. An error of w means that the client is gone, and
// ends it.
func (l *listing) writeTo(w io.Writer, form string) {
	top, row, bottom := l.htmlTop, l.appendHTMLRow, l.htmlBottom
	switch form {
	case typeText:
		top, row, bottom = l.textTop, l.appendTextRow, l.textBottom
	case typeJSON:
		top, row, bottom = l.jsonTop, l.appendJSONRow, l.jsonBottom
	default:
		l.keepPage()
	}
	if l.made != nil {
		l.made()
	}
	buffer := top()
	for i, e := range l.entries {
		buffer = row(buffer, i, e)
		if len(buffer) < flushAt {
			continue
		}
		if _, err := w.Write(buffer); err != nil {
			return
		}
		buffer = buffer[:0]
	}
	_, _ = w.Write(append(buffer, bottom()...))
}
