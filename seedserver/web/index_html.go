package web

import (
	"bytes"
	"html/template"
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
		Empty: l.pager.Rows == 0, Columns: l.columns(), Pager: l.pager, Pages: l.pager.links(l.href(l.order)),
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
		p.Every = 2 + l.pager.Rows/500
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
