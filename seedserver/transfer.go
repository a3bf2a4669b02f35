package seedserver

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/budget"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/trackernet"
)

// TransferConfig describes one torrent to download, or to seed if it is there already. Torrent and Path are needed.
type TransferConfig struct {
	Torrent *metainfo.Torrent
	// Path is the file to save a torrent of one file to, or the directory to save the files of another in.
	Path string
	// Record is the file that remembers what is there when the transfer is left; its directory must be there. If empty, it lies
	// beside Path: see RecordSuffix.
	Record string
	// KeepRecord keeps the record when all is there, so that nothing is read the next time.
	KeepRecord bool
	// Overwrite lets a file be replaced that is there and holds nothing of the torrent.
	Overwrite bool
	// Peers are addresses to connect to, in addition to those of trackers.
	Peers []netip.AddrPort
	// Private lets trackers and web seeds be in private networks, because the torrent itself comes from there.
	Private bool
}

// RecordSuffix is what the name of a record ends with that lies beside a download. Before it stands the download's own name; if
// that is too long, the infohash.
const RecordSuffix = ".seedserver.part"

// A Phase is how far a transfer is.
type Phase int32

const (
	Queued      Phase = iota // waiting for others that read what is there
	Checking                 // reading what is there
	Downloading              // something is lacking
	Seeding                  // nothing is
	Stopped                  // Run has returned
)

// String returns the name of the phase in lower case.
func (p Phase) String() string {
	return [...]string{"queued", "checking", "downloading", "seeding", "stopped"}[p]
}

// TransferStatus is the state of a transfer at one moment.
type TransferStatus struct {
	Phase   Phase
	Size    int64 // bytes of the torrent
	Have    int64 // bytes of pieces that are there; while checking, bytes that were read
	Swarm   swarm.Stats
	Copies  float64 // that the peers hold together: whole ones, and the share of the pieces of which there is one more
	Trouble error   // why nothing can be written now, nil if it can
	Tracker error   // why no tracker of the torrent answers; nil if one does, was not asked yet, or there is none
}

// A Transfer is one torrent of a [Client]. Its methods may be called from anywhere.
type Transfer struct {
	client  *Client
	cfg     TransferConfig
	root    *sharedRoot
	target  *storage.Target
	records *sharedRoot // where the record is
	record  string      // below records
	limits  struct{ up, down *budget.Node }
	phase   atomic.Int32
	checked atomic.Int64
	swarm   atomic.Pointer[swarm.Swarm]
	session atomic.Pointer[trackernet.Session] // nil until Run has looked at what is there
	done    chan struct{}

	mu      sync.Mutex // a leaf
	pieces  []byte     // that are there: the bytes of a BITFIELD
	trouble error
	changed bool // since the record was saved
}

// ErrOtherContent matches the error of a transfer whose path holds something else than the torrent.
var ErrOtherContent = errors.New("holds something else")

// NewTransfer prepares a transfer. Nothing is read or written before [Transfer.Run], but directories are made.
func (c *Client) NewTransfer(cfg TransferConfig) (*Transfer, error) {
	if real, err := filepath.EvalSymlinks(cfg.Path); err == nil && cfg.Torrent.Info.Multi {
		cfg.Path = real // the files of a torrent are reached through no link, but where they are to go may be one
	}
	dir, base := filepath.Dir(cfg.Path), filepath.Base(cfg.Path)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	root, err := c.roots.open(dir)
	if err != nil {
		return nil, err
	}
	t := &Transfer{client: c, cfg: cfg, root: root, record: recordBeside(base, cfg.Torrent.InfoHash), done: make(chan struct{})}
	if cfg.Record != "" {
		dir, t.record = filepath.Dir(cfg.Record), filepath.Base(cfg.Record)
	}
	if t.records, err = c.roots.open(dir); err != nil {
		root.Close()
		return nil, err
	}
	t.target, err = storage.NewTarget(c.pool, root.Root, targetFiles(cfg.Torrent.Info, base))
	if err != nil {
		t.close()
		return nil, permanent{fmt.Errorf("%s: %w", cfg.Torrent.Info.Name, err)}
	}
	t.limits.up, t.limits.down = budget.New(c.up, 0), budget.New(c.down, 0)
	return t, nil
}

// recordBeside returns the name of the record that lies beside base.
func recordBeside(base string, infohash metainfo.InfoHash) string {
	const longest = 255 - len(".tmp") // which it has while it is written
	if len(base)+len(RecordSuffix) > longest {
		base = infohash.String()
	}
	return base + RecordSuffix
}

// targetFiles returns where the files of a torrent go: all below base.
func targetFiles(info *metainfo.Info, base string) []storage.File {
	files := make([]storage.File, 0, len(info.Files))
	for _, f := range info.Files {
		file := storage.File{Path: base, Length: f.Length, Pad: f.Pad || f.Symlink}
		if info.Multi {
			file.Path = base + "/" + path.Join(f.Path...)
		}
		files = append(files, file)
	}
	return files
}

