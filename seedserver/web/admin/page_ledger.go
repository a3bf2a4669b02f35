package admin

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

var ledgerColumns = []column{
	{Key: "name", Title: "Name"}, {Key: "bittorrent", Title: "BitTorrent", Number: true}, {Key: "http", Title: "HTTP", Number: true},
	{Key: "sent", Title: "Sent", Number: true}, {Key: "completed", Title: "Completed", Number: true},
	{Key: "saved", Title: "Saved", Number: true},
}

// fileSum is an account with its sums.
type fileSum struct {
	*Account
	bittorrent, http int64
}

func compareFiles(key string, a, b *fileSum) int {
	switch key {
	case "bittorrent":
		return cmp.Compare(a.bittorrent, b.bittorrent)
	case "http":
		return cmp.Compare(a.http, b.http)
	case "sent":
		return cmp.Compare(a.bittorrent+a.http, b.bittorrent+b.http)
	case "completed":
		return cmp.Compare(a.Completed, b.Completed)
	case "saved":
		return cmp.Compare(a.Saved, b.Saved)
	}
	return 0
}

// newLedgerRow returns the row of a file in the ledger, with a link if it has a torrent now.
func newLedgerRow(f *fileSum, hashes map[int64]metainfo.InfoHash) row {
	r := row{Name: visible(f.Path)}
	if h, ok := hashes[f.Entry]; ok {
		r.Href = "torrent/" + h.String()
	}
	completed, saved := dash, dash
	if f.Completed > 0 {
		completed, saved = strconv.FormatInt(f.Completed, 10), size(max(f.Saved, 0))
	}
	for i, value := range []string{some(f.bittorrent), some(f.http), some(f.bittorrent + f.http), completed, saved} {
		r.Cells = append(r.Cells, number(ledgerColumns[i+1].Title, value))
	}
	return r
}

// ledgerPage is what the template of the ledger shows.
type ledgerPage struct {
	shell
	Month, Before, After string // as in 2006-01; After is "" for the present one
	Ever                 bool   // all time, and not a month
	Tiles, Days          template.HTML
	Table                table
	Rows                 []row
}

func (x *exchange) serveLedger() {
	query := x.r.URL.Query()
	p := ledgerPage{shell: x.shell("Ledger"), Ever: query.Get("month") == "all"}
	p.Here = "ledger"
	month := monthOf(x.now)
	q := Query{Span: Ever}
	if !p.Ever {
		var err error
		if month, err = parsePeriod(query, x.now); err != nil {
			x.text(http.StatusBadRequest, err.Error()+"\n")
			return
		}
		month = monthOf(month.first)
		q = Query{Span: Month, First: month.first, Last: month.first}
	}
	p.setMonth(month, x.now)
	if err := x.fillLedger(&p, q, query); err != nil {
		x.failed(err)
		return
	}
	if !p.Ever {
		var err error
		if p.Days, err = x.days(x.r.Context(), month, 0); err != nil {
			x.failed(err)
			return
		}
	}
	x.page("ledger.html", p)
}

// setMonth says which month it is and which are beside it.
func (p *ledgerPage) setMonth(m period, now time.Time) {
	p.Month = m.first.Format(monthLayout)
	p.Before = m.first.AddDate(0, -1, 0).Format(monthLayout)
	if next := m.first.AddDate(0, 1, 0); !next.After(now) {
		p.After = next.Format(monthLayout)
	}
}

// fillLedger asks for the files of the span that q is about, and for all together.
func (x *exchange) fillLedger(p *ledgerPage, q Query, query url.Values) error {
	all, err := x.cfg.Source.Accounts(x.r.Context(), q)
	if err != nil {
		return err
	}
	if p.Tiles, err = execute("tiles", x.ledgerTiles(all)); err != nil {
		return err
	}
	q.Each = true
	accounts, err := x.cfg.Source.Accounts(x.r.Context(), q)
	if err != nil {
		return err
	}
	slices.SortFunc(accounts, func(a, b Account) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Entry, b.Entry)) })
	files := make([]fileSum, len(accounts))
	for i := range accounts {
		files[i].Account = &accounts[i]
		files[i].bittorrent, files[i].http = x.cfg.split(accounts[i].Sent)
	}
	hashes := x.hashes()
	p.Table = newTable(query, ledgerColumns, "sent", "month")
	for _, i := range p.Table.choose(len(files), func(i int) string { return files[i].Path }, func(key string, i, j int) int {
		return compareFiles(key, &files[i], &files[j])
	}) {
		p.Rows = append(p.Rows, newLedgerRow(&files[i], hashes))
	}
	return nil
}

// ledgerTiles sums up the account of everything, the only one or none.
func (x *exchange) ledgerTiles(all []Account) []tile {
	a := Account{Sent: make([]int64, len(x.cfg.Classes))}
	if len(all) > 0 {
		a = all[0]
	}
	bittorrent, http := x.cfg.split(a.Sent)
	var classes []string
	for i, n := range a.Sent {
		if n > 0 && !x.cfg.Classes[i].HTTP {
			classes = append(classes, x.cfg.Classes[i].Name+" "+size(n))
		}
	}
	return []tile{
		{"Sent", size(bittorrent + http), ""},
		{"By BitTorrent", size(bittorrent), strings.Join(classes, ", ")},
		{"By HTTP", size(http), ""},
		savedTile(a.Completed, a.Saved),
	}
}

// hashes returns the torrents that there are now, by the key of their file.
func (x *exchange) hashes() map[int64]metainfo.InfoHash {
	torrents := x.cfg.Source.Status().Torrents
	hashes := make(map[int64]metainfo.InfoHash, len(torrents))
	for _, t := range torrents {
		hashes[t.Entry] = t.InfoHash
	}
	return hashes
}

// days draws what was sent on each day of a period, for one file or all.
func (h *Handler) days(ctx context.Context, p period, entry int64) (template.HTML, error) {
	accounts, err := h.cfg.Source.Accounts(ctx, Query{Span: Day, First: p.first, Last: p.last, Entry: entry})
	if err != nil {
		return "", err
	}
	days := p.days()
	sums := make([]daySum, len(days))
	at := map[time.Time]*daySum{}
	for i, day := range days {
		sums[i].day, at[day] = day, &sums[i]
	}
	for _, a := range accounts {
		if sum := at[a.Start.UTC()]; sum != nil {
			sum.bittorrent, sum.http = h.cfg.split(a.Sent)
		}
	}
	return execute("days", newDayChart(sums))
}
