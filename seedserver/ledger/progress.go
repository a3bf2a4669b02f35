package ledger

import (
	"context"
	"database/sql"
	"errors"
)

// Checkpoint is how far the hashing of a file or unit has come. It holds only as
// long as the stamp does, the change time included: leading hashes of other
// bytes would make a torrent that nobody can complete.
type Checkpoint struct {
	Path        string // of the file or unit
	Stamp       Stamp  // for a unit, whatever tells one state of it from another
	PieceLength int64  // bytes
	Hashes      []byte // of the leading pieces, 20 bytes each
}

// SaveCheckpoint records c in place of an earlier one of the same path.
func (l *Ledger) SaveCheckpoint(ctx context.Context, c Checkpoint) error {
	return l.update(ctx, "recording how far hashing is", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			c.Path, int64(c.Stamp.Dev), int64(c.Stamp.Ino), c.Stamp.Size, c.Stamp.ModTime, c.Stamp.ChangeTime,
			c.PieceLength, notNil(c.Hashes))
		return err
	})
}

// Checkpoint returns the checkpoint recorded for path, or the zero Checkpoint if
// there is none. The caller compares the stamp and the piece length.
func (l *Ledger) Checkpoint(ctx context.Context, path string) (c Checkpoint, err error) {
	err = l.view(ctx, "reading how far hashing was", func(tx *sql.Tx) error {
		var dev, ino int64
		found := Checkpoint{Path: path}
		err := tx.QueryRowContext(ctx,
			"SELECT dev, inode, size, mtime, ctime, piece_length, hashes FROM checkpoint WHERE path = ?", path,
		).Scan(&dev, &ino, &found.Stamp.Size, &found.Stamp.ModTime, &found.Stamp.ChangeTime, &found.PieceLength, &found.Hashes)
		if err != nil {
			return ignoreNoRows(err)
		}
		found.Stamp.Dev, found.Stamp.Ino = uint64(dev), uint64(ino)
		c = found
		return nil
	})
	return c, err
}

// RemoveCheckpoint forgets the checkpoint of path, if there is one.
func (l *Ledger) RemoveCheckpoint(ctx context.Context, path string) error {
	return l.update(ctx, "forgetting how far hashing was", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM checkpoint WHERE path = ?", path)
		return err
	})
}

// Picker is the state of the piece picker for one torrent.
type Picker struct {
	InfoHash [20]byte
	State    []byte // opaque; empty: forget it
}

// SavePickers records states in place of earlier ones of the same torrents, in
// one transaction.
func (l *Ledger) SavePickers(ctx context.Context, pickers []Picker) error {
	return l.update(ctx, "recording the pickers", func(tx *sql.Tx) error {
		for _, p := range pickers {
			statement, args := "INSERT OR REPLACE INTO picker VALUES (?, ?)", []any{p.InfoHash[:], p.State}
			if len(p.State) == 0 {
				statement, args = "DELETE FROM picker WHERE infohash = ?", args[:1]
			}
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return err
			}
		}
		return nil
	})
}

// Pickers returns the states recorded for all torrents, in any order.
func (l *Ledger) Pickers(ctx context.Context) (all []Picker, err error) {
	err = l.view(ctx, "reading the pickers", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT infohash, state FROM picker")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var hash []byte
			var p Picker
			if err := rows.Scan(&hash, &p.State); err != nil {
				return err
			}
			copy(p.InfoHash[:], hash)
			all = append(all, p)
		}
		return rows.Err()
	})
	return all, err
}

// Picker returns the state recorded for a torrent, nil if there is none.
func (l *Ledger) Picker(ctx context.Context, infohash [20]byte) (state []byte, err error) {
	err = l.view(ctx, "reading a picker", func(tx *sql.Tx) error {
		return ignoreNoRows(tx.QueryRowContext(ctx, "SELECT state FROM picker WHERE infohash = ?", infohash[:]).Scan(&state))
	})
	return state, err
}

func ignoreNoRows(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// notNil returns b as a blob: nil would be NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
