package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// account is what is counted for: an entry on a day.
type account struct {
	file int64
	day  Day
}

// at returns the counts of an account that are not written yet. l.mu is held.
func (l *Ledger) at(now time.Time, fileID int64) *Counts {
	a := account{fileID, DayOf(now)}
	c := l.pending[a]
	if c == nil {
		c = new(Counts)
		l.pending[a] = c
	}
	return c
}

// AddBytes counts n bytes sent at now for a file entry in one class. FileID 0
// stands for traffic of no file, which shows only where everything is added up.
// It touches memory only; callers on a hot path add up a run of blocks first.
// Bytes of zero or less are ignored, as is a class that there is not.
func (l *Ledger) AddBytes(now time.Time, fileID int64, class Class, n int64) {
	if n <= 0 || class >= NumClasses {
		return
	}
	l.mu.Lock()
	l.at(now, fileID).Sent[class] += n
	l.mu.Unlock()
}

// AddCompleted counts one download of an entry, of size bytes, that ended at
// now. It touches memory only.
func (l *Ledger) AddCompleted(now time.Time, fileID, size int64) {
	l.mu.Lock()
	c := l.at(now, fileID)
	c.Completed++
	c.CompletedBytes += max(0, size)
	l.mu.Unlock()
}

// AddPeer counts a peer of an entry, seen at now, unless it was counted on this
// day. It touches memory only, at most 8 KiB for each entry, and does not keep
// the address.
func (l *Ledger) AddPeer(now time.Time, fileID int64, addr netip.Addr) {
	if !addr.IsValid() {
		return
	}
	day := DayOf(now)
	mark := l.crowds.mark(day, fileID, addr.Unmap()) // the key never changes
	l.mu.Lock()
	if n := l.crowds.saw(day, fileID, mark); n > 0 {
		l.at(now, fileID).Peers += n
	}
	l.mu.Unlock()
}

// Run writes what is counted every few seconds until ctx is done, and once more
// then. If writing fails, it is kept and tried again; only damage ends it early.
// It returns the cause of ctx, or the failure of the last write.
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
		if l.config.Flushed != nil && ctx.Err() == nil {
			l.config.Flushed(err)
		}
		switch {
		case err == nil && failing:
			failing = false
			l.config.logger().Info("counted traffic is written again")
		case err == nil:
		case errors.Is(err, ErrDamaged):
			return err
		case ctx.Err() == nil && !failing:
			failing = true // say it once
			l.config.logger().Warn("counted traffic cannot be written, trying again", "err", err)
		}
	}
}

// Flush writes what is counted now. If it fails, it stays counted and is written
// with the next flush.
func (l *Ledger) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.mu.Lock()
	batch, crowds := l.pending, l.crowds.take()
	l.pending = make(map[account]*Counts)
	l.mu.Unlock()
	if len(batch) == 0 && len(crowds) == 0 {
		return nil
	}
	err := l.update(ctx, "writing counted traffic", func(tx *sql.Tx) error {
		if err := writeCounts(ctx, tx, batch); err != nil {
			return err
		}
		return writeCrowds(ctx, tx, crowds)
	})
	if err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		for a, c := range batch {
			if later := l.pending[a]; later != nil {
				c.add(later)
			}
			l.pending[a] = c
		}
		l.crowds.putBack(crowds)
	}
	return err
}

// trafficRow is the key of a row of the table traffic.
type trafficRow struct {
	span  Span
	start Day
	file  int64
}

func (r trafficRow) compare(o trafficRow) int {
	return cmp.Or(cmp.Compare(r.span, o.span), cmp.Compare(r.start, o.start), cmp.Compare(r.file, o.file))
}

// addCounts adds to a row of the table traffic, and makes it if there is none.
var addCounts = func() string {
	names := strings.Join(countColumns, ", ")
	sums := make([]string, len(countColumns))
	for i, c := range countColumns {
		sums[i] = c + " = " + c + " + excluded." + c
	}
	return "INSERT INTO traffic (span, start, file_id, " + names + ") VALUES (?, ?, ?" + strings.Repeat(", ?", len(countColumns)) + ") " +
		"ON CONFLICT DO UPDATE SET " + strings.Join(sums, ", ")
}()

// writeCounts adds a batch to every row that it is a part of.
func writeCounts(ctx context.Context, tx *sql.Tx, batch map[account]*Counts) error {
	rows := make(map[trafficRow]*Counts)
	add := func(row trafficRow, c *Counts) {
		sum := rows[row]
		if sum == nil {
			sum = new(Counts)
			rows[row] = sum
		}
		sum.add(c)
	}
	for a, c := range batch {
		for span := SpanDay; span <= SpanEver; span++ {
			add(trafficRow{span, span.start(a.day), 0}, c)
			if a.file != 0 {
				add(trafficRow{span, span.start(a.day), a.file}, c)
			}
		}
	}
	insert, err := tx.PrepareContext(ctx, addCounts)
	if err != nil {
		return err
	}
	keys := make([]trafficRow, 0, len(rows))
	for row := range rows {
		keys = append(keys, row)
	}
	slices.SortFunc(keys, trafficRow.compare) // neighbours are on the same page
	for _, row := range keys {
		if _, err := insert.ExecContext(ctx, append([]any{row.span, row.start, row.file}, rows[row].values()...)...); err != nil {
			return err
		}
	}
	return nil
}
