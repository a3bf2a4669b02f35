package ledger

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func openReadOnly(t testing.TB, dir string) *Reader {
	r, err := OpenReadOnly(t.Context(), dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func ever(t testing.TB, r *Reader) int64 {
	s, err := r.Overall(t.Context(), 0)
	require.NoError(t, err)
	return s.Ever.Sent.Sum()
}

// TestOpenReadOnly: a second process reads while the first writes, which does not notice; and a third opens what nobody has open.
func TestOpenReadOnly(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.AddBytes(noon, 1, ClassNeed, 5)
	flush(t, l)
	r := openReadOnly(t, dir)
	require.EqualValues(t, 5, ever(t, r))
	l.AddBytes(noon, 1, ClassNeed, 6)
	require.EqualValues(t, 5, ever(t, r))
	flush(t, l)
	require.EqualValues(t, 11, ever(t, r))

	// In the middle of reading, a change waits for nothing.
	require.NoError(t, r.EachRow(t.Context(), RowQuery{}, func(Row) error {
		l.AddBytes(noon, 1, ClassNeed, 7)
		flush(t, l)
		return nil
	}))
	require.EqualValues(t, 18, ever(t, r))
	_, err := r.db.Exec("DELETE FROM traffic")
	require.ErrorContains(t, err, "readonly")

	require.NoError(t, l.Close())
	require.EqualValues(t, 18, ever(t, r), "the first process ends")
	require.NoError(t, r.Close())
	entries := func() (names []string) {
		list, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range list {
			names = append(names, e.Name())
		}
		return names
	}
	before := entries()
	again := openReadOnly(t, dir)
	require.EqualValues(t, 18, ever(t, again))
	require.NoError(t, again.Close())
	require.Equal(t, before, entries(), "nothing is left behind")
	require.EqualValues(t, 18, ever(t, open(t, dir).Reader))
}

func TestOpenReadOnlyKilled(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	l.AddBytes(noon, 1, ClassNeed, 5)
	flush(t, l)
	require.EqualValues(t, 5, ever(t, openReadOnly(t, copyDir(t, dir))), "from the log that was left")
}

func TestOpenReadOnlyFails(t *testing.T) {
	_, err := OpenReadOnly(t.Context(), t.TempDir())
	require.ErrorIs(t, err, fs.ErrNotExist)
	empty := filepath.Join(t.TempDir(), "not there")
	_, err = OpenReadOnly(t.Context(), empty)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoDirExists(t, empty)

	var older *OlderError
	_, err = OpenReadOnly(t.Context(), old(t, schema[:1]))
	require.ErrorIs(t, err, ErrOlder)
	require.ErrorAs(t, err, &older)
	require.Equal(t, OlderError{Found: 1, Known: len(schema)}, *older)
	_, err = OpenReadOnly(t.Context(), old(t, append(schema[:len(schema):len(schema)], "CREATE TABLE future (x)")))
	require.ErrorIs(t, err, ErrNewer)

	dir := t.TempDir()
	require.NoError(t, open(t, dir).Close())
	damage(t, dir, 0)
	_, err = OpenReadOnly(t.Context(), dir)
	require.ErrorIs(t, err, ErrDamaged)
}

// TestMigrateTraffic: bytes that were counted by class are in the days, months and sums of their entries, and in those of all.
func TestMigrateTraffic(t *testing.T) {
	dir := old(t, schema[:1])
	db, err := sql.Open("sqlite", dataSource(filepath.Join(dir, databaseName), forChanges()))
	require.NoError(t, err)
	today := DayOf(noon) // the first of a month
	insert := func(file int64, day Day, class string, bytes int64) {
		_, err := db.Exec("INSERT INTO day VALUES (?, ?, ?, ?)", file, day, class, bytes)
		require.NoError(t, err)
	}
	insert(1, today-1, "peer", 1)
	insert(1, today, "peer", 10)
	insert(1, today, "http", 100)
	insert(1, today+30, "webseed", 1000)
	insert(1, today+31, "http", 10_000)
	insert(2, today, "peer", 100_000)
	insert(0, today, "other", 1_000_000)
	require.NoError(t, db.Close())

	l := open(t, dir)
	got := func(q RowQuery) map[string]Bytes {
		sums := map[string]Bytes{}
		for _, row := range rows(t, l.Reader, q) {
			require.Equal(t, Counts{Sent: row.Counts.Sent}, row.Counts)
			sums[row.Start.String()] = row.Counts.Sent
		}
		return sums
	}
	require.Equal(t, map[string]Bytes{
		"2026-02-28": {ClassPlain: 1}, "2026-03-01": {ClassPlain: 10, ClassHTTP: 100},
		"2026-03-31": {ClassWebSeed: 1000}, "2026-04-01": {ClassHTTP: 10_000},
	}, got(RowQuery{FileID: 1}))
	require.Equal(t, map[string]Bytes{
		"2026-02-01": {ClassPlain: 1}, "2026-03-01": {ClassPlain: 10, ClassHTTP: 100, ClassWebSeed: 1000}, "2026-04-01": {ClassHTTP: 10_000},
	}, got(RowQuery{FileID: 1, Span: SpanMonth}))
	require.Equal(t, map[string]Bytes{"1970-01-01": {ClassPlain: 100_000}}, got(RowQuery{FileID: 2, Span: SpanEver}))
	require.Equal(t, map[string]Bytes{"1970-01-01": {ClassPlain: 1_100_011, ClassHTTP: 10_100, ClassWebSeed: 1000}}, got(RowQuery{Span: SpanEver}))
	require.Len(t, got(RowQuery{}), 4)

	// It goes on from there.
	l.AddBytes(noon, 1, ClassNeed, 7)
	flush(t, l)
	require.Equal(t, Bytes{ClassPlain: 10, ClassHTTP: 100, ClassNeed: 7}, got(RowQuery{FileID: 1})["2026-03-01"])
	_, err = l.db.Exec("SELECT * FROM day")
	require.ErrorContains(t, err, "no such table")
	require.Len(t, files(t, l), 1, "nothing else was touched")
}
