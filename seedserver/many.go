package seedserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// ManyConfig sets a [Many]. Dir is needed.
type ManyConfig struct {
	Client ClientConfig
	Dir    string // where the .torrent files are
	Data   string // where what they describe is, or goes. If empty, Dir
	State  string // where what is there is remembered. If empty, a directory below the user's own
	// Rescan is how often Dir is looked at. If zero, one second.
	Rescan time.Duration
	// Overwrite and Private are as in TransferConfig, for all torrents.
	Overwrite, Private bool
}

// A Many downloads and seeds every torrent of a directory, on one port and below one limit. Torrents that are added start, those
// that are removed stop; their data stay. One that fails for a reason that may pass is begun again, after growing pauses. Its methods may be called from anywhere.
type Many struct {
	cfg    ManyConfig
	log    *slog.Logger
	client *Client
	blind  bool // of scan: the directory could not be read

	mu     sync.Mutex // a leaf
	listed map[string]*manyEntry
}

// A manyEntry is one .torrent file.
type manyEntry struct {
	file     string
	size     int64
	modified time.Time
	torrent  *metainfo.Torrent // nil if it cannot be read
	transfer *Transfer         // nil if it does not run
	stop     context.CancelFunc
	ended    chan struct{}
	begun    time.Time

	// of those that do not run
	err      error
	failures int       // in a row
	retry    time.Time // zero if only a change helps
}

// ManyStatus is the state of one .torrent file.
type ManyStatus struct {
	File     string // in the directory
	Name     string
	InfoHash metainfo.InfoHash
	TransferStatus
	Err   error     // why it does not run; nil if it does
	Retry time.Time // when it is begun again; zero if only a change of the file, of what is in the way or of the settings helps
}

// NewMany opens the port. Nothing is read or written before Run.
func NewMany(ctx context.Context, cfg ManyConfig) (*Many, error) {
	if cfg.Rescan == 0 {
		cfg.Rescan = time.Second
	}
	cfg.Data = cmp.Or(cfg.Data, cfg.Dir)
	if _, err := os.ReadDir(cfg.Dir); err != nil {
		return nil, err
	}
	if cfg.State == "" {
		state, err := userState(cfg.Dir)
		if err != nil {
			return nil, err
		}
		cfg.State = filepath.Join(state, "many")
	}
	for _, dir := range []string{cfg.State, cfg.Data} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	if cfg.Client.DHTFile == "" {
		cfg.Client.DHTFile = filepath.Join(cfg.State, dhtFile)
	}
	c, err := NewClient(ctx, cfg.Client)
	if err != nil {
		return nil, err
	}
	return &Many{cfg: cfg, log: c.log, client: c, listed: map[string]*manyEntry{}}, nil
}

// Client returns what all torrents share.
func (m *Many) Client() *Client { return m.client }

// Run looks at the directory until ctx ends, and returns its cause when all transfers have ended.
func (m *Many) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	running.Go(func() {
		if err := m.client.Run(ctx); ctx.Err() == nil {
			cancel(err)
		}
	})
	tick := time.NewTicker(m.cfg.Rescan)
	defer tick.Stop()
	for ctx.Err() == nil {
		m.scan(ctx, &running)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	running.Wait()
	return context.Cause(ctx)
}

// scan starts what is new in the directory and stops what is not there any more.
func (m *Many) scan(ctx context.Context, running *sync.WaitGroup) {
	files, err := os.ReadDir(m.cfg.Dir)
	if err != nil && !m.blind {
		m.log.Warn("the directory cannot be read, all goes on as it was", "err", err)
	}
	if m.blind = err != nil; m.blind {
		return
	}
	there := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".torrent") || !f.Type().IsRegular() {
			continue
		}
		info, err := f.Info()
		if err != nil {
			continue // gone since
		}
		there[f.Name()] = true
		e := m.entry(f.Name())
		next := &manyEntry{file: f.Name(), size: info.Size(), modified: info.ModTime()}
		if e != nil && e.size == next.size && e.modified.Equal(next.modified) {
			if !m.mayBeginAgain(time.Now(), e) {
				continue
			}
			next = m.again(e)
		}
		if e != nil {
			m.end(e)
		}
		m.begin(ctx, running, next)
	}
	var gone []*manyEntry
	for _, e := range m.entries() {
		if !there[e.file] {
			gone = append(gone, e)
		}
	}
	m.end(gone...)
}

// errTaken says that another torrent has the infohash, or the place of the data.
var errTaken = errors.New("taken")

func (m *Many) entry(file string) *manyEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.listed[file]
}

