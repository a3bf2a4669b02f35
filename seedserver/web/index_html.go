package web

import (
	"bytes"
	"html/template"
	"strconv"
	"strings"
)

// indexPage is what the frame around the rows of an index shows.
type indexPage struct {
	shell
	About   about
	Summary string
	Pending int
	Empty   bool
	Notice  string
	Columns []column
	Pager   pager
	Pages   []pageLink
	Inside  bool          // the rows have no torrents of their own
	Unit    *offer        // if the directory is one published torrent
	State   template.HTML // if it is to become one
	PartOf  string        // if it is inside a unit: the relative link to that
	Dir     string        // the directory, for a search below it
	DirName string        // the same, to be shown
	Readme  template.HTML
	Found   *finding // of a search
}

// about is what the owner of an entry says about it.
type about struct{ Title, Description string }

func aboutEntry(e *Entry) about { return about{visible(e.Title), visibleText(e.Description)} }

// column is the head of a column.
type column struct {
	Class, Title, Href string // without Href, it cannot be sorted by
	Sorted             string // "ascending", "descending" or ""
}

// columns returns the heads of the columns but the last.
func (l *listing) columns() []column {
	all := []column{{Class: "name", Title: "Name"}, {Class: "size", Title: "Size"}, {Class: "date", Title: "Modified (UTC)"}, {Class: "state", Title: "State"}}
	if l.peers.Copies > 0 {
		all = append(all, column{Class: "copies", Title: "Copies"})
	}
	if l.peers.Known {
		all = append(all, column{Class: "seeds", Title: "Seeds"}, column{Class: "leechers", Title: "Leechers"}, column{Class: "completed", Title: "Completed"})
	}
	for i := range all {
		c := &all[i]
		if c.Class == "state" {
			continue
		}
		// The first click shows what is most wanted: the largest, the newest,
		// but the names from their start.
		next := order{by: c.Class, descending: c.Class != "name"}
		if l.order.by == c.Class {
			next.descending = !l.order.descending
			c.Sorted = "ascending"
			if l.order.descending {
				c.Sorted = "descending"
			}
		}
		c.Href = l.href(next)
	}
	return all
}

// href returns the relative link to the first page of this listing in the order
// o.
func (l *listing) href(o order) string {
	if l.found != nil {
		return l.found.query() + strings.Replace(o.query(), "?", "&", 1)
	}
	return o.query()
}

// notice returns what Config.Notice says to this client.
func (x *exchange) notice() string {
	if x.cfg.Notice == nil {
		return ""
	}
	return x.cfg.Notice(x.via)
}

func (l *listing) page() indexPage {
	x := l.x
	p := indexPage{shell: x.shell(visible(l.dir.Path), l.dir.Path), About: aboutEntry(&l.dir), Summary: l.summary(), Pending: l.pending,
		Empty: len(l.entries) == 0, Columns: l.columns(), Pager: l.pager, Pages: l.pager.links(l.href(l.order)),
		Inside: l.dir.Unit || l.dir.In != "", Notice: x.notice(), Readme: l.readme, Found: l.found, Dir: l.dir.Path, DirName: visible(l.dir.Path)}
	if l.found != nil {
		p.shell = x.shell("Search", "")
		p.Crumbs = []crumb{{Name: "Files", Href: x.root}, {Name: "Search"}}
		p.Query = visible(l.found.Query)
		return p
	}
	if p.About.Title != "" {
		p.Title = p.About.Title + " – " + p.Site
	}
	if l.pending > 0 {
		p.Every = 2 + len(l.entries)/500
		p.Refresh = "15"
	}
	switch {
	case l.dir.Unit && l.dir.State == Published:
		o := x.offer(l.dir, l.dir)
		p.Unit = &o
	case l.dir.Unit:
		p.State = template.HTML(appendState(nil, &l.dir))
	case l.dir.In != "":
		p.PartOf = x.href(l.dir.In) + "/"
	default:
		p.Feeds = x.feedLinks(l.dir)
		if l.example != nil && l.example.seeded() {
			p.Copy = aria2c(x.torrentURL(*l.example))
		}
	}
	return p
}

