package web

import (
	"bytes"
	"html/template"
	"strconv"
)

// indexPage is what the frame around the rows of an index shows.
type indexPage struct {
	shell
	Summary string
	Pending int
	Rows    int
	Notice  string
	Columns []column
	Inside  bool          // the rows have no torrents of their own
	Unit    *offer        // if the directory is one published torrent
	State   template.HTML // if it is to become one
	PartOf  string        // if it is inside a unit: the relative link to that
}

// column is the head of a column by which the rows can be sorted.
type column struct {
	Class, Title, Href string
	Sorted             string // "ascending", "descending" or ""
}

// columns returns the columns by which rows can be sorted.
func (l *listing) columns() []column {
	columns := []column{{Class: "name", Title: "Name"}, {Class: "size", Title: "Size"}, {Class: "time", Title: "Modified (UTC)"}}
	for i := range columns {
		c := &columns[i]
		c.Href = "?sort=" + c.Class
		switch {
		case l.order.by != c.Class:
		case l.order.descending:
			c.Sorted = "descending"
		default:
			c.Sorted = "ascending"
			c.Href += "&order=desc"
		}
	}
	return columns
}

func (l *listing) page() indexPage {
	x := l.x
	p := indexPage{shell: x.shell(visible(l.dir.Path), l.dir.Path), Summary: l.summary(), Pending: l.pending,
		Rows: len(l.entries), Columns: l.columns(), Inside: l.dir.Unit || l.dir.In != ""}
	if l.pending > 0 {
		p.Every = 2 + len(l.entries)/500
		p.Refresh = "15"
	}
	if x.cfg.Notice != nil {
		p.Notice = x.cfg.Notice(x.via)
	}
	switch {
	case l.dir.Unit && l.dir.State == Published:
		o := x.offer(l.dir, l.dir)
		p.Unit = &o
	case l.dir.Unit:
		p.State = template.HTML(appendState(nil, &l.dir))
	case l.dir.In != "":
		p.PartOf = x.href(l.dir.In) + "/"
	case l.example != nil && l.example.seeded():
		p.Copy = aria2c(x.torrentURL(*l.example))
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

// appendHTMLRow appends the row of e. Rows are made here and not by a template
// because there can be ten thousand of them: a template takes ten times as
// long. Links are of unreserved characters only; all else goes through
// appendHTML.
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
	dst = append(append(append(dst, `<tr class="`...), kind...), `"><td class="name">`...)
	var link []byte // the address of e, a part of dst
	if e.linked() {
		start := len(dst) + len(`<a href="`)
		dst = appendEscaped(append(dst, `<a href="`...), e.Name)
		link = dst[start:]
		dst = append(append(dst, slash...), `"><bdi>`...)
		dst = append(appendHTML(dst, visible(e.Name)), slash...)
		dst = append(dst, `</bdi></a>`...)
	} else {
		dst = append(appendHTML(append(dst, `<span><bdi>`...), visible(e.Name)), slash...)
		dst = append(dst, `</bdi></span>`...)
	}
	dst = append(dst, `</td><td class="size">`...)
	if e.Size > 0 || e.State == Empty {
		dst = appendSize(dst, e.Size)
	}
	dst = appendTime(append(dst, `</td><td class="time">`...), e.ModTime)
	dst = l.appendRowState(append(dst, `</td><td class="state">`...), e)
	dst = append(dst, `</td><td class="get">`...)
	if link != nil && e.State == Published && e.seeded() {
		dst = append(append(dst, `<a href="`...), link...)
		dst = append(append(dst, l.suffix(e)...), `">torrent</a> <a href="`...)
		dst = appendHTML(dst, l.x.cfg.Source.Magnet(*e, l.x.via).String())
		dst = append(dst, `">magnet</a>`...)
	}
	return append(dst, "</td></tr>\n"...)
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
		dst = append(dst, `"></progress> <span class="wait">hashing `...)
		dst = strconv.AppendInt(dst, int64(percent(e.Progress)), 10)
		dst = append(dst, ` %</span>`...)
	case Published:
		dst = appendPeers(dst, e.Peers)
	case Empty:
		dst = append(dst, `empty, no torrent`...)
	default:
		dst = append(dst, `left out`...)
	}
	if reason != "" {
		dst = append(dst, ` <small>`...)
		dst = append(appendHTML(dst, visible(reason)), `</small>`...)
	}
	return dst
}

func appendPeers(dst []byte, p Peers) []byte {
	if !p.Known {
		return append(dst, `<span class="on">seeding</span>`...)
	}
	dst = append(dst, `<span class="on">`...)
	dst = appendCount(dst, p.Seeds, "seed")
	dst = append(dst, `</span>, `...)
	dst = appendCount(dst, p.Leechers, "leecher")
	if p.Copies > 0 {
		dst = append(dst, ` <small>`...)
		dst = strconv.AppendFloat(dst, p.Copies, 'f', 1, 64)
		dst = append(dst, ` copies</small>`...)
	}
	return dst
}