// entries returns all entries, by the names of their files.
func (m *Many) entries() []*manyEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]*manyEntry, 0, len(m.listed))
	for _, e := range m.listed {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b *manyEntry) int { return strings.Compare(a.file, b.file) })
	return list
}

// begin starts the torrent of a file.
func (m *Many) begin(ctx context.Context, running *sync.WaitGroup, e *manyEntry) {
	e.begun = time.Now()
	err := m.prepare(e)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.listed[e.file] = e
	if err != nil {
		e.failedAt(time.Now(), err)
		m.log.Warn("torrent not started", "file", e.file, "err", err)
		return
	}
	ctx, e.stop = context.WithCancel(ctx)
	e.ended = make(chan struct{})
	running.Go(func() {
		defer close(e.ended)
		err := e.transfer.Run(ctx)
		if ctx.Err() != nil {
			return
		}
		m.log.Warn("torrent stopped", "file", e.file, "err", err)
		m.mu.Lock()
		defer m.mu.Unlock()
		e.failedAt(time.Now(), err)
	})
}

// prepare reads the file, and makes a transfer of it.
func (m *Many) prepare(e *manyEntry) error {
	if e.size > maxTorrent {
		return permanent{fmt.Errorf("%d bytes are too many for a .torrent file", e.size)}
	}
	b, err := os.ReadFile(filepath.Join(m.cfg.Dir, e.file))
	if err != nil {
		return err
	}
	t, err := metainfo.Parse(b)
	if err != nil {
		return permanent{err}
	}
	for _, other := range m.entries() {
		switch {
		case other.transfer == nil || other.torrent == nil:
		case other.torrent.InfoHash == t.InfoHash:
			return fmt.Errorf("the same torrent as %s: %w", other.file, errTaken)
		case other.torrent.Info.Name == t.Info.Name:
			return fmt.Errorf("its data go where those of %s are: %w", other.file, errTaken)
		}
	}
	brings, err := m.bringsTorrents(t.Info)
	if err != nil {
		return err
	}
	if brings {
		return permanent{errors.New("its data would be taken for torrents that somebody put here: choose another place for data with --data")}
	}
	tr, err := m.client.NewTransfer(TransferConfig{
		Torrent: t, Path: filepath.Join(m.cfg.Data, t.Info.Name), Record: filepath.Join(m.cfg.State, t.InfoHash.String()+".resume"),
		KeepRecord: true, Overwrite: m.cfg.Overwrite, Private: m.cfg.Private,
	})
	if err != nil {
		return err
	}
	e.torrent, e.transfer = t, tr
	return nil
}

// bringsTorrents reports whether a file of a torrent would lie in the directory as one to be started, at a stranger's word.
func (m *Many) bringsTorrents(info *metainfo.Info) (bool, error) {
	dir, err := realPath(m.cfg.Dir)
	if err != nil {
		return false, err
	}
	data, err := realPath(m.cfg.Data)
	if err != nil {
		return false, err
	}
	for _, f := range targetFiles(info, info.Name) {
		if at := filepath.Join(data, filepath.FromSlash(f.Path)); strings.HasSuffix(at, ".torrent") && filepath.Dir(at) == dir {
			return true, nil
		}
	}
	return false, nil
}

// end stops torrents and waits until they have let go of their data.
func (m *Many) end(gone ...*manyEntry) {
	m.mu.Lock()
	for _, e := range gone {
		delete(m.listed, e.file)
	}
	m.mu.Unlock()
	gone = slices.DeleteFunc(gone, func(e *manyEntry) bool { return e.stop == nil })
	for _, e := range gone {
		e.stop()
	}
	patience := time.After(endPatience)
	for _, e := range gone {
		select {
		case <-e.ended:
		case <-patience: // its trackers may take longer to hear of it
			return
		}
	}
}

// endPatience is how long torrents that are removed may keep others waiting.
const endPatience = 200 * time.Millisecond

// Status returns the state of each .torrent file, by name.
func (m *Many) Status() []ManyStatus {
	entries := m.entries()
	list := make([]ManyStatus, 0, len(entries))
	for _, e := range entries {
		st := ManyStatus{File: e.file}
		m.mu.Lock()
		st.Err, st.Retry = e.err, e.retry
		m.mu.Unlock()
		if e.torrent != nil {
			st.Name, st.InfoHash = e.torrent.Info.Name, e.torrent.InfoHash
		}
		if e.transfer != nil {
			st.TransferStatus = e.transfer.Status()
		}
		list = append(list, st)
	}
	return list
}
