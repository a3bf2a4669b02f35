package seedserver

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/web/admin"
)

// statusSource shows the server to the status pages: it is their Source.
type statusSource struct {
	s       *Server
	started time.Time

	mu     sync.Mutex
	copies map[metainfo.InfoHash]copiesAt
}

// copiesAt is how many copies peers held at a moment: finding out asks the swarm.
type copiesAt struct {
	at     time.Time
	copies float64
}

// copiesLast is how long a number of copies is good enough for a table.
const copiesLast = 5 * time.Second

func newStatusSource(s *Server) *statusSource {
	return &statusSource{s: s, started: time.Now(), copies: map[metainfo.InfoHash]copiesAt{}}
}

// adminClasses returns the classes of the ledger.
func adminClasses() []admin.Class {
	classes := make([]admin.Class, ledger.NumClasses)
	for i, c := range ledger.Classes() {
		classes[i] = admin.Class{Name: c.String(), HTTP: c == ledger.ClassHTTP}
	}
	return classes
}

// Status is part of admin.Source.
func (st *statusSource) Status() admin.Status {
	totals := st.s.catalog.Totals()
	now := admin.Status{
		Time: time.Now().UTC(), Started: st.started.UTC(), Dir: st.s.cfg.Dir, Ready: totals.Scanned,
		MaxRate: st.s.limit.Rate(), Sent: st.s.store.meters.all(),
		Settling: totals.Count(catalog.Settling) + totals.Count(catalog.Temporary), Hashing: totals.Count(catalog.Hashing),
		QueueBytes: totals.QueueBytes, LeftOut: totals.Count(catalog.LeftOut), Failed: totals.Count(catalog.Failed),
	}
	for _, t := range st.s.torrents.all() {
		row := st.torrent(t)
		now.Rate += row.Rate
		now.Peers += row.Peers
		now.Seeds += row.Seeds
		now.Torrents = append(now.Torrents, row)
	}
	slices.SortFunc(now.Torrents, func(a, b admin.Torrent) int { return cmp.Compare(a.Path, b.Path) })
	return now
}

// torrent describes t in a row.
func (st *statusSource) torrent(t *torrent) admin.Torrent {
	v, stats := t.version.Load(), t.swarm.Stats()
	entry := st.s.store.entry(v.Path)
	sent, rate := st.s.store.meters.byHTTP(time.Now(), entry)
	return admin.Torrent{
		InfoHash: v.InfoHash, Path: v.Path, Size: v.Info.Length(), Entry: entry,
		Stage: stage(stats), Copies: st.copiesOf(t, stats.Peers), Peers: stats.Peers, Seeds: stats.Seeds,
		Interested: stats.Interested, Unchoked: stats.Unchoked, Rate: stats.Rate + rate, Sent: stats.Uploaded + sent,
	}
}

// stage says in a word what a torrent is at.
func stage(stats swarm.Stats) string {
	switch {
	case stats.Paused:
		return "checking"
	case stats.Interested > 0:
		return "seeding"
	}
	return "waiting"
}

// copiesOf returns how many copies the connected peers of t hold together, as it was some seconds ago.
func (st *statusSource) copiesOf(t *torrent, peers int) float64 {
	h, now := t.swarm.InfoHash(), time.Now()
	st.mu.Lock()
	known, ok := st.copies[h]
	if peers == 0 {
		delete(st.copies, h)
	}
	st.mu.Unlock()
	if peers == 0 || ok && now.Sub(known.at) < copiesLast {
		return known.copies * float64(min(peers, 1))
	}
	known = copiesAt{now, copies(t.swarm.Availability())}
	st.mu.Lock()
	st.copies[h] = known
	st.mu.Unlock()
	return known.copies
}

// copies returns how many copies there are when piece i is held by availability[i]: whole ones, and of the next one the part that
// is there.
func copies(availability []uint32) float64 {
	if len(availability) == 0 {
		return 0
	}
	least, more := slices.Min(availability), 0
	for _, n := range availability {
		if n > least {
			more++
		}
	}
	return float64(least) + float64(more)/float64(len(availability))
}

// Torrent is part of admin.Source.
func (st *statusSource) Torrent(h metainfo.InfoHash) (admin.Detail, bool) {
	t := st.s.torrents.find(h)
	if t == nil {
		return admin.Detail{}, false
	}
	v := t.version.Load()
	d := admin.Detail{
		Torrent: st.torrent(t), PieceLength: v.Info.PieceLength, Published: v.Published.UTC(), Availability: t.swarm.Availability(),
	}
	d.Copies = copies(d.Availability)
	for _, p := range t.swarm.Peers() {
		d.Connections = append(d.Connections, admin.Peer{
			Addr: p.Addr, Client: p.Client, Progress: p.Progress, Sent: p.Uploaded, Rate: p.Rate, Queued: p.Queued,
			Unchoked: !p.Choked, Interested: p.Interested, Seed: p.Seed, Connected: p.Connected.UTC(),
		})
	}
	if st.s.peers != nil {
		stats, _ := st.s.peers.Scrape(h)
		d.Tracked = &admin.Tracked{Seeds: stats.Complete, Leechers: stats.Incomplete, Completed: stats.Downloaded}
	}
	d.Why = st.why(t)
	return d, true
}

// Sums is part of admin.Source.
func (st *statusSource) Sums(ctx context.Context) (admin.Sums, error) {
	sums := admin.Sums{Entries: map[int64]admin.Sum{}}
	today := ledger.DayOf(time.Now())
	for _, span := range []struct {
		span  ledger.Span
		start ledger.Day
	}{{ledger.SpanDay, today}, {ledger.SpanMonth, today.Month()}, {ledger.SpanEver, 0}} {
		for _, each := range []bool{false, true} {
			rows, err := st.s.ledger.Rows(ctx, ledger.RowQuery{Span: span.span, EachFile: each, First: span.start, Last: span.start})
			if err != nil {
				return admin.Sums{}, err
			}
			for _, row := range rows {
				sum := sums.Entries[row.FileID]
				addSum(&sum, span.span, row.Counts)
				sums.Entries[row.FileID] = sum
			}
		}
	}
	sums.All = sums.Entries[0]
	delete(sums.Entries, 0)
	return sums, nil
}

func addSum(sum *admin.Sum, span ledger.Span, c ledger.Counts) {
	switch n := c.Sent.Sum(); span {
	case ledger.SpanDay:
		sum.Today = n
	case ledger.SpanMonth:
		sum.Month = n
	case ledger.SpanEver:
		sum.Total, sum.Completed, sum.Saved = n, c.Completed, c.Saved()
	}
}

// Accounts is part of admin.Source.
func (st *statusSource) Accounts(ctx context.Context, q admin.Query) ([]admin.Account, error) {
	spans := map[admin.Span]ledger.Span{admin.Day: ledger.SpanDay, admin.Month: ledger.SpanMonth, admin.Ever: ledger.SpanEver}
	rows, err := st.s.ledger.Rows(ctx, ledger.RowQuery{
		Span: spans[q.Span], EachFile: q.Each, FileID: q.Entry, First: ledger.DayOf(q.First), Last: ledger.DayOf(q.Last),
	})
	accounts := make([]admin.Account, len(rows))
	for i, row := range rows {
		c := &row.Counts
		accounts[i] = admin.Account{
			Start: row.Start.Time(), Entry: row.FileID, Path: row.Path, Sent: c.Sent[:],
			Completed: c.Completed, Saved: c.Saved(), Peers: c.Peers,
		}
	}
	return accounts, err
}
