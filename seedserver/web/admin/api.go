package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// statusJSON is the answer of /api/v1/status.
type statusJSON struct {
	Version string `json:"version"`
	Status
	Sum
	Torrents []torrentJSON `json:"torrents"`
}

// torrentJSON is a torrent with its sums.
type torrentJSON struct {
	Torrent
	Sum
}

// detailJSON is the answer of /api/v1/torrents/INFOHASH.
type detailJSON struct {
	Detail
	Sum
	History historyJSON `json:"history"`
}

// historyJSON is the last hour: bytes per second, oldest first.
type historyJSON struct {
	End   time.Time `json:"end"`  // when the last of the rates was
	Step  int       `json:"step"` // seconds
	Rates []int64   `json:"rates"`
}

// ledgerJSON is the answer of /api/v1/ledger: an account for each day and file, and one for each day.
type ledgerJSON struct {
	From  string        `json:"from"`
	To    string        `json:"to"`
	Days  []accountJSON `json:"days"`
	Files []accountJSON `json:"files"`
}

type accountJSON struct {
	Day       string           `json:"day"`
	Entry     int64            `json:"entry,omitempty"`
	Path      string           `json:"path,omitempty"`
	Sent      map[string]int64 `json:"sent"` // by class
	Total     int64            `json:"total"`
	Completed int64            `json:"completed"`
	Saved     int64            `json:"saved"`
	Peers     int64            `json:"peers"`
}

// maxLedgerJSON bounds the period of one answer: it is made as a whole, other than the CSV.
const maxLedgerJSON = 366 * 24 * time.Hour

func (x *exchange) json(v any) {
	body, err := json.Marshal(v)
	if err != nil {
		x.failed(err)
		return
	}
	x.send(http.StatusOK, "application/json", append(body, '\n'))
}

func (x *exchange) serveStatusJSON() {
	sums, err := x.sums.now(x.r.Context(), x.now)
	if err != nil {
		x.failed(err)
		return
	}
	j := statusJSON{Version: x.cfg.Version, Status: x.cfg.Source.Status(), Sum: sums.All, Torrents: []torrentJSON{}}
	for _, t := range j.Status.Torrents {
		j.Torrents = append(j.Torrents, torrentJSON{t, sums.Entries[t.Entry]})
	}
	x.json(j)
}

func (x *exchange) serveTorrentJSON(h metainfo.InfoHash) {
	d, ok := x.cfg.Source.Torrent(h)
	if !ok {
		x.notFound()
		return
	}
	sums, err := x.sums.now(x.r.Context(), x.now)
	if err != nil {
		x.failed(err)
		return
	}
	x.json(detailJSON{Detail: d, Sum: sums.Entries[d.Entry], History: x.historyJSON(h)})
}

func (x *exchange) serveHistoryJSON() { x.json(x.historyJSON(metainfo.InfoHash{})) }

func (x *exchange) historyJSON(h metainfo.InfoHash) historyJSON {
	return historyJSON{End: x.now.UTC().Truncate(sampleEvery), Step: int(sampleEvery / time.Second), Rates: x.history.points(x.now, h)}
}

func (x *exchange) serveLedgerJSON() {
	p, err := parsePeriod(x.r.URL.Query(), x.now)
	if err != nil {
		x.text(http.StatusBadRequest, err.Error()+"\n")
		return
	}
	if p.last.Sub(p.first) > maxLedgerJSON {
		x.text(http.StatusBadRequest, "a year is the most; /ledger.csv takes ten\n")
		return
	}
	j := ledgerJSON{From: p.first.Format(time.DateOnly), To: p.last.Format(time.DateOnly)}
	for list, each := range map[*[]accountJSON]bool{&j.Days: false, &j.Files: true} {
		accounts, err := x.cfg.Source.Accounts(x.r.Context(), Query{Span: Day, First: p.first, Last: p.last, Each: each})
		if err != nil {
			x.failed(err)
			return
		}
		*list = make([]accountJSON, len(accounts))
		for i := range accounts {
			(*list)[i] = x.accountJSON(&accounts[i])
		}
	}
	x.json(j)
}

func (x *exchange) accountJSON(a *Account) accountJSON {
	j := accountJSON{
		Day: a.Start.UTC().Format(time.DateOnly), Entry: a.Entry, Path: a.Path, Sent: map[string]int64{},
		Completed: a.Completed, Saved: a.Saved, Peers: a.Peers,
	}
	for i, n := range a.Sent {
		j.Sent[x.cfg.Classes[i].Name] = n
		j.Total += n
	}
	return j
}
