package seedserver

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
)

// A torrent is awake while somebody takes part in it: a server has many thousands, and nearly all of them are waiting. It wakes
// when a peer shakes hands for it, or announces that it lacks something, and falls asleep when nobody was there for a while.

// sleepAfter is how long nobody must be connected to a torrent before it falls asleep.
const sleepAfter = 5 * time.Minute

// seeding is what there is of a torrent only while it is awake.
type seeding struct {
	swarm   *swarm.Swarm
	content swappable
	limit   *budget.Node
	// introduces says that peers come to know each other by what the swarm knows of them: it finds out who takes pieces, and tells.
	introduces bool
	kept       kept      // savePickers alone uses it
	end        func()    // ends the swarm and waits for it
	alone      time.Time // since when nobody is connected, as far as that was looked at; zero while somebody is
}

// swappable is content that can be replaced while it is being read: after a rename the same bytes lie elsewhere.
type swappable struct {
	current atomic.Pointer[storage.Content]
	failed  func(err error) // told of reads that the disk failed
}

// ReadAt is part of swarm.Content.
func (s *swappable) ReadAt(p []byte, off int64) error {
	for {
		c := s.current.Load()
		err := c.ReadAt(p, off)
		switch {
		case errors.Is(err, storage.ErrClosed) && s.current.Load() != c:
			continue // it was replaced just now
		case diskFailed(err):
			s.failed(err)
		}
		return err
	}
}

// diskFailed reports whether err is of a read that the disk failed: what is published is as it was, as far as can be told.
func diskFailed(err error) bool {
	return err != nil && !errors.Is(err, storage.ErrChanged) && !errors.Is(err, storage.ErrClosed) && !errors.Is(err, storage.ErrRange)
}

// ReadAhead is part of swarm.ReadAheader.
func (s *swappable) ReadAhead(off, n int64) { s.current.Load().ReadAhead(off, n) }

// swap puts c in place and closes what was there.
func (s *swappable) swap(c *storage.Content) {
	c.Scatter()
	if old := s.current.Swap(c); old != nil {
		old.Close()
	}
}

// swarmOf returns the swarm of a published torrent, which it wakes; nil if there is none.
func (ts *torrents) swarmOf(h metainfo.InfoHash) *swarm.Swarm {
	t := ts.find(h)
	if t == nil || t.private() && t.awake.Load() == nil && !ts.gate.admissions.Any(h) {
		return nil // nobody can be admitted: it is as if there were no such torrent, in the same time
	}
	return ts.wake(t)
}

