package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/seedserver/bittorrent/seedserver"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// ledgerCmd prints what was sent, as the state of a server has it. The server may be running.
type ledgerCmd struct {
	Dir   string `arg:"" optional:"" help:"The directory that is or was published." type:"path"`
	State string `help:"The state directory, if it is not the usual one of DIR." type:"path" placeholder:"DIR"`
	By    string `default:"file" enum:"file,day,month,class" help:"A row for each ${enum}."`
	CSV   bool   `name:"csv" xor:"form" help:"Print CSV, in bytes."`
	JSON  bool   `name:"json" xor:"form" help:"Print JSON, in bytes."`
}

func (c *ledgerCmd) Run(ctx context.Context, s streams) error {
	state := c.State
	if state == "" {
		if c.Dir == "" {
			return usageError{"name the directory that is published, or its --state"}
		}
		var err error
		if state, err = seedserver.DefaultState(c.Dir); err != nil {
			return err
		}
	}
	r, err := ledger.OpenReadOnly(ctx, state)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s holds no ledger: was this directory ever published, with this --state?", state)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	today := ledger.DayOf(time.Now())
	t := &table{out: s.out, form: c.form()}
	switch c.By {
	case "file":
		err = byFile(ctx, r, today, t)
	case "class":
		err = byClass(ctx, r, today, t)
	case "month":
		err = byTime(ctx, r, ledger.SpanMonth, t)
	default:
		err = byTime(ctx, r, ledger.SpanDay, t)
	}
	return errors.Join(err, t.finish())
}

func (c *ledgerCmd) form() form {
	switch {
	case c.CSV:
		return formCSV
	case c.JSON:
		return formJSON
	}
	return formTable
}

func byFile(ctx context.Context, r *ledger.Reader, today ledger.Day, t *table) error {
	all, err := r.Overall(ctx, today)
	if err != nil {
		return err
	}
	files, _, err := r.FileSummaries(ctx, ledger.FileQuery{Today: today, Sort: ledger.SortEver, Descending: true})
	if err != nil {
		return err
	}
	head := []string{"today", "this month", "total"}
	if t.form == formCSV {
		head = append(head, classNames()...)
	}
	t.head(append(head, "completed", "saved", "peers", "file")...)
	silent := 0
	for _, f := range files {
		if t.form == formTable && f.Ever == (ledger.Counts{}) {
			silent++
			continue
		}
		note := ""
		if !f.Live && t.form == formTable {
			note = " (not published now)"
		}
		t.summary(f.Summary, f.Path+note, f)
	}
	if t.form != formTable {
		return nil
	}
	t.summary(all, "all together", nil)
	t.note(silent, "%d more without traffic")
	return nil
}

func byTime(ctx context.Context, r *ledger.Reader, span ledger.Span, t *table) error {
	t.head(append(append([]string{"total"}, classNames()...), "completed", "saved", "peers", span.String())...)
	return r.EachRow(ctx, ledger.RowQuery{Span: span}, func(row ledger.Row) error {
		start := row.Start.String()
		if span == ledger.SpanMonth {
			start = start[:len("2006-01")]
		}
		c := &row.Counts
		cells := append([]any{size(c.Sent.Sum())}, sizes(c.Sent)...)
		t.row(row, append(cells, c.Completed, size(c.Saved()), c.Peers, start)...)
		return nil
	})
}

// classRow is the JSON form of what was sent in one class.
type classRow struct {
	Class string `json:"class"`
	Today int64  `json:"today"`
	Month int64  `json:"month"`
	Ever  int64  `json:"ever"`
}

func byClass(ctx context.Context, r *ledger.Reader, today ledger.Day, t *table) error {
	all, err := r.Overall(ctx, today)
	if err != nil {
		return err
	}
	t.head("today", "this month", "total", "class")
	for _, c := range ledger.Classes() {
		row := classRow{c.String(), all.Today.Sent[c], all.Month.Sent[c], all.Ever.Sent[c]}
		t.row(row, size(row.Today), size(row.Month), size(row.Ever), row.Class)
	}
	return nil
}

func classNames() (names []string) {
	for _, c := range ledger.Classes() {
		names = append(names, c.String())
	}
	return names
}

func sizes(of ledger.Bytes) (cells []any) {
	for _, n := range of {
		cells = append(cells, size(n))
	}
	return cells
}

// size is a number of bytes, which people read rounded.
type size int64

func (n size) String() string {
	if n < 0 {
		return "-" + humanBytes(-int64(n))
	}
	return humanBytes(int64(n))
}

// form is how a table is printed.
type form uint8

const (
	formTable form = iota // for people
	formCSV
	formJSON // an array of objects
)

// table prints rows as they come.
type table struct {
	out  io.Writer
	form form
	tabs *tabwriter.Writer
	csv  *csv.Writer
	rows int
	err  error
}

// head begins the table. JSON has the names in its rows.
func (t *table) head(names ...string) {
	switch t.form {
	case formTable:
		t.tabs = tabwriter.NewWriter(t.out, 0, 0, 2, ' ', tabwriter.AlignRight)
		cells := make([]any, len(names))
		for i, name := range names {
			cells[i] = name
		}
		t.row(nil, cells...)
	case formCSV:
		t.csv = csv.NewWriter(t.out)
		t.err = t.csv.Write(names)
	}
}

// summary prints a row of what was sent today, this month and ever; value is its JSON form.
func (t *table) summary(s ledger.Summary, name string, value any) {
	cells := []any{size(s.Today.Sent.Sum()), size(s.Month.Sent.Sum()), size(s.Ever.Sent.Sum())}
	if t.form == formCSV {
		cells = append(cells, sizes(s.Ever.Sent)...)
	}
	t.row(value, append(cells, s.Ever.Completed, size(s.Ever.Saved()), s.Ever.Peers, name)...)
}

// row prints one row, whose last cell says what it is of; value is its JSON form.
func (t *table) row(value any, cells ...any) {
	if t.err != nil {
		return
	}
	switch t.form {
	case formTable:
		last := len(cells) - 1
		for _, cell := range cells[:last] {
			fmt.Fprintf(t.tabs, "%v\t", cell)
		}
		_, t.err = fmt.Fprintf(t.tabs, "  %s\n", printable(fmt.Sprint(cells[last])))
	case formCSV:
		texts := make([]string, len(cells))
		for i, cell := range cells {
			if n, ok := cell.(size); ok {
				cell = int64(n)
			}
			texts[i] = fmt.Sprint(cell)
		}
		t.err = t.csv.Write(texts)
	case formJSON:
		before := ",\n "
		if t.rows == 0 {
			before = "[\n "
		}
		text, err := json.Marshal(value)
		if err == nil {
			_, err = fmt.Fprintf(t.out, "%s%s", before, text)
		}
		t.err = err
	}
	t.rows++
}

// note says something of n things below a table for people, if there are any.
func (t *table) note(n int, format string) {
	if n > 0 && t.err == nil {
		t.err = t.tabs.Flush()
		fmt.Fprintf(t.out, format+"\n", n)
	}
}

// finish ends the table, and returns what went wrong with it.
func (t *table) finish() error {
	if t.err != nil {
		return t.err
	}
	switch {
	case t.tabs != nil:
		return t.tabs.Flush()
	case t.csv != nil:
		t.csv.Flush()
		return t.csv.Error()
	case t.rows == 0:
		_, t.err = fmt.Fprintln(t.out, "[]")
	default:
		_, t.err = fmt.Fprintln(t.out, "\n]")
	}
	return t.err
}
