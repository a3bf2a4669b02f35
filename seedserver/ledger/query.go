package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"
)

// Summary is the counts that people look at first.
type Summary struct {
	Today Counts `json:"today"`
	Month Counts `json:"month"` // the calendar month of today, so far
	Ever  Counts `json:"ever"`
}

// FileSummary is the [Summary] of one entry.
type FileSummary struct {
	FileID   int64     `json:"file"`
	Path     string    `json:"path"` // slash separated, below the served directory; the last one it had
	Live     bool      `json:"live"` // it is published now
	Replaced time.Time `json:"-"`    // zero, or since when another entry has the path
	Summary
}

// FileSort is an order of files.
type FileSort uint8

// The orders; what is equal is in the order of paths.
const (
	SortPath      FileSort = iota
	SortToday              // bytes sent today
	SortMonth              // bytes sent this month
	SortEver               // bytes ever sent
	SortCompleted          // completed downloads, ever
	SortSaved              // bytes ever saved
)

// FileQuery says which files to sum up. The zero value but for Today asks for
// all of them.
type FileQuery struct {
	Today      Day     // whose counts, and whose month's, are wanted
	FileIDs    []int64 // if not nil, only these; at most 30,000
	Sort       FileSort
	Descending bool
	Offset     int // rows to leave out at the beginning
	Limit      int // rows at most; if zero, all
}

// Overall returns the counts of everything together. It reads three rows.
func (r *Reader) Overall(ctx context.Context, today Day) (s Summary, err error) {
	err = r.view(ctx, "reading the traffic", func(tx *sql.Tx) error {
		for _, of := range []struct {
			span Span
			to   *Counts
		}{{SpanDay, &s.Today}, {SpanMonth, &s.Month}, {SpanEver, &s.Ever}} {
			row := tx.QueryRowContext(ctx, "SELECT "+columns("traffic")+" FROM traffic WHERE span = ? AND start = ? AND file_id = 0",
				of.span, of.span.start(today))
			if err := ignoreNoRows(row.Scan(of.to.fields()...)); err != nil {
				return err
			}
		}
		return nil
	})
	return s, err
}

// FileSummaries sums up the traffic of files, with or without traffic, published or
// not. It also returns how many there are without Offset and Limit.
//
// It looks at one number of each file to find the order, and at the rest of
// those it returns.
func (r *Reader) FileSummaries(ctx context.Context, q FileQuery) (rows []FileSummary, all int, err error) {
	err = r.view(ctx, "reading the traffic", func(tx *sql.Tx) error {
		where, args := q.where()
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM file"+where, args...).Scan(&all); err != nil {
			return err
		}
		rows, err = q.read(ctx, tx, where, args)
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return rows, all, nil
}

// where returns the condition on files and its arguments.
func (q *FileQuery) where() (text string, args []any) {
	if q.FileIDs == nil {
		return "", nil
	}
	for _, id := range q.FileIDs {
		args = append(args, id)
	}
	return " WHERE file.id IN (" + strings.TrimSuffix(strings.Repeat("?,", len(args)), ",") + ")", args
}

// order returns what to sort by, an expression over the row sorted of traffic, and the span that row is of.
func (q *FileQuery) order() (key string, span Span) {
	sent := "sorted." + strings.Join(classNames[:], " + sorted.")
	switch q.Sort {
	case SortToday:
		return sent, SpanDay
	case SortMonth:
		return sent, SpanMonth
	case SortEver:
		return sent, SpanEver
	case SortCompleted:
		return "sorted.completed", SpanEver
	case SortSaved:
		return "sorted.completed_bytes - (" + sent + " - sorted.http)", SpanEver
	}
	return "", SpanEver
}

// read returns one page of the files: it chooses and orders them first, and gathers all there is to say of those chosen then.
func (q *FileQuery) read(ctx context.Context, tx *sql.Tx, where string, args []any) (rows []FileSummary, err error) {
	key, span := q.order()
	by := direction(q.Descending)
	order := " ORDER BY path" + by + ", id"
	chosen := "SELECT id, path FROM file" + where + order + limit(q.Offset, q.Limit)
	if key != "" {
		order = " ORDER BY rank" + by + ", path, id"
		chosen = fmt.Sprintf("SELECT id, path, coalesce(%s, 0) AS rank FROM file "+
			"LEFT JOIN traffic AS sorted ON sorted.span = %d AND sorted.start = %d AND sorted.file_id = file.id",
			key, span, span.start(q.Today)) + where + order + limit(q.Offset, q.Limit)
	}

	text := "SELECT id, path, (SELECT replaced FROM file WHERE file.id = chosen.id)," +
		" EXISTS (SELECT 1 FROM version WHERE file_id = chosen.id AND retired IS NULL)"
	var joins strings.Builder
	for s := SpanDay; s <= SpanEver; s++ {
		text += ", " + columns(s.String())
		fmt.Fprintf(&joins, " LEFT JOIN traffic AS %[1]v ON %[1]v.span = %[1]d AND %[1]v.start = %[2]d AND %[1]v.file_id = id",
			s, s.start(q.Today))
	}
	found, err := tx.QueryContext(ctx, "WITH chosen AS ("+chosen+") "+text+" FROM chosen"+joins.String()+order, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var f FileSummary
		var replaced sql.NullInt64
		to := append([]any{&f.FileID, &f.Path, &replaced, &f.Live}, f.Today.fields()...)
		to = append(append(to, f.Month.fields()...), f.Ever.fields()...)
		if err := found.Scan(to...); err != nil {
			return nil, err
		}
		if replaced.Valid {
			f.Replaced = time.UnixMilli(replaced.Int64).UTC()
		}
		rows = append(rows, f)
	}
	return rows, found.Err()
}

// columns returns the list of countColumns of a table that may have no row.
func columns(table string) string {
	list := make([]string, len(countColumns))
	for i, c := range countColumns {
		list[i] = "coalesce(" + table + "." + c + ", 0)"
	}
	return strings.Join(list, ", ")
}

func direction(descending bool) string {
	if descending {
		return " DESC"
	}
	return ""
}

func limit(offset, limit int) string {
	if limit <= 0 {
		limit = -1
	}
	return fmt.Sprintf(" LIMIT %d OFFSET %d", limit, max(0, offset))
}
