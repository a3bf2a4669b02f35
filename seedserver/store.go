package seedserver

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// store keeps the catalog's versions in the ledger: it is the catalog's Store. It also knows which entry of the ledger a path's
// traffic belongs to.
type store struct {
	ledger  *ledger.Ledger
	pickers *pickers
	log     *slog.Logger

	mu      sync.RWMutex
	entries map[string]int64 // by path: the entry of the version that was there last, which may be retired
	// unwritten are raw info dicts that could not be written. They are tried again with the next.
	unwritten map[metainfo.InfoHash][]byte

	meters meters
}

func newStore(l *ledger.Ledger, p *pickers, log *slog.Logger) *store {
	return &store{ledger: l, pickers: p, log: log, entries: map[string]int64{}, unwritten: map[metainfo.InfoHash][]byte{}}
}

// Load is part of catalog.Store. Torrents are not read: next to nobody asks for more than a few.
func (s *store) Load(ctx context.Context) ([]catalog.Record, error) {
	versions, err := s.ledger.Versions(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	records, published := make([]catalog.Record, 0, len(versions)), make(map[metainfo.InfoHash]bool, len(versions))
	for _, v := range versions {
		s.entries[v.Path] = v.FileID
		published[v.InfoHash] = true
		if err := s.complete(&v); err != nil {
			s.log.Warn("a torrent is missing from the state, its file is hashed again", "path", v.Path, "err", err)
			continue
		}
		records = append(records, catalog.Record{
			Path: v.Path, Name: v.Name, Unit: v.Unit, Private: v.Private, Stamp: catalog.Stamp(v.Stamp),
			PieceLength: v.PieceLength, InfoHash: v.InfoHash, Published: v.Published,
		})
	}
	if err := s.pickers.load(ctx, published); err != nil {
		return nil, err
	}
	return records, nil
}

// complete reads what the ledger lacks of a version that was published by an older program.
func (s *store) complete(v *ledger.Version) error {
	if v.PieceLength > 0 {
		return nil
	}
	t, err := s.readTorrent(v.InfoHash)
	if err != nil {
		return err
	}
	v.Name, v.PieceLength, v.Private = t.Info.Name, t.Info.PieceLength, t.Info.Private
	return nil
}

// torrent returns the info dict of a published version, read from the state.
func (s *store) torrent(h metainfo.InfoHash) (*metainfo.Torrent, error) {
	s.mu.RLock()
	raw, ok := s.unwritten[h]
	s.mu.RUnlock()
	if !ok {
		return s.readTorrent(h)
	}
	info, err := metainfo.ParseInfo(raw)
	return &metainfo.Torrent{Info: info, InfoBytes: raw, InfoHash: h}, err
}

func (s *store) readTorrent(h metainfo.InfoHash) (*metainfo.Torrent, error) {
	b, err := s.ledger.ReadTorrent(h)
	if err != nil {
		return nil, err
	}
	t, err := metainfo.Parse(b)
	if err == nil && t.InfoHash != h {
		err = fmt.Errorf("the torrent of %v holds %v", h, t.InfoHash)
	}
	return t, err
}

// Write is part of catalog.Store. Torrents are on disk before the versions that name them; runs of versions go in one transaction.
func (s *store) Write(ctx context.Context, changes []catalog.Change) error {
	if err := s.writeTorrents(ctx, changes); err != nil {
		return err
	}
	all, entries := changes, s.formerEntries(changes)
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && (changes[n].Retired == "") == (changes[0].Retired == "") {
			n++
		}
		var err error
		if changes[0].Retired != "" {
			err = s.retire(ctx, changes[:n])
		} else {
			err = s.save(ctx, changes[:n], entries[:n])
		}
		if err != nil {
			return err
		}
		changes, entries = changes[n:], entries[n:]
	}
	return s.removeTorrents(ctx, all)
}

// formerEntries returns for each change the entry that goes on under a new path, 0 for none: as it was before all of them, since
// files may have exchanged their names.
func (s *store) formerEntries(changes []catalog.Change) []int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	ids := make([]int64, len(changes))
	for i, c := range changes {
		if c.From != "" {
			ids[i] = s.entries[c.From]
		}
	}
	return ids
}

