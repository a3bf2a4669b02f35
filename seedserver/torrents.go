package seedserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/dht/dhtnet"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

// torrents seeds what the catalog publishes: it is the catalog's Publisher. A torrent sleeps until somebody comes for it: see
// awake.go.
type torrents struct {
	cfg      *Config
	log      *slog.Logger
	root     *os.Root
	pool     *storage.Pool
	host     *swarm.Host
	maxPeers int                       // of one torrent
	limit    *budget.Node              // of all torrents together
	port     func() uint16             // of the peer listener
	own      func() []netip.AddrPort   // at which peers reach us
	recheck  func(h metainfo.InfoHash) // tells the catalog that content is not as published
	store    *store                    // accounts what is sent, and to whom
	logs     *logs
	pickers  *pickers
	gate     *gate
	peers    *peerstore.Store // of the tracker, nil without
	account  *budget.Account  // nil without a monthly budget
	troubles *troubles
	dht      *dhtnet.Server // nil without; set before the catalog runs

	// spawn runs a function until the server ends, or until the returned end is called, which waits for it. It is set before
	// the catalog runs.
	spawn func(run func(ctx context.Context)) (end func())

	mu         sync.RWMutex
	live       map[metainfo.InfoHash]*torrent
	perTorrent int64 // bytes per second, 0 for unlimited
}

// torrent is one published version. While it sleeps there is nothing of it but this.
type torrent struct {
	version atomic.Pointer[catalog.Version]
	entry   atomic.Int64            // of the ledger; stays what it is when the file is renamed and this torrent retired
	awake   atomic.Pointer[seeding] // nil while it sleeps
	paused  atomic.Bool             // its bytes are being checked
	sent    atomic.Int64            // payload bytes, by swarms that have ended
	seen    atomic.Pointer[spread]  // for spreadLately
	judged  judged

	mu      sync.Mutex // held while it wakes, falls asleep, or is changed
	retired bool       // it never wakes again
}

// infohash returns the torrent's infohash.
func (t *torrent) infohash() metainfo.InfoHash { return t.version.Load().InfoHash }

// Publish makes v known to those who come for it.
func (ts *torrents) Publish(v *catalog.Version) error {
	if _, err := ts.open(v); err != nil {
		return err
	}
	t := &torrent{}
	t.version.Store(v)
	t.entry.Store(ts.store.entry(v.Path))
	ts.mu.Lock()
	ts.live[v.InfoHash] = t
	ts.mu.Unlock()
	ts.announceInDHT(v.InfoHash, v.Private)
	ts.log.Info("published", "path", v.Path, "infohash", v.InfoHash, "size", v.Length(), "pieces", v.NumPieces())
	return nil
}

// Pause stops sending until Resume: the bytes are being checked.
func (ts *torrents) Pause(h metainfo.InfoHash) {
	t := ts.find(h)
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.paused.Store(true)
	if s := t.awake.Load(); s != nil {
		s.swarm.Pause()
	}
}

// Resume goes on with v, whose bytes are those of the version before.
func (ts *torrents) Resume(v *catalog.Version) error {
	t := ts.find(v.InfoHash)
	if t == nil {
		return fmt.Errorf("resuming %s: not published", v.Path)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.awake.Load()
	content, err := ts.open(v)
	if err != nil {
		t.paused.Store(true)
		if s != nil {
			s.swarm.Pause()
		}
		return err
	}
	t.version.Store(v)
	t.entry.Store(ts.store.entry(v.Path))
	t.paused.Store(false)
	if s != nil {
		s.content.swap(content)
		s.swarm.Resume()
	}
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
	ts.leaveDHT(h)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.retired = true
	ts.lull(t)
	ts.pickers.forget(h)
	ts.log.Info("retired", "path", t.version.Load().Path, "infohash", h, "reason", reason)
}

// open lays the files of v out as the content of its torrent.
func (ts *torrents) open(v *catalog.Version) (*storage.Content, error) {
	all := v.Files()
	if len(all) == 0 {
		return nil, errors.New("a version without files")
	}
	files := make([]storage.File, len(all))
	for i, f := range all {
		files[i] = storage.File{Path: f.Path, Length: f.Stamp.Size, Stamp: storage.Stamp(f.Stamp)}
	}
	content, err := storage.Open(ts.pool, ts.root, files)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", v.Path, err)
	}
	return content, nil
}

// document reads the info dict of t. If the state has lost it, its files are hashed again; but while nothing can be saved it may be
// that the state has not got it yet, which is tried again by itself.
func (ts *torrents) document(t *torrent) (*metainfo.Torrent, error) {
	v := t.version.Load()
	doc, err := ts.store.torrent(v.InfoHash)
	if err != nil {
		if !t.paused.Load() && !ts.troubles.has(troubleHashed) { // paused, that is under way
			ts.recheck(v.InfoHash)
		}
		return nil, fmt.Errorf("reading the info dict: %w", err)
	}
	return doc, nil
}

// find returns the torrent of h, nil when it is not published.
func (ts *torrents) find(h metainfo.InfoHash) *torrent {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.live[h]
}

// all returns the torrents that are published, in any order.
func (ts *torrents) all() []*torrent {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return slices.AppendSeq(make([]*torrent, 0, len(ts.live)), maps.Values(ts.live))
}

// eachRate returns what each torrent may send, in bytes per second; 0 is unlimited.
func (ts *torrents) eachRate() int64 {
	ts.mu.RLock()
	defer ts.mu.RUnlock()
	return ts.perTorrent
}