// Done returns a channel that is closed when all is there, and can be had of us.
func (t *Transfer) Done() <-chan struct{} { return t.done }

// Status returns the state of the transfer.
func (t *Transfer) Status() TransferStatus {
	st := TransferStatus{Phase: Phase(t.phase.Load()), Size: t.target.Length(), Have: t.checked.Load()}
	if s := t.swarm.Load(); s != nil {
		st.Swarm = s.Stats()
		st.Have = st.Swarm.Have
		st.Copies = s.Copies()
	}
	if s := t.session.Load(); s != nil {
		st.Tracker = unanswered(s.Contacts())
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	st.Trouble = t.trouble
	return st
}

// unanswered returns why no tracker answers, nil if one does or none has failed.
func unanswered(contacts []tracker.Contact) (err error) {
	for _, c := range contacts {
		switch {
		case c.Working:
			return nil
		case c.Err != nil && err == nil:
			err = fmt.Errorf("tracker %s: %w", hostOf(c.URL), c.Err)
		}
	}
	return err
}

// hostOf returns the part of a tracker's URL that may be shown: the rest can hold a key.
func hostOf(tracker string) string {
	u, err := url.Parse(tracker)
	if err != nil {
		return "of the torrent"
	}
	return u.Host
}

// Peers returns the connections of the transfer, oldest first.
func (t *Transfer) Peers() []swarm.PeerStat {
	if s := t.swarm.Load(); s != nil {
		return s.Peers()
	}
	return nil
}

// AddPeers tells of more addresses to connect to.
func (t *Transfer) AddPeers(peers ...netip.AddrPort) {
	if s := t.swarm.Load(); s != nil {
		tell(s, candidates.User, netip.Addr{}, peers)
	}
}

// Run checks what is there, downloads what is lacking, and seeds, until ctx ends; then it remembers what is there and returns the
// cause. An error that comes before says why the transfer cannot be. It may be called once.
func (t *Transfer) Run(ctx context.Context) error {
	defer t.phase.Store(int32(Stopped))
	defer t.close()
	defer t.target.Close()
	if err := t.check(ctx); err != nil {
		return err
	}
	err := t.transfer(ctx)
	return errors.Join(err, t.remember())
}

func (t *Transfer) close() {
	t.records.Close()
	t.root.Close()
}

// check finds out which pieces are there, and whether what is there may be written to.
func (t *Transfer) check(ctx context.Context) error {
	info := t.cfg.Torrent.Info
	record, err := storage.LoadRecord(t.records.Root, t.record)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.client.log.Warn("what was known of a download cannot be used, all of it is read again", "err", err)
	}
	known := record != nil && record.InfoHash == t.cfg.Torrent.InfoHash
	trusted := t.target.Trusted(t.cfg.Torrent.InfoHash, info.PieceLength, record)
	if !t.allTrusted(trusted) {
		select {
		case t.client.checks <- struct{}{}:
			defer func() { <-t.client.checks }()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		t.changed = true
	}
	t.phase.Store(int32(Checking))
	t.pieces, err = t.target.Check(ctx, info.PieceLength, info.Pieces, trusted, func(done, _ int64) { t.checked.Store(done) })
	if err != nil {
		return err
	}
	there, longer, err := t.target.Existing()
	switch none := t.numPieces() == 0; {
	case err != nil:
		return fmt.Errorf("%s cannot be written to, choose another place with --saveas: %w", t.cfg.Path, err)
	case t.cfg.Overwrite && longer > 0:
		if err := t.target.Cut(); err != nil {
			return err
		}
	case !t.cfg.Overwrite && (longer > 0 || none && there > 0 && !known && t.holdsBytes()):
		return fmt.Errorf("%s %w than this torrent: choose another place with --saveas, or replace it with --overwrite", t.cfg.Path, ErrOtherContent)
	}
	if err := t.checkRoom(); err != nil {
		if t.cfg.KeepRecord {
			_ = t.remember() // else all is read again the next time, to no avail perhaps
		}
		return err
	}
	return nil
}

// allTrusted reports whether nothing has to be read.
func (t *Transfer) allTrusted(trusted func(int) (good, known bool)) bool {
	for i := range t.cfg.Torrent.Info.NumPieces() {
		if _, known := trusted(i); !known {
			return false
		}
	}
	return true
}

// numPieces returns how many pieces are there.
func (t *Transfer) numPieces() (n int) {
	for _, b := range t.pieces {
		n += bits.OnesCount8(b)
	}
	return n
}

// holdsBytes reports whether any of the files is there and not empty.
func (t *Transfer) holdsBytes() bool {
	for _, s := range t.target.Stamps() {
		if s.Size > 0 {
			return true
		}
	}
	return false
}

// checkRoom refuses what the disk has no room for, before it is full.
func (t *Transfer) checkRoom() error {
	lacking := int64(t.cfg.Torrent.Info.NumPieces()-t.numPieces()) * t.cfg.Torrent.Info.PieceLength
	lacking = min(lacking, t.target.Unoccupied())
	if free, known := storage.FreeSpace(t.root.Root); known && lacking > free && lacking > 0 {
		return fmt.Errorf("%s needs %v more, and there are %v free where it goes: make room, or choose another place with --saveas",
			t.cfg.Path, budget.Bytes(lacking), budget.Bytes(free))
	}
	return nil
}

// transfer runs the swarm until ctx ends.
func (t *Transfer) transfer(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	complete := t.numPieces() == t.cfg.Torrent.Info.NumPieces()
	var sources []swarm.Source
	for _, w := range webSources(t.cfg.Torrent, t.cfg.Private, t.client.Addr().Addr()) {
		defer w.client.CloseIdleConnections()
		sources = append(sources, w)
	}
	s := swarm.New(swarm.Config{
		Info: t.cfg.Torrent.Info, InfoBytes: t.cfg.Torrent.InfoBytes, InfoHash: t.cfg.Torrent.InfoHash,
		Content: t.target, Limiter: t.limits.up, UploadSlots: t.client.cfg.UploadSlots,
		ListenPort: t.client.Addr().Port(), Logger: t.client.log, DialPatience: -1,
		Download: &swarm.Download{
			Have: t.pieces, Store: t.target, Memory: t.client.cfg.Memory, Limiter: t.downLimiter(),
			Sources: sources,
			Kept:    t.kept,
			Trouble: func(err error) {
				t.troubled(err)
				if errors.Is(err, storage.ErrPad) {
					cancel(permanent{fmt.Errorf("%s cannot be downloaded, its torrent is wrong: %w", t.cfg.Path, err)})
				}
			},
			Complete: func() {
				if err := t.target.Finish(); err != nil {
					cancel(fmt.Errorf("%s is not complete: %w", t.cfg.Path, err))
					return
				}
				t.completed()
			},
		},
	})
	t.phase.Store(int32(Downloading))
	t.swarm.Store(s)
	if complete {
		if err := t.target.Finish(); err != nil {
			t.troubled(err) // an empty file cannot be made where all is only to be read
		}
	}
	t.client.host.Add(s)
	defer t.client.host.Remove(s)
	if complete {
		t.completed() // whoever is told so can have it
	}
	session := trackernet.NewSession(trackernet.SessionConfig{
		Client: t.client.trackers(t.cfg.Private), Tiers: t.cfg.Torrent.Trackers(), InfoHash: s.InfoHash(), PeerID: t.client.id, Port: t.client.Addr().Port(),
		Progress: t.progress,
		Found:    func(peers []netip.AddrPort) { tell(s, candidates.Tracker, netip.Addr{}, peers) },
		Logger:   t.client.log,
	})
	tell(s, candidates.User, netip.Addr{}, t.cfg.Peers)
	var running sync.WaitGroup
	if !t.cfg.Torrent.Info.Private {
		running.Go(func() { t.client.addNodes(ctx, t.cfg.Torrent.Nodes, t.cfg.Private) })
		t.client.seek(s.InfoHash(), s)
		defer t.client.forget(s.InfoHash(), s)
	}
	defer running.Wait()
	t.session.Store(session)
	running.Go(func() { session.Run(ctx) })
	return s.Run(ctx)
}

// downLimiter returns what paces the download: nil if nothing does, which costs less.
func (t *Transfer) downLimiter() swarm.Limiter {
	if t.client.cfg.MaxDown <= 0 {
		return nil
	}
	return t.limits.down
}

func (t *Transfer) progress() (uploaded, downloaded, left int64) {
	st := t.swarm.Load().Stats()
	return st.Uploaded, st.Downloaded, t.target.Length() - st.Have
}

func (t *Transfer) kept(piece uint32) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pieces[piece/8] |= 0x80 >> (piece % 8)
	t.changed = true
}

func (t *Transfer) troubled(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.trouble = err
}

// completed is called when all is there.
func (t *Transfer) completed() {
	t.phase.Store(int32(Seeding))
	if s := t.session.Load(); s != nil { // else it was complete from the start
		s.Completed()
	}
	close(t.done)
	if t.cfg.KeepRecord {
		if err := t.remember(); err != nil {
			t.troubled(err)
		}
	}
}

// remember saves what is there for the next time, or forgets it when that is all.
func (t *Transfer) remember() error {
	t.mu.Lock()
	pieces, changed := t.pieces, t.changed
	t.mu.Unlock()
	if t.numPieces() == t.cfg.Torrent.Info.NumPieces() && !t.cfg.KeepRecord {
		if err := t.records.Remove(t.record); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return nil
	}
	if !changed {
		return nil
	}
	if err := t.target.Sync(); err != nil {
		return err
	}
	r := storage.Record{InfoHash: t.cfg.Torrent.InfoHash, Pieces: pieces, Files: t.target.Stamps()}
	if err := r.Save(t.records.Root, t.record); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = false
	return nil
}
