package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Stamp is what the file system told about a file when it was published.
type Stamp struct {
	Dev, Ino   uint64
	Size       int64 // bytes
	ModTime    int64 // nanoseconds since 1970 UTC
	ChangeTime int64 // nanoseconds since 1970 UTC
}

// File is an entry of the ledger.
type File struct {
	ID       int64
	Path     string    // slash separated, below the served directory; the last one it had
	Replaced time.Time // zero, or since when another entry has the path
}

// Member is one file of a unit.
type Member struct {
	Path   string // slash separated, as the caller likes it: kept as it is
	Length int64  // bytes
	Pad    bool   // zeros that are not on disk (BEP 47)
	Stamp  Stamp  // unused for pads
}

// Version is one torrent published for an entry.
type Version struct {
	ID        int64 // given by AddVersions
	FileID    int64 // zero when added: the entry that has Path, or a new one
	Path      string
	Unit      bool
	Stamp     Stamp    // of a single file; for a unit, whatever tells one state of it from another
	Members   []Member // of a unit, in the order of the info dict; may be left out
	InfoHash  [20]byte
	Published time.Time // kept to the millisecond

	// What the info dict says. A PieceLength of 0 says that none of it is known.
	Name        string
	PieceLength int64 // bytes
	Private     bool
}

// Versions returns all live versions, in the order they were published.
func (l *Ledger) Versions(ctx context.Context) (versions []Version, err error) {
	err = l.view(ctx, "reading the versions", func(tx *sql.Tx) error {
		versions, err = liveVersions(ctx, tx)
		if err != nil {
			return err
		}
		return liveMembers(ctx, tx, versions)
	})
	if err != nil {
		return nil, err
	}
	return versions, nil
}

func liveVersions(ctx context.Context, tx *sql.Tx) (versions []Version, err error) {
	rows, err := tx.QueryContext(ctx, `
		SELECT version.id, file_id, path, unit, dev, inode, size, mtime, ctime, infohash, published, name, piece_length, private
		FROM version JOIN file ON file.id = file_id
		WHERE retired IS NULL ORDER BY version.id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v Version
		var dev, ino, published int64
		var infohash []byte
		err := rows.Scan(&v.ID, &v.FileID, &v.Path, &v.Unit,
			&dev, &ino, &v.Stamp.Size, &v.Stamp.ModTime, &v.Stamp.ChangeTime, &infohash, &published,
			&v.Name, &v.PieceLength, &v.Private)
		if err != nil {
			return nil, err
		}
		if len(infohash) != len(v.InfoHash) {
			return nil, fmt.Errorf("%w: infohash of %d bytes", errCheck, len(infohash))
		}
		v.InfoHash = [20]byte(infohash)
		v.Stamp.Dev, v.Stamp.Ino = uint64(dev), uint64(ino)
		v.Published = time.UnixMilli(published).UTC()
		versions = append(versions, v)
	}
	return versions, rows.Err()
}

// liveMembers fills in the members of versions, which are in the order of ids.
func liveMembers(ctx context.Context, tx *sql.Tx, versions []Version) error {
	rows, err := tx.QueryContext(ctx, `
		SELECT version_id, member.path, length, pad, member.dev, member.inode, member.size, member.mtime, member.ctime
		FROM member JOIN version ON version.id = version_id
		WHERE retired IS NULL ORDER BY version_id, position`)
	if err != nil {
		return err
	}
	defer rows.Close()
	next := 0
	for rows.Next() {
		var m Member
		var version, dev, ino int64
		err := rows.Scan(&version, &m.Path, &m.Length, &m.Pad,
			&dev, &ino, &m.Stamp.Size, &m.Stamp.ModTime, &m.Stamp.ChangeTime)
		if err != nil {
			return err
		}
		m.Stamp.Dev, m.Stamp.Ino = uint64(dev), uint64(ino)
		for next < len(versions) && versions[next].ID < version {
			next++
		}
		if next < len(versions) && versions[next].ID == version {
			versions[next].Members = append(versions[next].Members, m)
		}
	}
	return rows.Err()
}

// Files returns all entries, in the order they were made.
func (l *Ledger) Files(ctx context.Context) (files []File, err error) {
	err = l.view(ctx, "reading the files", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, "SELECT id, path, replaced FROM file ORDER BY id")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f File
			var replaced sql.NullInt64
			if err := rows.Scan(&f.ID, &f.Path, &replaced); err != nil {
				return err
			}
			if replaced.Valid {
				f.Replaced = time.UnixMilli(replaced.Int64).UTC()
			}
			files = append(files, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	return files, nil
}
