package admin

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// shownPeers is how many peers are on the page of a torrent: those with the highest rates.
const shownPeers = 200

// torrentView is the page of a torrent at one moment.
type torrentView struct {
	detail Detail
	found  bool // it is there; else nothing else is set
	parts  []part
}

func newTorrentView(now time.Time, d Detail, found bool, sums *Sums, points []int64) (*torrentView, error) {
	v := &torrentView{detail: d, found: found}
	if !found {
		return v, nil
	}
	sum := sums.Entries[d.Entry]
	sections := []section{
		{"tiles", d.tiles(&sum)}, {"why", d.Why}, {"chart", newLineChart(points)}, {"map", d.pieceMap()}, {"peers", d.peersTable(now)},
	}
	var err error
	v.parts, err = render(sections...)
	return v, err
}

// changes is part of view.
func (v *torrentView) changes(before view) ([]part, error) {
	old := before.(*torrentView)
	if !v.found || !old.found {
		return []part{{}}, nil
	}
	return differing(old.parts, v.parts), nil
}

func (d *Detail) tiles(s *Sum) []tile {
	now := tile{"Now", perSec(d.Rate), d.Stage}
	if d.Rate <= 0 {
		now.Value = "0 B/s"
	}
	peers := tile{"Peers", strconv.Itoa(d.Peers), ""}
	if d.Peers > 0 {
		peers.Note = fmt.Sprintf("%s, %d interested, %d may request", count(d.Seeds, "seed"), d.Interested, d.Unchoked)
	}
	copies := tile{"Copies", "–", "held by connected peers"}
	if d.Peers > 0 {
		copies.Value = decimal(d.Copies, 2)
	}
	total := tile{"Total", size(s.Total), ""}
	if s.Total > 0 {
		total.Note = times(s.Total, d.Size) + " its size"
	}
	return []tile{now, peers, copies, {"Today", size(s.Today), ""}, {"This month", size(s.Month), ""}, total, savedTile(s.Completed, s.Saved)}
}

// pieceMap returns nil when nothing is known about pieces.
func (d *Detail) pieceMap() *pieceMap {
	if len(d.Availability) == 0 || d.Peers == 0 {
		return nil
	}
	m := newPieceMap(d.Availability)
	return &m
}

// peersTable is the peers of a torrent.
type peersTable struct {
	Rows    []row
	Omitted string // how many are not shown, or ""
	Judged  bool   // something judges what peers are worth
}

func (d *Detail) peersTable(now time.Time) peersTable {
	peers, t := d.Connections, peersTable{}
	if omitted := len(peers) - shownPeers; omitted > 0 {
		fastest := slices.Clone(peers)
		slices.SortStableFunc(fastest, func(a, b Peer) int { return cmp.Compare(b.Rate, a.Rate) })
		peers = fastest[:shownPeers]
		slices.SortStableFunc(peers, func(a, b Peer) int { return a.Connected.Compare(b.Connected) })
		t.Omitted = fmt.Sprintf("The %d with the highest rates; %d more are connected.", shownPeers, omitted)
	}
	for _, p := range peers {
		t.Judged = t.Judged || p.Trust != ""
	}
	for _, p := range peers {
		t.Rows = append(t.Rows, newPeerRow(now, d.Size, p, t.Judged))
	}
	return t
}

func newPeerRow(now time.Time, of int64, p Peer, judged bool) row {
	r := row{Name: dash, Active: p.Rate > 0}
	if p.Addr.IsValid() {
		r.Name = p.Addr.String()
	}
	has, gave := text("Has", strconv.Itoa(percent(p.Progress))+" %"), number("We gave", some(p.Sent))
	has.Meter = percent(p.Progress)
	if p.Sent > 0 {
		gave.Note = times(p.Sent, of)
	}
	r.Cells = []cell{text("Client", cmp.Or(visible(p.Client), dash)), has, gave, number("Rate", perSec(p.Rate)), text("State", p.does())}
	if judged {
		r.Cells = append(r.Cells, number("Relayed", strconv.Itoa(p.Relayed)), text("Trust", cmp.Or(p.Trust, dash)))
	}
	r.Cells = append(r.Cells, number("For", lasted(now.Sub(p.Connected))))
	return r
}

// does says in a few words what p is at.
func (p *Peer) does() string {
	switch {
	case p.Seed:
		return "wants nothing"
	case p.Queued > 0 && p.Unchoked:
		return "downloads"
	case p.Interested && p.Unchoked:
		return "may request"
	case p.Interested:
		return "waits for its turn"
	}
	return "is not interested"
}

// torrentPage is what the template of a torrent's page shows.
type torrentPage struct {
	shell
	Name, Hash, Size              string
	Pieces, PieceLength           string
	Published                     string
	Tracked                       string
	Tiles, Why, Chart, Map, Peers template.HTML // live
	Days                          template.HTML
}

func (x *exchange) serveTorrent(h metainfo.InfoHash) {
	seen, err := x.look(x.r.Context(), x.now, h)
	if err != nil {
		x.failed(err)
		return
	}
	v := seen.(*torrentView)
	if !v.found {
		x.text(http.StatusNotFound, "There is no such torrent now. Its file may have changed or gone.\n")
		return
	}
	d := &v.detail
	p := torrentPage{
		shell: x.shell(visible(d.Path)), Name: visible(d.Path), Hash: d.InfoHash.String(), Size: size(d.Size),
		PieceLength: size(d.PieceLength), Published: moment(d.Published),
		Tiles: htmlOf(v.parts, "tiles"), Why: htmlOf(v.parts, "why"), Chart: htmlOf(v.parts, "chart"),
		Map: htmlOf(v.parts, "map"), Peers: htmlOf(v.parts, "peers"),
	}
	if d.PieceLength > 0 {
		p.Pieces = count(int((d.Size+d.PieceLength-1)/d.PieceLength), "piece")
	}
	if t := d.Tracked; t != nil {
		p.Tracked = fmt.Sprintf("%s, %s, %s", count(t.Seeds, "seed"), count(t.Leechers, "leecher"), count(t.Completed, "completed download"))
	}
	if p.Days, err = x.days(x.r.Context(), lastDays(x.now), d.Entry); err != nil {
		x.failed(err)
		return
	}
	p.Live, p.Refresh = d.InfoHash.String()+"/events", 5
	x.page("torrent.html", p)
}
