package seedserver

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
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
	dir     string // absolute
	started time.Time
}

// spread is how far a torrent had spread at a moment: finding out asks the swarm.
type spread struct {
	at     time.Time
	stage  string  // what its picker was at, "" without one
	copies float64 // that others hold
}

// spreadLast is how long a spread is good enough for a table.
const spreadLast = 5 * time.Second

func newStatusSource(s *Server) *statusSource {
	dir, err := realPath(s.cfg.Dir)
	if err != nil {
		dir = s.cfg.Dir
	}
	return &statusSource{s: s, dir: dir, started: time.Now()}
}

// adminClasses returns the classes of the ledger.
func adminClasses() []admin.Class {
	classes := make([]admin.Class, ledger.NumClasses)
	for i, c := range ledger.Classes() {
		classes[i] = admin.Class{Name: c.String(), HTTP: c == ledger.ClassHTTP || c == ledger.ClassWebSeed}
	}
	return classes
}

// Status is part of admin.Source.
func (st *statusSource) Status() admin.Status {
	totals := st.s.catalog.Totals()
	now := admin.Status{
		Time: time.Now().UTC(), Started: st.started.UTC(), Dir: st.dir, Ready: totals.Scanned,
		MaxRate: st.s.limit.Rate(), Sent: st.s.store.meters.all(), Budget: st.s.budgetStatus(),
		Settling: totals.Count(catalog.Settling) + totals.Count(catalog.Temporary), Hashing: totals.Count(catalog.Hashing),
		QueueBytes: totals.QueueBytes, LeftOut: totals.Count(catalog.LeftOut), Failed: totals.Count(catalog.Failed),
		Troubles: st.s.troubles.list(), ReadErrors: st.s.troubles.reads(),
	}
	all := st.s.torrents.all()
	now.Torrents = make([]admin.Torrent, 0, len(all))
	for _, t := range all {
		row := st.torrent(t)
		now.Rate += row.Rate
		now.Peers += row.Peers
		now.Seeds += row.Seeds
		now.Torrents = append(now.Torrents, row)
	}
	now.DHT = st.s.dhtStatus()
	slices.SortFunc(now.Torrents, func(a, b admin.Torrent) int { return cmp.Compare(a.Path, b.Path) })
	return now
}

// Ready is part of admin.Source.
func (st *statusSource) Ready() bool { return st.s.catalog.Totals().Scanned }

// Sent is part of admin.Source.
func (st *statusSource) Sent() admin.Sent {
	sent := admin.Sent{Time: time.Now(), All: st.s.store.meters.all(), Torrents: map[metainfo.InfoHash]int64{}}
	byHTTP := st.s.store.meters.sentByHTTP()
	for _, t := range st.s.torrents.all() {
		if n := t.stats().Uploaded + byHTTP[t.entry.Load()]; n > 0 {
			sent.Torrents[t.infohash()] = n
		}
	}
	return sent
}

// torrent describes t in a row.
func (st *statusSource) torrent(t *torrent) admin.Torrent {
	v, stats := t.version.Load(), t.stats()
	entry := t.entry.Load()
	sent, rate := st.s.store.meters.byHTTP(time.Now(), entry)
	if stats.Peers > 0 { // a swarm without peers takes no rates any more
		rate += stats.Rate
	}
	seen := spreadLately(t, stats.Peers)
	return admin.Torrent{
		InfoHash: v.InfoHash, Path: v.Path, Size: v.Length(), Entry: entry,
		Stage: stage(stats, seen), Copies: seen.copies, Peers: stats.Peers, Seeds: stats.Seeds,
		Interested: stats.Interested, Unchoked: stats.Unchoked, Rate: rate, Sent: stats.Uploaded + sent,
	}
}

// stage says in a word what a torrent is at.
func stage(stats swarm.Stats, seen spread) string {
	switch {
	case stats.Paused:
		return "checking"
	case seen.stage != "":
		return seen.stage
	case stats.Interested > 0:
		return "seeding"
	}
	return "waiting"
}

// spreadLately returns how far t has spread, as it was some seconds ago.
func spreadLately(t *torrent, peers int) spread {
	if peers == 0 {
		return spread{}
	}
	now := time.Now()
	if seen := t.seen.Load(); seen != nil && now.Sub(seen.at) < spreadLast {
		return *seen
	}
	status, _ := t.status()
	seen := spreadOf(now, status, t)
	t.seen.Store(&seen)
	return seen
}

// spreadOf takes what the picker believes, where there is one, and what peers say, where not.
func spreadOf(now time.Time, status swarm.Status, t *torrent) spread {
	if status.Revealing {
		return spread{now, status.Picker.Stage.String(), status.Picker.Availability}
	}
	return spread{at: now, copies: copies(t.availability())}
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
		Torrent: st.torrent(t), PieceLength: v.PieceLength, Published: v.Published.UTC(), Availability: t.availability(),
	}
	status, _ := t.status()
	judged := map[netip.AddrPort]swarm.PeerStatus{}
	for _, p := range status.Peers {
		judged[p.Addr] = p
	}
	for _, p := range t.peers() {
		of := judged[p.Addr]
		d.Connections = append(d.Connections, admin.Peer{
			Addr: p.Addr, Client: p.Client, Progress: p.Progress, Sent: p.Uploaded, Rate: p.Rate, Queued: p.Queued,
			Unchoked: !p.Choked, Interested: p.Interested, Seed: p.Seed, Connected: p.Connected.UTC(),
			Trust: trust(of), Relayed: of.Relayed,
		})
	}
	if st.s.peers != nil {
		stats, _ := st.s.peers.Scrape(h)
		d.Tracked = &admin.Tracked{Seeds: stats.Complete, Leechers: stats.Incomplete, Completed: stats.Downloaded}
	}
	d.Why = st.why(t)
	return d, true
}

// trust returns what the picker thinks of a peer, in a word, "" if it does not judge it.
func trust(p swarm.PeerStatus) string {
	if p.Trust == 0 {
		return ""
	}
	return p.Trust.String()
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
	last := ledger.DayOf(q.Last)
	if last == 0 {
		last-- // 1970-01-01 would be no end, and nothing was sent on it
	}
	rows, err := st.s.ledger.Rows(ctx, ledger.RowQuery{
		Span: spans[q.Span], EachFile: q.Each, FileID: q.Entry, First: ledger.DayOf(q.First), Last: last,
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
