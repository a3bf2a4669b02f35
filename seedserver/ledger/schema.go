package ledger

import (
	"context"
	"database/sql"
	"errors"
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
	`
	-- What was counted, for each entry and for all together: of every day, of every month and since the beginning, so
	-- that nothing needs to be added up to be shown.
	CREATE TABLE traffic (
		span            INTEGER NOT NULL, -- 0: a day, 1: a month, 2: ever
		start           INTEGER NOT NULL, -- its first day, as days since 1970-01-01 UTC; 0 for ever
		file_id         INTEGER NOT NULL, -- 0: all together, traffic of no file included
		need            INTEGER NOT NULL, -- bytes sent, as the next six
		assist          INTEGER NOT NULL,
		rescue          INTEGER NOT NULL,
		plain           INTEGER NOT NULL,
		metadata        INTEGER NOT NULL,
		http            INTEGER NOT NULL,
		webseed         INTEGER NOT NULL,
		completed       INTEGER NOT NULL, -- downloads
		completed_bytes INTEGER NOT NULL, -- the sizes of those, added up
		peers           INTEGER NOT NULL, -- addresses seen, of each file and day
		PRIMARY KEY (span, start, file_id)
	) STRICT, WITHOUT ROWID;
	CREATE INDEX traffic_file ON traffic (file_id, span, start);

	WITH
	file_day AS (
		SELECT file_id, day,
			sum(bytes) FILTER (WHERE class NOT IN ('http', 'webseed')) AS plain, -- there was but one way to send to peers
			sum(bytes) FILTER (WHERE class = 'http') AS http,
			sum(bytes) FILTER (WHERE class = 'webseed') AS webseed
		FROM day GROUP BY file_id, day),
	file_or_all AS (
		SELECT * FROM file_day WHERE file_id <> 0
		UNION ALL SELECT 0, day, plain, http, webseed FROM file_day),
	spans AS (
		SELECT 0 AS span, day AS start, * FROM file_or_all
		UNION ALL SELECT 1, unixepoch(day * 86400, 'unixepoch', 'start of month') / 86400, * FROM file_or_all
		UNION ALL SELECT 2, 0, * FROM file_or_all)
	INSERT INTO traffic
		SELECT span, start, file_id, 0, 0, 0, coalesce(sum(plain), 0), 0, coalesce(sum(http), 0), coalesce(sum(webseed), 0), 0, 0, 0
		FROM spans GROUP BY span, start, file_id;
	DROP TABLE day;

	-- Which of 65,536 marks the peers of one day have left at an entry; see crowd.go.
	CREATE TABLE crowd (
		file_id INTEGER PRIMARY KEY,
		day     INTEGER NOT NULL, -- days since 1970-01-01 UTC
		marks   BLOB NOT NULL
	) STRICT;
	CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
	INSERT INTO secret VALUES ('crowd', randomblob(32));
	`,
	`
	-- How many bytes may have been sent of the monthly budget: written before they are.
	CREATE TABLE budget (
		id       INTEGER PRIMARY KEY CHECK (id = 0),
		start    INTEGER NOT NULL, -- of the period, ms since 1970
		reserved INTEGER NOT NULL  -- bytes
	) STRICT;
	`,
	`
	-- What the info dict of a version says, so that it need not be read before somebody asks for it.
	ALTER TABLE version ADD COLUMN name TEXT NOT NULL DEFAULT '';
	ALTER TABLE version ADD COLUMN piece_length INTEGER NOT NULL DEFAULT 0; -- bytes; 0: published before this column was there
	ALTER TABLE version ADD COLUMN private INTEGER NOT NULL DEFAULT 0;      -- 1: BEP 27
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
	if err := known(found, len(steps)); err == nil || !errors.Is(err, ErrOlder) {
		return err
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
