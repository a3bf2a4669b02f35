package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"
)

// Class is a kind of traffic. The ledger accepts any short text.
type Class string

// The classes of traffic a server sends.
const (
	ClassPeer    Class = "peer"    // pieces to peers
	ClassHTTP    Class = "http"    // files sent plainly
	ClassWebSeed Class = "webseed" // pieces and files to clients that use us as a web seed (BEP 19)
)

// Day is a day in UTC, counted from 1970-01-01, which is 0.
type Day int32

// DayOf returns the day of t in UTC.
func DayOf(t time.Time) Day {
	const day = 24 * 60 * 60
	seconds := t.Unix()
	if seconds < 0 {
		seconds -= day - 1 // round down
	}
	return Day(seconds / day)
}

// Time returns the beginning of the day in UTC.
func (d Day) Time() time.Time { return time.Unix(int64(d)*24*60*60, 0).UTC() }

// String returns the day as in "2006-01-02".
func (d Day) String() string { return d.Time().Format(time.DateOnly) }

// Total is the bytes of one entry in one class.
type Total struct {
	FileID int64  // 0: traffic of no file
	Path   string // of the entry; empty if there is none
	Class  Class
	Bytes  int64
}

// account is what bytes are counted for.
type account struct {
	file  int64
	day   Day
	class Class
}

// AddBytes counts n bytes sent at now for a file entry in one class. FileID 0
// stands for traffic of no file. It touches memory only; callers on a hot path
// add up a run of blocks first. Bytes of zero or less are ignored.
func (l *Ledger) AddBytes(now time.Time, fileID int64, class Class, n int64) {
	if n <= 0 {
		return
	}
	l.mu.Lock()
	l.pending[account{fileID, DayOf(now), class}] += n
	l.mu.Unlock()
}

// Run writes counted bytes every few seconds until ctx is done, and once more
// then. If writing fails, the bytes are kept and tried again; only damage ends
// it early. It returns the cause of ctx, or the failure of the last write.
func (l *Ledger) Run(ctx context.Context) error {
	ticker := time.NewTicker(l.config.flushEvery())
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return cmp.Or(l.Flush(context.WithoutCancel(ctx)), context.Cause(ctx))
		case <-ticker.C:
		}
		err := l.Flush(ctx)
		switch {
		case err == nil:
			failing = false
		case errors.Is(err, ErrDamaged):
			return err
		case ctx.Err() == nil && !failing:
			failing = true // say it once
			l.config.logger().Warn("counted traffic cannot be written, trying again", "err", err)
		}
	}
}

// Flush writes counted bytes now. If it fails, they stay counted and are written
// with the next flush.
func (l *Ledger) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.mu.Lock()
	batch := l.pending
	l.pending = make(map[account]int64)
	l.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := l.update(ctx, "writing counted traffic", func(tx *sql.Tx) error {
		add, err := tx.PrepareContext(ctx, `
			INSERT INTO day (file_id, day, class, bytes) VALUES (?, ?, ?, ?)
			ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes`)
		if err != nil {
			return err
		}
		for a, n := range batch {
			if _, err := add.ExecContext(ctx, a.file, a.day, a.class, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.mu.Lock()
		for a, n := range batch {
			l.pending[a] += n
		}
		l.mu.Unlock()
	}
	return err
}

// Totals returns the bytes of each entry and class from the first day to the
// last, both included, in the order of entries and classes. What was counted and
// is not written yet is in it.
func (l *Ledger) Totals(ctx context.Context, first, last Day) ([]Total, error) {
	type key struct {
		file  int64
		class Class
	}
	totals := make(map[key]*Total)
	at := func(file int64, class Class) *Total {
		t := totals[key{file, class}]
		if t == nil {
			t = &Total{FileID: file, Class: class}
			totals[key{file, class}] = t
		}
		return t
	}
	l.flushing.Lock() // nothing is on its way between pending and the database
	defer l.flushing.Unlock()
	err := l.view(ctx, "reading the traffic", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `
			SELECT file_id, class, sum(bytes) FROM day WHERE day BETWEEN ? AND ? GROUP BY file_id, class`, first, last)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var t Total
			if err := rows.Scan(&t.FileID, &t.Class, &t.Bytes); err != nil {
				return err
			}
			at(t.FileID, t.Class).Bytes = t.Bytes
		}
		return rows.Err()
	})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	for a, n := range l.pending {
		if first <= a.day && a.day <= last {
			at(a.file, a.class).Bytes += n
		}
	}
	l.mu.Unlock()
	files, err := l.Files(ctx)
	if err != nil {
		return nil, err
	}
	paths := make(map[int64]string, len(files))
	for _, f := range files {
		paths[f.ID] = f.Path
	}
	sorted := make([]Total, 0, len(totals))
	for t := range maps.Values(totals) {
		t.Path = paths[t.FileID]
		sorted = append(sorted, *t)
	}
	slices.SortFunc(sorted, func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.FileID, b.FileID), cmp.Compare(a.Class, b.Class))
	})
	return sorted, nil
}
