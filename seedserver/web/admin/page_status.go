package admin

import (
	"cmp"
	"fmt"
	"html/template"
	"strconv"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// statusView is the status page at one moment.
type statusView struct {
	status Status
	sums   *Sums
	parts  []part // those above the table
}

func newStatusView(s Status, sums *Sums, points []int64) (*statusView, error) {
	v := &statusView{status: s, sums: sums}
	var err error
	v.parts, err = render(section{"tiles", v.tiles()}, section{"notices", v.notices()}, section{"chart", newLineChart(points)}, section{"dht", dhtTiles(s.DHT)})
	return v, err
}

// changes is part of view. When torrents have come or gone the page is asked for again.
func (v *statusView) changes(before view) ([]part, error) {
	old := before.(*statusView)
	if len(old.status.Torrents) != len(v.status.Torrents) {
		return []part{{}}, nil
	}
	parts := differing(old.parts, v.parts)
	for i, t := range v.status.Torrents {
		was := old.status.Torrents[i]
		if was.InfoHash != t.InfoHash {
			return []part{{}}, nil
		}
		if was == t && v.sums.Entries[t.Entry] == old.sums.Entries[t.Entry] {
			continue
		}
		row := newTorrentRow(t, v.sums.Entries[t.Entry])
		parts = append(parts, part{row.ID, row.HTML()})
	}
	return parts, nil
}

// tile is one number that matters.
type tile struct {
	Name, Value, Note string
}

func (v *statusView) tiles() []tile {
	s, all := &v.status, &v.sums.All
	now := tile{"Now", perSec(s.Rate), count(s.Peers, "peer")}
	if s.Rate <= 0 {
		now.Value = "0 B/s"
	}
	if s.MaxRate > 0 {
		now.Note += ", limit " + perSec(s.MaxRate)
	}
	tiles := []tile{
		now,
		{"Today", size(all.Today), ""},
		{"This month", size(all.Month), ""},
		{"Total", size(all.Total), ""},
		savedTile(all.Completed, all.Saved),
	}
	if b := s.Budget; b != nil {
		tiles = append(tiles, tile{"Budget", size(b.Spent), "of " + size(b.Bytes) + " until " + b.End.Format("2 January")})
	}
	return tiles
}

// savedTile says what HTTP would have cost more.
func savedTile(completed, saved int64) tile {
	if completed == 0 {
		return tile{"Saved", "–", "no download completed yet"}
	}
	return tile{"Saved", size(max(saved, 0)), "against HTTP, " + count(int(completed), "download")}
}

// notices says what is not as it should be or not yet.
func (v *statusView) notices() []string {
	s, notices := &v.status, []string{}
	for _, t := range s.Troubles {
		notices = append(notices, fmt.Sprintf("%s (%s, since %s)", t.Text, t.Error, t.Since.UTC().Format("2 January 15:04 MST")))
	}
	if s.Budget != nil && s.Budget.OnlyReserve {
		notices = append(notices, "The month's budget is spent but for its reserve: blocks are sent slowly, files over HTTP not at all.")
	} else if s.Budget != nil && s.Budget.HTTPBusy > 0 {
		notices = append(notices, "The share of plain HTTP in the month's budget is spent for now: files answer 503.")
	}
	if !s.Ready {
		notices = append(notices, "The directory is being looked at for the first time.")
	}
	if s.Settling > 0 {
		notices = append(notices, count(s.Settling, "file")+" still being written.")
	}
	if s.Hashing > 0 {
		notices = append(notices, fmt.Sprintf("%s being hashed or waiting for it, %s to go.", count(s.Hashing, "file"), size(s.QueueBytes)))
	}
	if s.Failed > 0 {
		notices = append(notices, count(s.Failed, "file")+" could not be read or published; the index says why.")
	}
	return notices
}

var torrentColumns = []column{
	{Key: "name", Title: "Name"}, {Key: "size", Title: "Size", Number: true}, {Key: "stage", Title: "Stage"}, {Key: "copies", Title: "Copies", Number: true},
	{Key: "peers", Title: "Peers", Number: true}, {Key: "rate", Title: "Rate", Number: true},
	{Key: "today", Title: "Today", Number: true}, {Key: "month", Title: "Month", Number: true},
	{Key: "total", Title: "Total", Number: true}, {Key: "ratio", Title: "Sent / size", Number: true},
}

func (v *statusView) name(i int) string { return v.status.Torrents[i].Path }

// compare compares two torrents by a column.
func (v *statusView) compare(key string, i, j int) int {
	a, b := &v.status.Torrents[i], &v.status.Torrents[j]
	sumA, sumB := v.sums.Entries[a.Entry], v.sums.Entries[b.Entry]
	switch key {
	case "size":
		return cmp.Compare(a.Size, b.Size)
	case "stage":
		return cmp.Compare(a.Stage, b.Stage)
	case "copies":
		return cmp.Compare(a.Copies, b.Copies)
	case "peers":
		return cmp.Compare(a.Peers, b.Peers)
	case "rate":
		return cmp.Or(cmp.Compare(a.Rate, b.Rate), cmp.Compare(a.Peers, b.Peers), cmp.Compare(sumA.Month, sumB.Month))
	case "today":
		return cmp.Compare(sumA.Today, sumB.Today)
	case "month":
		return cmp.Compare(sumA.Month, sumB.Month)
	case "total":
		return cmp.Compare(sumA.Total, sumB.Total)
	case "ratio":
		return cmp.Compare(float64(sumA.Total)/float64(max(a.Size, 1)), float64(sumB.Total)/float64(max(b.Size, 1)))
	}
	return 0
}

// newTorrentRow returns the row of a torrent in the table.
func newTorrentRow(t Torrent, s Sum) row {
	peers, copies := number("Peers", dash), number("Copies", dash)
	if t.Peers > 0 {
		peers.Value, copies.Value = strconv.Itoa(t.Peers), decimal(t.Copies, 2)
	}
	if t.Seeds > 0 {
		peers.Note = count(t.Seeds, "seed")
	}
	return row{
		ID: rowID(t.InfoHash), Href: "torrent/" + t.InfoHash.String(), Name: visible(t.Path), Active: t.Rate > 0,
		Cells: []cell{
			number("Size", size(t.Size)), text("Stage", t.Stage), copies, peers, number("Rate", perSec(t.Rate)), number("Today", some(s.Today)),
			number("Month", some(s.Month)), number("Total", some(s.Total)), number("Sent / size", times(s.Total, t.Size)),
		},
	}
}

func rowID(h metainfo.InfoHash) string { return "t" + h.String() }

// statusPage is what the template of the status page shows.
type statusPage struct {
	shell
	Dir, Started          string
	Tiles, Notices, Chart template.HTML // live
	DHT                   template.HTML // live
	Days                  template.HTML
	Torrents              int
	Table                 table
	Rows                  []row
}

func (x *exchange) serveStatus() {
	seen, err := x.look(x.r.Context(), x.now, metainfo.InfoHash{})
	if err != nil {
		x.failed(err)
		return
	}
	v := seen.(*statusView)
	t := newTable(x.r.URL.Query(), torrentColumns, "rate")
	rows := t.choose(len(v.status.Torrents), v.name, v.compare)
	p := statusPage{
		shell: x.shell("Status"), Dir: visible(v.status.Dir), Started: moment(v.status.Started), Torrents: len(v.status.Torrents),
		Tiles: htmlOf(v.parts, "tiles"), Notices: htmlOf(v.parts, "notices"), Chart: htmlOf(v.parts, "chart"),
		DHT: htmlOf(v.parts, "dht"), Table: t,
	}
	p.Here, p.Live, p.Refresh = "status", "events", 5
	if p.Days, err = x.days(x.r.Context(), lastDays(x.now), 0); err != nil {
		x.failed(err)
		return
	}
	for _, i := range rows {
		torrent := v.status.Torrents[i]
		p.Rows = append(p.Rows, newTorrentRow(torrent, v.sums.Entries[torrent.Entry]))
	}
	x.page("status.html", p)
}