// writeTorrents writes the torrents of what is saved. While that fails they are kept in memory: they are seeded nevertheless.
func (s *store) writeTorrents(ctx context.Context, changes []catalog.Change) error {
	s.mu.Lock()
	for _, c := range changes {
		if c.Retired == "" {
			s.unwritten[c.Record.InfoHash] = c.Info
		} else {
			delete(s.unwritten, c.Record.InfoHash)
		}
	}
	torrents := make([]ledger.Torrent, 0, len(s.unwritten))
	for h, info := range s.unwritten {
		doc := metainfo.Torrent{InfoBytes: info, InfoHash: h}
		torrents = append(torrents, ledger.Torrent{InfoHash: h, Data: doc.Encode()})
	}
	s.mu.Unlock()
	if len(torrents) == 0 {
		return nil
	}
	if err := s.ledger.WriteTorrents(ctx, torrents); err != nil {
		return err
	}
	s.mu.Lock()
	s.unwritten = map[metainfo.InfoHash][]byte{}
	s.mu.Unlock()
	return nil
}

// save adds versions. A file that was renamed goes on under the entry of its former path.
// entries are those of formerEntries.
func (s *store) save(ctx context.Context, changes []catalog.Change, entries []int64) error {
	versions := make([]ledger.Version, len(changes))
	for i, c := range changes {
		r := c.Record
		versions[i] = ledger.Version{
			FileID: entries[i], Path: r.Path, Unit: r.Unit, Stamp: ledger.Stamp(r.Stamp), InfoHash: r.InfoHash, Published: r.Published,
			Name: r.Name, PieceLength: r.PieceLength, Private: r.Private,
		}
	}
	if err := s.ledger.AddVersions(ctx, versions); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, c := range changes {
		if c.From != "" && s.entries[c.From] == entries[i] { // nobody else has moved there
			delete(s.entries, c.From)
		}
	}
	for _, v := range versions {
		s.entries[v.Path] = v.FileID
	}
	return nil
}

// retire ends versions.
func (s *store) retire(ctx context.Context, changes []catalog.Change) error {
	versions := make([]ledger.Version, len(changes))
	for i, c := range changes {
		versions[i] = ledger.Version{Path: c.Record.Path, InfoHash: c.Record.InfoHash}
	}
	return s.ledger.Retire(ctx, changes[0].At, versions...)
}

// removeTorrents removes the torrents of retired versions that no other version needs, now that all changes are saved: the same
// bytes may have been published anew among them.
func (s *store) removeTorrents(ctx context.Context, changes []catalog.Change) error {
	for _, c := range changes {
		if c.Retired == "" {
			continue
		}
		if err := s.ledger.RemoveTorrent(ctx, c.Record.InfoHash); err != nil {
			return err
		}
	}
	return nil
}

// Checkpoint is part of catalog.Store.
func (s *store) Checkpoint(ctx context.Context, path string) (catalog.Checkpoint, error) {
	c, err := s.ledger.Checkpoint(ctx, path)
	return catalog.Checkpoint{Path: c.Path, Stamp: catalog.Stamp(c.Stamp), PieceLength: c.PieceLength, Hashes: c.Hashes}, err
}

// SaveCheckpoint is part of catalog.Store.
func (s *store) SaveCheckpoint(ctx context.Context, c catalog.Checkpoint) error {
	return s.ledger.SaveCheckpoint(ctx, ledger.Checkpoint{
		Path: c.Path, Stamp: ledger.Stamp(c.Stamp), PieceLength: c.PieceLength, Hashes: c.Hashes,
	})
}

// count accounts n bytes that left for an entry of the ledger.
func (s *store) count(entry int64, class ledger.Class, n int64) {
	now := time.Now()
	s.ledger.AddBytes(now, entry, class, n)
	s.meters.add(now, entry, class, n)
}

// entry returns the entry of the ledger that the traffic of path belongs to, 0 for none.
func (s *store) entry(path string) int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entries[path]
}
