package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	torrentSuffix = ".torrent"
	tempSuffix    = ".tmp"

	// torrentWriters sync at the same time: a file system commits what waits
	// together in one go.
	torrentWriters = 32
)

// Torrent is a metainfo file.
type Torrent struct {
	InfoHash [20]byte
	Data     []byte // the whole .torrent
}

func torrentName(infohash [20]byte) string { return hex.EncodeToString(infohash[:]) + torrentSuffix }

// openTorrents opens the directory of the torrents and removes what a killed
// process was writing there.
func (l *Ledger) openTorrents(dir string) error {
	path := filepath.Join(dir, torrentsName)
	err := errors.Join(os.MkdirAll(path, dirMode), narrow(path, dirMode))
	if err != nil {
		return err
	}
	if l.torrents, err = os.OpenRoot(path); err != nil {
		return err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), tempSuffix) {
			if err := l.torrents.Remove(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteTorrent is [Ledger.WriteTorrents] for one.
func (l *Ledger) WriteTorrent(ctx context.Context, t Torrent) error {
	return l.WriteTorrents(ctx, []Torrent{t})
}

// WriteTorrents writes torrents/INFOHASH.torrent for each, in place of an
// earlier one. Each file appears whole or not at all, and all are on disk when
// it returns nil. If it fails, some may have been written.
func (l *Ledger) WriteTorrents(ctx context.Context, torrents []Torrent) error {
	if len(torrents) == 0 {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan Torrent)
	var writers sync.WaitGroup
	for range min(torrentWriters, len(torrents)) {
		writers.Go(func() {
			for t := range queue {
				if err := l.writeTorrent(t); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, t := range torrents {
		if ctx.Err() != nil {
			break
		}
		queue <- t // never for long: the writers take until it is closed
	}
	close(queue)
	writers.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("writing torrents: %w", context.Cause(ctx))
	}
	if err := syncDir(l.torrents); err != nil {
		return fmt.Errorf("writing torrents: %w", err)
	}
	return nil
}

// writeTorrent writes one torrent under a temporary name, then gives it its own.
func (l *Ledger) writeTorrent(t Torrent) (err error) {
	name := torrentName(t.InfoHash)
	temp := fmt.Sprintf("%s.%d%s", name, l.temps.Add(1), tempSuffix)
	f, err := l.torrents.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(t.Data)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = l.torrents.Rename(temp, name)
	}
	if err != nil {
		return errors.Join(err, l.torrents.Remove(temp))
	}
	return nil
}

// ReadTorrent returns the .torrent of an infohash. It fails with
// [fs.ErrNotExist] if there is none.
func (l *Ledger) ReadTorrent(infohash [20]byte) ([]byte, error) {
	data, err := l.torrents.ReadFile(torrentName(infohash))
	if err != nil {
		return nil, fmt.Errorf("reading a torrent: %w", err)
	}
	return data, nil
}

// RemoveTorrent deletes the .torrent of an infohash, unless a live version names
// it: two files of the same name and content share one torrent. It must not run
// between the writing of the same torrent and the adding of its version. It is
// no error if there is none.
func (l *Ledger) RemoveTorrent(ctx context.Context, infohash [20]byte) error {
	// In a transaction that may write, so that no version that names it is
	// added between the look and the removal.
	return l.update(ctx, "removing a torrent", func(tx *sql.Tx) error {
		var live bool
		err := tx.QueryRowContext(ctx,
			"SELECT EXISTS (SELECT 1 FROM version WHERE infohash = ? AND retired IS NULL)", infohash[:]).Scan(&live)
		if err != nil || live {
			return err
		}
		err = l.torrents.Remove(torrentName(infohash))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}
