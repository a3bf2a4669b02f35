package web

import (
	"net/url"
	"strconv"
)

// rowsPerPage is how many rows one page of HTML shows: as many as a phone can
// lay out without a wait.
const rowsPerPage = 1000

// pager divides rows into pages.
type pager struct {
	Rows, From, To int // the rows of this page: From inclusive, To exclusive
	page, pages    int // counted from 1
}

// newPager returns the page that query asks for by p, the nearest if there is
// no such page.
func newPager(rows int, query url.Values) pager {
	p := pager{Rows: rows, page: 1, pages: max(1, (rows+rowsPerPage-1)/rowsPerPage)}
	if n, err := strconv.Atoi(query.Get("p")); err == nil {
		p.page = min(max(n, 1), p.pages)
	}
	p.From = (p.page - 1) * rowsPerPage
	p.To = min(p.From+rowsPerPage, rows)
	return p
}

// pageLink is one step of the way through the pages.
type pageLink struct {
	Label string
	Href  string // "" for the page that we are on, and for a gap
	Here  bool
}

// links returns links to the pages around this one, to the first and to the
// last, or none if there is but one page. query is that of the first page, with
// a question mark.
func (p pager) links(query string) []pageLink {
	if p.pages == 1 {
		return nil
	}
	var links []pageLink
	last := 0
	for n := 1; n <= p.pages; n++ {
		if n != 1 && n != p.pages && (n < p.page-2 || n > p.page+2) {
			continue
		}
		if n > last+1 {
			links = append(links, pageLink{Label: "…"})
		}
		last = n
		link := pageLink{Label: strconv.Itoa(n), Here: n == p.page, Href: query + "&p=" + strconv.Itoa(n)}
		if link.Here {
			link.Href = ""
		}
		links = append(links, link)
	}
	return links
}

// First is the number of the first row of this page, counted from 1.
func (p pager) First() int { return p.From + 1 }
