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
	"runtime"
	"strings"
)

const (
	torrentSuffix = ".torrent"
	tempSuffix    = ".tmp"

	// bulk is how many torrents it takes to sync the whole file system once
	// instead of each file, where the system can: that may have to write what
	// others left unwritten, such as an upload under way.
	bulk = 64
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
	if err := l.writeTorrents(ctx, torrents); err != nil {
		return fmt.Errorf("writing torrents: %w", err)
	}
	return nil
}

// writeTorrents writes all under temporary names, makes them durable, then gives
// them their own.
func (l *Ledger) writeTorrents(ctx context.Context, torrents []Torrent) (err error) {
	together := canSyncAll && len(torrents) >= bulk
	temps := make([]string, 0, len(torrents))
	defer func() {
		if err != nil {
			for _, temp := range temps {
				l.torrents.Remove(temp) // those that have their name by now are not found
			}
		}
	}()
	for _, t := range torrents {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		temp := fmt.Sprintf("%x.%d%s", t.InfoHash, l.temps.Add(1), tempSuffix)
		temps = append(temps, temp)
		if err := l.writeTemp(temp, t.Data, !together); err != nil {
			return err
		}
	}
	if together {
		if err := syncAll(l.torrents); err != nil {
			return err
		}
	}
	for i, t := range torrents {
		if err := l.torrents.Rename(temps[i], torrentName(t.InfoHash)); err != nil {
			return err
		}
	}
	return syncDir(l.torrents)
}

// writeTemp writes one new file, and syncs it if told so.
func (l *Ledger) writeTemp(name string, data []byte, sync bool) error {
	f, err := l.torrents.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && sync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names in a directory durable. Windows does so by itself.
func syncDir(root *os.Root) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
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
