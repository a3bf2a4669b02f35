package seedserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// torrents seeds what the catalog publishes: it is the catalog's Publisher. Each torrent is a swarm over guarded content.
type torrents struct {
	cfg     *Config
	log     *slog.Logger
	root    *os.Root
	pool    *storage.Pool
	host    *swarm.Host
	limit   *budget.Node              // of all torrents together
	port    func() uint16             // of the peer listener
	own     func() []netip.AddrPort   // at which peers reach us
	recheck func(h metainfo.InfoHash) // tells the catalog that content is not as published
	store   *store                    // accounts what is sent, and to whom
	logs    *logs
	pickers *pickers
	gate    *gate
	peers   *peerstore.Store // of the tracker, nil without

	// spawn runs a function until the server ends, or until the returned end is called, which waits for it. It is set before
	// the catalog runs.
	spawn func(run func(ctx context.Context)) (end func())

	mu         sync.RWMutex
	live       map[metainfo.InfoHash]*torrent
	perTorrent int64 // bytes per second, 0 for unlimited
}

// torrent is one published version and the swarm that serves it.
type torrent struct {
	swarm   *swarm.Swarm
	version atomic.Pointer[catalog.Version]
	entry   atomic.Int64 // of the ledger; stays what it is when the file is renamed and this torrent retired
	content swappable
	limit   *budget.Node
	end     func() // ends the swarm and waits for it
	judged  judged
	kept    kept                   // savePickers alone uses it
	seen    atomic.Pointer[spread] // for spreadLately
}

// swappable is content that can be replaced while it is being read: after a rename the same bytes lie elsewhere.
type swappable struct {
	current atomic.Pointer[storage.Content]
}

// ReadAt is part of swarm.Content.
func (s *swappable) ReadAt(p []byte, off int64) error {
	return s.current.Load().ReadAt(p, off)
}

// swap puts c in place and closes what was there.
func (s *swappable) swap(c *storage.Content) {
	if old := s.current.Swap(c); old != nil {
		old.Close()
	}
}

// Publish starts to seed v.
func (ts *torrents) Publish(v *catalog.Version) error {
	content, err := ts.open(v)
	if err != nil {
		return err
	}
	t := &torrent{limit: budget.New(ts.limit, 0)}
	t.version.Store(v)
	t.entry.Store(ts.store.entry(v.Path))
	t.content.swap(content)
	cfg := swarm.Config{
		Info: v.Info, InfoBytes: v.InfoBytes, InfoHash: v.InfoHash,
		Content: &t.content, Limiter: t.limit, UploadSlots: ts.cfg.UploadSlots,
		Own: ts.own(), ListenPort: ts.port(), Client: "seedserver " + ts.cfg.version(),
		Changed:      func(error) { ts.recheck(v.InfoHash) },
		Sent:         func(class swarm.Class, n int) { ts.store.count(t.entry.Load(), ledgerClasses[class], int64(n)) },
		SentMetadata: func(n int) { ts.store.count(t.entry.Load(), ledger.ClassMetadata, int64(n)) },
		Joined:       func(p swarm.PeerStat) { ts.store.ledger.AddPeer(p.Connected, t.entry.Load(), p.Addr.Addr()) },
		Left:         func(p swarm.PeerStat) { ts.logs.transfer(t, p) },
		Judged:       t.judgedBy(v.InfoHash, ts.peers),
		Logger:       ts.log,
	}
	if v.Info.Private {
		cfg.Admit = ts.gate.admits(v.InfoHash)
	}
	ts.superseed(&cfg, v, t.limit)
	t.swarm = swarm.New(cfg)
	t.end = ts.spawn(func(ctx context.Context) { t.swarm.Run(ctx) })
	ts.mu.Lock()
	ts.live[v.InfoHash] = t
	t.limit.SetRate(ts.perTorrent)
	ts.mu.Unlock()
	ts.host.Add(t.swarm)
	ts.log.Info("published", "path", v.Path, "infohash", v.InfoHash, "size", v.Info.Length(), "pieces", v.Info.NumPieces())
	return nil
}

// Pause stops sending until Resume: the bytes are being checked.
func (ts *torrents) Pause(h metainfo.InfoHash) {
	if t := ts.find(h); t != nil {
		t.swarm.Pause()
	}
}

// Resume goes on with v, whose bytes are those of the version before.
func (ts *torrents) Resume(v *catalog.Version) error {
	t := ts.find(v.InfoHash)
	if t == nil {
		return fmt.Errorf("resuming %s: not published", v.Path)
	}
	content, err := ts.open(v)
	if err != nil {
		t.swarm.Pause()
		return err
	}
	t.content.swap(content)
	t.version.Store(v)
	t.entry.Store(ts.store.entry(v.Path))
	t.swarm.Resume()
	return nil
}

// Retire ends a torrent: its peers are disconnected when it returns.
func (ts *torrents) Retire(h metainfo.InfoHash, reason string) {
	t := ts.find(h)
	if t == nil {
		return
	}
	ts.mu.Lock()
	delete(ts.live, h)
	ts.mu.Unlock()
	ts.host.Remove(h)
	t.end()
	t.content.current.Load().Close()
	ts.pickers.forget(h)
	ts.log.Info("retired", "path", t.version.Load().Path, "infohash", h, "reason", reason)
}

// open lays the files of v out as the content of its torrent.
func (ts *torrents) open(v *catalog.Version) (*storage.Content, error) {
	if len(v.Files) == 0 {
		return nil, errors.New("a version without files")
	}
	files := make([]storage.File, len(v.Files))
	for i, f := range v.Files {
		files[i] = storage.File{Path: f.Path, Length: f.Length, Stamp: storage.Stamp(f.Stamp)}
	}
	content, err := storage.Open(ts.pool, ts.root, files)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", v.Path, err)
	}
	return content, nil
}

// find returns the torrent of h, nil when it is not published.
func (ts *torrents) find(h metainfo.InfoHash) *torrent {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.live[h]
}

// all returns the torrents that are published.
func (ts *torrents) all() map[metainfo.InfoHash]*torrent {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return maps.Clone(ts.live)
}