func (l *listing) htmlTop() []byte {
	l.frame = l.page()
	return l.execute("index-top")
}

func (l *listing) htmlBottom() []byte { return l.execute("index-bottom") }

func (l *listing) execute(name string) []byte {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, name, l.frame); err != nil {
		l.x.log.Debug("page failed", "page", name, "err", err)
	}
	return b.Bytes()
}

// maxTeaser bounds what a row shows of a description, in bytes.
const maxTeaser = 200

// appendHTMLRow appends the row of e. Rows are made here and not by a template
// because there can be a thousand of them: a template takes ten times as long.
// Links are of unreserved characters only; all else goes through appendHTML.
func (l *listing) appendHTMLRow(dst []byte, _ int, e *Entry) []byte {
	kind, slash := "file", ""
	switch {
	case e.Unit:
		kind = "unit"
	case e.Dir:
		kind = "dir"
	}
	if e.Dir {
		slash = "/"
	}
	if !e.linked() {
		kind = "out"
	}
	name := e.Name
	if l.found != nil {
		name = e.Path
	}
	dst = append(append(append(dst, `<tr class="`...), kind...), `"><td role="rowheader" class="name">`...)
	var link []byte // the address of e, a part of dst
	if e.linked() {
		start := len(dst) + len(`<a href="`)
		dst = l.appendAddress(append(dst, `<a href="`...), e)
		link = dst[start:]
		dst = append(append(dst, slash...), `"><bdi>`...)
		dst = append(appendHTML(dst, visible(name)), slash...)
		dst = append(dst, `</bdi></a>`...)
	} else {
		dst = append(appendHTML(append(dst, `<span><bdi>`...), visible(name)), slash...)
		dst = append(dst, `</bdi></span>`...)
	}
	dst = appendAbout(dst, e)
	dst = append(dst, `</td><td class="size"`...)
	if e.Size > 0 || e.State == Empty {
		dst = strconv.AppendInt(append(dst, ` data-n="`...), e.Size, 10)
		dst = appendSize(append(dst, `">`...), e.Size)
	} else {
		dst = append(dst, '>')
	}
	dst = append(dst, `</td><td class="date"`...)
	if !e.ModTime.IsZero() {
		dst = strconv.AppendInt(append(dst, ` data-n="`...), e.ModTime.UnixMicro(), 10)
		dst = append(dst, '"')
	}
	dst = appendTime(append(dst, '>'), e.ModTime)
	dst = l.appendRowState(append(dst, `</td><td class="state">`...), e)
	dst = append(dst, `</td>`...)
	dst = l.appendRowPeers(dst, e)
	dst = append(dst, `<td class="get">`...)
	if link != nil {
		dst = l.appendRowGet(dst, e, link)
	}
	return append(dst, "</td></tr>\n"...)
}

// appendAddress appends the relative link to e, without a slash at the end.
func (l *listing) appendAddress(dst []byte, e *Entry) []byte {
	if l.found != nil {
		return append(dst, l.x.href(e.Path)...)
	}
	return appendEscaped(dst, e.Name)
}

// appendAbout appends what a row shows of the title and the description of e.
func appendAbout(dst []byte, e *Entry) []byte {
	if e.Title == "" && e.Description == "" {
		return dst
	}
	dst = append(dst, `<div class="about"><bdi>`...)
	if e.Title != "" {
		dst = append(appendHTML(append(dst, `<b>`...), visible(teaser(e.Title))), `</b>`...)
		if e.Description != "" {
			dst = append(dst, ` – `...)
		}
	}
	dst = appendHTML(dst, visible(teaser(strings.Join(strings.Fields(e.Description), " "))))
	return append(dst, `</bdi></div>`...)
}

// teaser returns the start of text.
func teaser(text string) string {
	if len(text) <= maxTeaser {
		return text
	}
	cut := maxTeaser
	if space := strings.LastIndexByte(text[:cut], ' '); space > cut/2 {
		cut = space
	}
	return strings.ToValidUTF8(text[:cut], "") + "…"
}

