package ledger

import (
	"context"
	"database/sql"
	"strings"
)

// Row is what was counted in one span of time.
type Row struct {
	Start  Day    `json:"start"` // the first day of the span; of SpanEver 1970-01-01
	FileID int64  `json:"file"`  // 0: everything together
	Path   string `json:"path"`  // the last one of the entry; empty for everything together
	Counts Counts `json:"counts"`
}

// RowQuery says which rows to return. The zero value asks for the days of
// everything together, from the first on.
type RowQuery struct {
	Span     Span
	EachFile bool  // a row for each entry that had traffic
	FileID   int64 // if not EachFile: of this entry; if zero, of everything together

	First, Last Day // of spans by their first day, both included; zero Last: no end. SpanEver ignores them

	Descending bool // the last row first
	Offset     int  // rows to leave out at the beginning
	Limit      int  // rows at most; if zero, all
}

// Rows returns rows in the order of spans, and those of one span in the order in
// which their entries were made.
func (r *Reader) Rows(ctx context.Context, q RowQuery) (rows []Row, err error) {
	err = r.EachRow(ctx, q, func(row Row) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// EachRow calls f for each row that Rows would return, until f returns an error,
// which it returns. It reads rows as it goes, for tables that are too long to
// hold.
func (r *Reader) EachRow(ctx context.Context, q RowQuery, f func(Row) error) error {
	return r.view(ctx, "reading the traffic", func(tx *sql.Tx) error {
		text, args := q.text()
		rows, err := tx.QueryContext(ctx, text, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var row Row
			if err := rows.Scan(append([]any{&row.Start, &row.FileID, &row.Path}, row.Counts.fields()...)...); err != nil {
				return err
			}
			if err := f(row); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// text returns the SQL of q and its arguments. Rows come as one of the table's two trees has them: none is read and not
// returned, and none is sorted.
func (q *RowQuery) text() (text string, args []any) {
	var where []string
	is := func(condition string, value any) {
		where, args = append(where, condition), append(args, value)
	}
	is("span = ?", q.Span)
	tree := ""
	if q.EachFile {
		is("file_id <> ?", 0)
	} else {
		tree = " INDEXED BY traffic_file"
		is("file_id = ?", q.FileID)
	}
	if q.Span != SpanEver {
		is("start >= ?", q.First)
		if q.Last != 0 {
			is("start <= ?", q.Last)
		}
	}
	by := direction(q.Descending)
	return "SELECT start, file_id, coalesce(path, ''), " + columns("traffic") +
		" FROM traffic" + tree + " LEFT JOIN file ON file.id = file_id WHERE " + strings.Join(where, " AND ") +
		" ORDER BY span" + by + ", start" + by + ", file_id" + by + limit(q.Offset, q.Limit), args
}