// wake returns the swarm of t; nil if t is retired, or its files cannot be opened.
func (ts *torrents) wake(t *torrent) *swarm.Swarm {
	if s := t.awake.Load(); s != nil {
		return s.swarm
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.awake.Load(); s != nil {
		return s.swarm
	}
	if t.retired {
		return nil
	}
	s, err := ts.seeding(t)
	if err != nil {
		ts.log.Warn("torrent cannot be seeded", "path", t.version.Load().Path, "err", err)
		return nil
	}
	if t.paused.Load() {
		s.swarm.Pause()
	}
	s.end = ts.spawn(func(ctx context.Context) { s.swarm.Run(ctx) })
	t.awake.Store(s)
	ts.mu.RLock()
	ts.bound(s)
	ts.mu.RUnlock()
	ts.host.Add(s.swarm)
	return s.swarm
}

// seeding makes what t needs to be awake.
func (ts *torrents) seeding(t *torrent) (*seeding, error) {
	v := t.version.Load()
	doc, err := ts.document(t)
	if err != nil {
		return nil, err
	}
	content, err := ts.open(v)
	if err != nil {
		return nil, err
	}
	s := &seeding{limit: budget.New(ts.limit, 0)}
	s.content.failed = func(err error) { ts.troubles.read(t.version.Load().Path, err) }
	s.content.swap(content)
	cfg := swarm.Config{
		Info: doc.Info, InfoBytes: doc.InfoBytes, InfoHash: v.InfoHash,
		Content: &s.content, Limiter: ts.account.Limiter(budget.LanePlain, s.limit), UploadSlots: ts.cfg.UploadSlots, MaxPeers: ts.maxPeers,
		Own: ts.own(), ListenPort: ts.port(), Client: "seedserver " + ts.cfg.version(),
		Changed: func(error) { ts.recheck(v.InfoHash) },
		Sent:    func(class swarm.Class, n int) { ts.store.count(t.entry.Load(), ledgerClasses[class], int64(n)) },
		SentMetadata: func(n int) {
			ts.store.count(t.entry.Load(), ledger.ClassMetadata, int64(n))
			ts.account.Charge(n)
		},
		Joined: func(p swarm.PeerStat) { ts.store.ledger.AddPeer(p.Connected, t.entry.Load(), p.Addr.Addr()) },
		Left:   func(p swarm.PeerStat) { ts.logs.transfer(t, p) },
		Judged: t.judgedBy(v.InfoHash, ts.peers),
		Logger: ts.log,
	}
	if v.Private {
		cfg.Admit = ts.gate.admits(v.InfoHash)
	}
	ts.superseed(&cfg, v, s.limit)
	s.introduces = cfg.Superseed != nil && !v.Private
	s.swarm = swarm.New(cfg)
	return s, nil
}

// limitOf returns the limit of what is sent of t other than to peers: its own, if it has one.
func (ts *torrents) limitOf(t *torrent) *budget.Node {
	s := t.awake.Load()
	if s == nil && ts.eachRate() > 0 {
		ts.wake(t)
		s = t.awake.Load()
	}
	if s == nil {
		return ts.limit
	}
	return s.limit
}

// lullAlone puts those to sleep to whom nobody was connected for a while. It is called every minute, after savePickers: what
// their pickers know is saved.
func (ts *torrents) lullAlone(now time.Time) {
	for _, t := range ts.all() {
		s := t.awake.Load()
		switch {
		case s == nil:
		case s.swarm.Stats().Peers > 0:
			s.alone = time.Time{}
		case s.alone.IsZero():
			s.alone = now
		case now.Sub(s.alone) >= sleepAfter:
			t.mu.Lock()
			ts.lull(t)
			t.mu.Unlock()
		}
	}
}

// lull ends the swarm of t, if there is one, and keeps of it what the next one needs. t.mu is held.
func (ts *torrents) lull(t *torrent) {
	s := t.awake.Load()
	if s == nil {
		return
	}
	ts.host.Remove(s.swarm)
	s.end()
	s.content.current.Load().Close()
	stats := s.swarm.Stats()
	t.paused.Store(stats.Paused)
	t.sent.Add(stats.Uploaded)
	ts.pickers.put(s.swarm.InfoHash(), s.swarm.Snapshot())
	t.awake.Store(nil)
}

// stats returns the state of t.
func (t *torrent) stats() swarm.Stats {
	s := t.awake.Load()
	if s == nil {
		return swarm.Stats{Uploaded: t.sent.Load(), Paused: t.paused.Load()}
	}
	stats := s.swarm.Stats()
	stats.Uploaded += t.sent.Load()
	return stats
}

// status returns what decides what is sent to whom; false when t sleeps.
func (t *torrent) status() (swarm.Status, bool) {
	if s := t.awake.Load(); s != nil {
		return s.swarm.Status()
	}
	return swarm.Status{}, false
}

// peers returns the connections, oldest first.
func (t *torrent) peers() []swarm.PeerStat {
	if s := t.awake.Load(); s != nil {
		return s.swarm.Peers()
	}
	return nil
}

// availability returns how many connected peers say that they have each piece.
func (t *torrent) availability() []uint32 {
	if s := t.awake.Load(); s != nil {
		if pieces := s.swarm.Availability(); pieces != nil {
			return pieces
		}
	}
	return make([]uint32, t.version.Load().NumPieces())
}