// appendRowState appends what the index says about the state of e.
func (l *listing) appendRowState(dst []byte, e *Entry) []byte {
	switch {
	case !servable(e.Name):
		dst = append(dst, `its name has a backslash, which has no place in a URL`...)
	case e.seeded() || e.State == LeftOut:
		dst = appendState(dst, e)
	case e.Dir && e.Files > 0:
		dst = appendCount(dst, e.Files, "file")
	}
	return dst
}

// appendRowPeers appends the cells that count the swarm of e, as many as
// columns has for it.
func (l *listing) appendRowPeers(dst []byte, e *Entry) []byte {
	published := e.seeded() && e.State == Published
	if l.peers.Copies > 0 {
		dst = append(dst, `<td class="n copies">`...)
		if published && e.Peers.Copies > 0 {
			dst = strconv.AppendFloat(dst, e.Peers.Copies, 'f', 1, 64)
		}
		dst = append(dst, `</td>`...)
	}
	if !l.peers.Known {
		return dst
	}
	for _, cell := range []struct {
		open string
		n    int
	}{
		{`<td class="n seeds">`, e.Peers.Seeds}, {`<td class="n leechers">`, e.Peers.Leechers}, {`<td class="n completed">`, e.Peers.Completed},
	} {
		dst = append(dst, cell.open...)
		if published && e.Peers.Known {
			dst = strconv.AppendInt(dst, int64(cell.n), 10)
		}
		dst = append(dst, `</td>`...)
	}
	return dst
}

// appendRowGet appends the ways to get e. link is its address.
func (l *listing) appendRowGet(dst []byte, e *Entry, link []byte) []byte {
	state := e.State
	if state == Published && e.seeded() {
		dst = append(append(dst, `<a href="`...), link...)
		dst = append(append(dst, l.suffix(e)...), `">torrent</a> <a href="`...)
		dst = appendHTML(dst, l.x.magnet(e))
		dst = append(dst, `">magnet</a> `...)
	}
	if (state == Published || state == Empty) && l.x.cfg.plain(e) {
		dst = append(append(append(dst, `<a href="`...), link...), `">plain</a> `...)
	}
	if state == Published && (!e.Dir || e.Unit) {
		dst = append(append(append(dst, `<a href="`...), link...), `?page">details</a>`...)
	}
	return dst
}

// magnet returns the magnet link of e in memory that the next call uses again.
func (x *exchange) magnet(e *Entry) []byte {
	x.scratch = x.cfg.Source.Magnet(*e, x.via).AppendTo(x.scratch[:0])
	return x.scratch
}

// appendState appends as HTML how far e is.
func appendState(dst []byte, e *Entry) []byte {
	reason := e.Reason
	switch e.State {
	case Settling:
		dst = append(dst, `<span class="wait">settling</span>`...)
		if reason == "" {
			reason = "still being written"
		}
	case Hashing:
		dst = append(dst, `<progress max="100" value="`...)
		dst = strconv.AppendInt(dst, int64(percent(e.Progress)), 10)
		dst = append(dst, `" aria-label="hashed"></progress> <span class="wait">hashing `...)
		dst = strconv.AppendInt(dst, int64(percent(e.Progress)), 10)
		dst = append(dst, ` %</span>`...)
	case Published:
		dst = append(dst, `<span class="on">seeding</span>`...)
	case Empty:
		dst = append(dst, `empty`...)
		if reason == "" {
			reason = "no torrent"
		}
	default:
		dst = append(dst, `left out`...)
	}
	if reason != "" {
		dst = append(dst, ` <small>`...)
		dst = append(appendHTML(dst, visible(reason)), `</small>`...)
	}
	return dst
}

// peersText says in words what is known of a swarm.
func peersText(p Peers) string {
	if !p.Known {
		return ""
	}
	dst := append(appendCount(nil, p.Seeds, "seed"), ", "...)
	dst = append(appendCount(dst, p.Leechers, "leecher"), ", "...)
	dst = append(strconv.AppendInt(dst, int64(p.Completed), 10), " completed"...)
	if p.Copies > 0 {
		dst = strconv.AppendFloat(append(dst, ", "...), p.Copies, 'f', 1, 64)
		dst = append(dst, " copies elsewhere"...)
	}
	return string(dst)
}
