package ledger

import (
	"context"
	"database/sql"
	"time"
)

// Reservation is up to how many bytes may have been sent of a monthly budget, in the period that began at Start.
type Reservation struct {
	Start time.Time // to the millisecond
	Bytes int64
}

// SaveReservation records r in place of an earlier one.
func (l *Ledger) SaveReservation(ctx context.Context, r Reservation) error {
	return l.update(ctx, "recording the budget", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO budget VALUES (0, ?, ?)", r.Start.UnixMilli(), r.Bytes)
		return err
	})
}

// Reservation returns what was recorded last, and false if nothing was.
func (l *Ledger) Reservation(ctx context.Context) (r Reservation, ok bool, err error) {
	err = l.view(ctx, "reading the budget", func(tx *sql.Tx) error {
		var start int64
		err := tx.QueryRowContext(ctx, "SELECT start, reserved FROM budget").Scan(&start, &r.Bytes)
		if err != nil {
			return ignoreNoRows(err)
		}
		r.Start, ok = time.UnixMilli(start).UTC(), true
		return nil
	})
	return r, ok, err
}
