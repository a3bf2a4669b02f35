package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Reader answers questions about the traffic. It sees what has been written: the
// ledger of a running server writes every few seconds, and in [Ledger.Flush]. Any
// number of goroutines may use it until it is closed.
type Reader struct {
	db   *sql.DB
	path string // of the database
}

// readers is how many questions are answered at a time; others wait.
const readers = 4

// OpenReadOnly opens the ledger in dir for questions alone. It takes no lock: a
// server may have it open, or open it meanwhile. Nothing is made or changed.
//
// It fails with [os.ErrNotExist] if there is no ledger in dir, with an
// [OlderError] if it was last written by an older program, with a [NewerError]
// if by a newer one, and with a [DamagedError] if it cannot be read.
func OpenReadOnly(ctx context.Context, dir string) (*Reader, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, databaseName)
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the state: %w", err)
	}
	r, err := newReader(path)
	if err != nil {
		return nil, err
	}
	err = r.view(ctx, "opening the state", func(tx *sql.Tx) error {
		var found int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&found); err != nil {
			return err
		}
		return known(found, len(schema))
	})
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// known reports how the schema found differs from the one this program knows.
func known(found, known int) error {
	switch {
	case found == known:
		return nil
	case found >= 0 && found < known:
		return &OlderError{Found: found, Known: known}
	}
	return &NewerError{Found: found, Known: known}
}

// newReader returns a Reader of the database at path, and looks at nothing.
func newReader(path string) (*Reader, error) {
	// Not mode=ro: that leaves SQLite's two files beside a database that nobody else has open.
	db, err := sql.Open("sqlite", dataSource(path, url.Values{"_query_only": {"1"}}))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(readers)
	return &Reader{db: db, path: path}, nil
}

// Close ends the questions.
func (r *Reader) Close() error { return r.db.Close() }

// view runs look in a transaction that changes nothing. doing says what for in
// the error.
func (r *Reader) view(ctx context.Context, doing string, look func(*sql.Tx) error) error {
	return r.transact(ctx, r.db, doing, look)
}

// transact runs f in one transaction.
func (r *Reader) transact(ctx context.Context, db *sql.DB, doing string, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return r.explain(doing, err)
	}
	defer tx.Rollback() // nothing after Commit
	if err := f(tx); err != nil {
		return r.explain(doing, err)
	}
	return r.explain(doing, tx.Commit())
}
