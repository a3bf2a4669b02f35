package ledger

import (
	"context"
	"database/sql"
	"fmt"
)

// schema is the steps from an empty database to the present one; user_version
// counts those done. A step that was released never changes: another is added.
var schema = []string{
	`
	-- An entry keeps its id when its file is renamed.
	CREATE TABLE file (
		id       INTEGER PRIMARY KEY,
		path     TEXT NOT NULL,     -- slash separated, below the served directory; the last one it had
		replaced INTEGER            -- ms since 1970: another entry has the path since then
	) STRICT;
	CREATE UNIQUE INDEX file_path ON file (path) WHERE replaced IS NULL;

	-- What was published: dev to ctime are those of a single file; for a unit they tell one state of it from another.
	CREATE TABLE version (
		id        INTEGER PRIMARY KEY,
		file_id   INTEGER NOT NULL REFERENCES file,
		unit      INTEGER NOT NULL, -- 1: a directory as one torrent
		dev       INTEGER NOT NULL,
		inode     INTEGER NOT NULL,
		size      INTEGER NOT NULL, -- bytes
		mtime     INTEGER NOT NULL, -- ns since 1970
		ctime     INTEGER NOT NULL, -- ns since 1970
		infohash  BLOB NOT NULL,    -- 20 bytes
		published INTEGER NOT NULL, -- ms since 1970
		retired   INTEGER           -- ms since 1970; NULL: live
	) STRICT;
	CREATE UNIQUE INDEX version_live ON version (file_id) WHERE retired IS NULL;
	CREATE INDEX version_infohash ON version (infohash);

	CREATE TABLE member (
		version_id INTEGER NOT NULL REFERENCES version,
		position   INTEGER NOT NULL, -- in the info dict, from 0
		path       TEXT NOT NULL,
		length     INTEGER NOT NULL,
		pad        INTEGER NOT NULL, -- 1: zeros, not on disk
		dev        INTEGER NOT NULL,
		inode      INTEGER NOT NULL,
		size       INTEGER NOT NULL,
		mtime      INTEGER NOT NULL,
		ctime      INTEGER NOT NULL,
		PRIMARY KEY (version_id, position)
	) STRICT, WITHOUT ROWID;

	CREATE TABLE day (
		file_id INTEGER NOT NULL,   -- 0: traffic of no file
		day     INTEGER NOT NULL,   -- days since 1970-01-01 UTC
		class   TEXT NOT NULL,
		bytes   INTEGER NOT NULL,
		PRIMARY KEY (file_id, day, class)
	) STRICT, WITHOUT ROWID;

	CREATE TABLE picker (
		infohash BLOB PRIMARY KEY,
		state    BLOB NOT NULL
	) STRICT, WITHOUT ROWID;

	CREATE TABLE checkpoint (
		path         TEXT PRIMARY KEY,
		dev          INTEGER NOT NULL,
		inode        INTEGER NOT NULL,
		size         INTEGER NOT NULL,
		mtime        INTEGER NOT NULL,
		ctime        INTEGER NOT NULL,
		piece_length INTEGER NOT NULL,
		hashes       BLOB NOT NULL   -- of the leading pieces, 20 bytes each
	) STRICT;
	`,
}

// migrate brings db from its user_version to the end of steps, all or nothing.
func migrate(ctx context.Context, db *sql.DB, steps []string) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing after Commit
	var found int
	if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
		return err
	}
	switch {
	case found == len(steps):
		return nil
	case found < 0 || found > len(steps):
		return &NewerError{Found: found, Known: len(steps)}
	}
	for i, step := range steps[found:] {
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("migrating to schema %d: %w", found+i+1, err)
		}
	}
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA user_version = %d", len(steps))); err != nil {
		return err
	}
	return tx.Commit()
}
