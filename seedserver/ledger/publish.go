package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// AddVersion is [Ledger.AddVersions] for one. It returns v with its ids.
func (l *Ledger) AddVersion(ctx context.Context, v Version) (Version, error) {
	one := []Version{v}
	err := l.AddVersions(ctx, one)
	return one[0], err
}

// AddVersions records that versions are published, all in one transaction: all
// of them are on disk when it returns nil, and none if it fails. It sets ID and
// FileID of each.
//
// A FileID given means that this entry goes on, under a new path if Path is
// another one (the file was renamed). If another entry has that path, it is
// marked as replaced. Live versions that an added one takes the place of, by its
// entry or by its path, are retired at its time of publication, and a
// checkpoint of its path is dropped. It fails if FileID names no entry.
func (l *Ledger) AddVersions(ctx context.Context, versions []Version) error {
	added := make([]Version, len(versions))
	err := l.update(ctx, "recording what is published", func(tx *sql.Tx) error {
		a, err := newAdder(ctx, tx)
		if err != nil {
			return err
		}
		for i := range versions {
			if added[i], err = a.add(ctx, versions[i]); err != nil {
				return fmt.Errorf("%q: %w", versions[i].Path, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	copy(versions, added)
	return nil
}

// Retire records that versions are not published any more: the live ones with
// the Path and the InfoHash of one of these. Those retired before keep their
// time.
func (l *Ledger) Retire(ctx context.Context, at time.Time, versions ...Version) error {
	return l.update(ctx, "recording what is retired", func(tx *sql.Tx) error {
		retire, err := tx.PrepareContext(ctx, `UPDATE version SET retired = ? WHERE retired IS NULL AND infohash = ?
			AND file_id = (SELECT id FROM file WHERE path = ? AND replaced IS NULL)`)
		if err != nil {
			return err
		}
		for i := range versions {
			v := &versions[i]
			if _, err := retire.ExecContext(ctx, at.UnixMilli(), v.InfoHash[:], v.Path); err != nil {
				return err
			}
		}
		return nil
	})
}

// adder adds versions within one transaction.
type adder struct {
	fileByPath, insertFile, renameFile, replaceFile   *sql.Stmt
	retire, insertVersion, insertMember, dropProgress *sql.Stmt
}

func newAdder(ctx context.Context, tx *sql.Tx) (*adder, error) {
	a := new(adder)
	for _, s := range []struct {
		stmt **sql.Stmt
		text string
	}{
		{&a.fileByPath, "SELECT id FROM file WHERE path = ? AND replaced IS NULL"},
		{&a.insertFile, "INSERT INTO file (path) VALUES (?)"},
		{&a.renameFile, "UPDATE file SET path = ?, replaced = NULL WHERE id = ?"},
		{&a.replaceFile, "UPDATE file SET replaced = ? WHERE id = ?"},
		{&a.retire, "UPDATE version SET retired = ? WHERE file_id = ? AND retired IS NULL"},
		{&a.insertVersion, `INSERT INTO version (file_id, unit, dev, inode, size, mtime, ctime, infohash, published, name, piece_length, private)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&a.insertMember, "INSERT INTO member VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"},
		{&a.dropProgress, "DELETE FROM checkpoint WHERE path = ?"},
	} {
		stmt, err := tx.PrepareContext(ctx, s.text)
		if err != nil {
			return nil, err
		}
		*s.stmt = stmt
	}
	return a, nil
}

// add adds one version and returns it with its ids.
func (a *adder) add(ctx context.Context, v Version) (Version, error) {
	published := v.Published.UnixMilli()
	if err := a.entry(ctx, &v, published); err != nil {
		return v, err
	}
	if _, err := a.retire.ExecContext(ctx, published, v.FileID); err != nil {
		return v, err
	}
	result, err := a.insertVersion.ExecContext(ctx, v.FileID, v.Unit, int64(v.Stamp.Dev), int64(v.Stamp.Ino),
		v.Stamp.Size, v.Stamp.ModTime, v.Stamp.ChangeTime, v.InfoHash[:], published, v.Name, v.PieceLength, v.Private)
	if err != nil {
		return v, err
	}
	if v.ID, err = result.LastInsertId(); err != nil {
		return v, err
	}
	for i, m := range v.Members {
		_, err := a.insertMember.ExecContext(ctx, v.ID, i, m.Path, m.Length, m.Pad,
			int64(m.Stamp.Dev), int64(m.Stamp.Ino), m.Stamp.Size, m.Stamp.ModTime, m.Stamp.ChangeTime)
		if err != nil {
			return v, err
		}
	}
	_, err = a.dropProgress.ExecContext(ctx, v.Path)
	return v, err
}

// entry finds or makes the entry of v and sets v.FileID.
func (a *adder) entry(ctx context.Context, v *Version, published int64) error {
	var holder int64
	err := a.fileByPath.QueryRowContext(ctx, v.Path).Scan(&holder)
	held := err == nil
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case v.FileID == 0 && held:
		v.FileID = holder
		return nil
	case v.FileID == 0:
		result, err := a.insertFile.ExecContext(ctx, v.Path)
		if err != nil {
			return err
		}
		v.FileID, err = result.LastInsertId()
		return err
	case held && holder == v.FileID:
		return nil
	}
	if held {
		if _, err := a.replaceFile.ExecContext(ctx, published, holder); err != nil {
			return err
		}
		if _, err := a.retire.ExecContext(ctx, published, holder); err != nil {
			return err
		}
	}
	result, err := a.renameFile.ExecContext(ctx, v.Path, v.FileID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("no entry %d", v.FileID))
	}
	return nil
}
