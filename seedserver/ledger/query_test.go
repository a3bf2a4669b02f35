package ledger

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// three adds entries and returns their ids.
func three(t testing.TB, l *Ledger) (a, b, c int64) {
	batch := []Version{version("a", 1), version("b", 2), version("c", 3)}
	require.NoError(t, l.AddVersions(t.Context(), batch))
	return batch[0].FileID, batch[1].FileID, batch[2].FileID
}

func flush(t testing.TB, l *Ledger) { require.NoError(t, l.Flush(t.Context())) }

func rows(t testing.TB, r *Reader, q RowQuery) []Row {
	got, err := r.Rows(t.Context(), q)
	require.NoError(t, err)
	return got
}

func TestSaved(t *testing.T) {
	c := Counts{Completed: 3, CompletedBytes: 3000}
	for class, n := range map[Class]int64{
		ClassNeed: 100, ClassAssist: 20, ClassRescue: 3, ClassPlain: 400, ClassMetadata: 50, ClassWebSeed: 6, ClassHTTP: 9999,
	} {
		c.Sent[class] = n
	}
	require.EqualValues(t, 579, c.Sent.Torrent())
	require.EqualValues(t, 3000-579, c.Saved(), "who gets it by plain HTTP would have got it so anyway")
	require.EqualValues(t, -579, Counts{Sent: c.Sent}.Saved(), "as long as nobody has finished")
}

func TestJSON(t *testing.T) {
	var c Counts
	for i, class := range Classes() {
		c.Sent[class] = int64(i + 1)
	}
	c.Completed, c.CompletedBytes, c.Peers = 8, 90, 10
	text, err := json.Marshal(Row{Start: DayOf(noon), FileID: 7, Path: "a", Counts: c})
	require.NoError(t, err)
	require.JSONEq(t, `{"start": "2026-03-01", "file": 7, "path": "a", "counts": {
		"sent": {"need": 1, "assist": 2, "rescue": 3, "plain": 4, "metadata": 5, "http": 6, "webseed": 7}, "total": 28,
		"completed": 8, "completed_bytes": 90, "saved": 68, "peers": 10}}`, string(text))
}

func TestRows(t *testing.T) {
	l := open(t, t.TempDir())
	a, b, _ := three(t, l)
	yesterday, lastYear := noon.AddDate(0, 0, -1), noon.AddDate(-1, 0, 5)
	l.AddBytes(lastYear, a, ClassRescue, 5)
	l.AddBytes(yesterday, a, ClassNeed, 1)
	l.AddBytes(noon, a, ClassNeed, 10)
	flush(t, l)
	l.AddBytes(noon, a, ClassAssist, 100)
	l.AddBytes(noon, b, ClassHTTP, 1000)
	l.AddBytes(noon, 0, ClassMetadata, 7)
	l.AddBytes(noon, b, ClassPlain, 0)
	l.AddBytes(noon, b, ClassPlain, -5)
	l.AddBytes(noon, b, NumClasses, 5)
	l.AddCompleted(noon, b, 4000)
	require.Len(t, rows(t, l.Reader, RowQuery{}), 3, "nothing is read but what is written")
	l = reopen(t, l)

	row := func(at time.Time, span Span, id int64, path string, c Counts) Row {
		return Row{span.start(DayOf(at)), id, path, c}
	}
	rescued := Counts{Sent: Bytes{ClassRescue: 5}}
	needed := Counts{Sent: Bytes{ClassNeed: 1}}
	ofA := Counts{Sent: Bytes{ClassNeed: 10, ClassAssist: 100}}
	ofB := Counts{Sent: Bytes{ClassHTTP: 1000}, Completed: 1, CompletedBytes: 4000}
	all := Counts{Sent: Bytes{ClassNeed: 10, ClassAssist: 100, ClassHTTP: 1000, ClassMetadata: 7}, Completed: 1, CompletedBytes: 4000}
	ever := all
	ever.Sent[ClassNeed], ever.Sent[ClassRescue] = 11, 5
	everA := Counts{Sent: Bytes{ClassNeed: 11, ClassAssist: 100, ClassRescue: 5}}
	today := DayOf(noon)
	days := []Row{row(lastYear, SpanDay, 0, "", rescued), row(yesterday, SpanDay, 0, "", needed), row(noon, SpanDay, 0, "", all)}
	daysA := []Row{row(lastYear, SpanDay, a, "a", rescued), row(yesterday, SpanDay, a, "a", needed), row(noon, SpanDay, a, "a", ofA)}
	todayB := row(noon, SpanDay, b, "b", ofB)

	backwards := slices.Clone(append(daysA[:3:3], todayB))
	slices.Reverse(backwards)
	for _, tt := range []struct {
		name string
		q    RowQuery
		want []Row
	}{
		{"days", RowQuery{}, days},
		{"days from", RowQuery{First: today - 1}, days[1:]},
		{"days to", RowQuery{Last: today - 1}, days[:2]},
		{"one day", RowQuery{First: today, Last: today}, days[2:]},
		{"no day", RowQuery{First: today + 1}, nil},
		{"months", RowQuery{Span: SpanMonth}, []Row{
			row(lastYear, SpanMonth, 0, "", rescued), row(yesterday, SpanMonth, 0, "", needed), row(noon, SpanMonth, 0, "", all)}},
		{"ever", RowQuery{Span: SpanEver, First: today + 1}, []Row{{0, 0, "", ever}}},
		{"of an entry", RowQuery{FileID: a}, daysA},
		{"of an entry, ever", RowQuery{FileID: a, Span: SpanEver}, []Row{{0, a, "a", everA}}},
		{"of an unknown entry", RowQuery{FileID: 77}, nil},
		{"of each", RowQuery{EachFile: true}, append(daysA[:3:3], todayB)},
		{"of each, backwards", RowQuery{EachFile: true, Descending: true}, backwards},
		{"of each, a page", RowQuery{EachFile: true, Offset: 1, Limit: 2}, daysA[1:3]},
		{"of each, the last page", RowQuery{EachFile: true, Offset: 3, Limit: 2}, []Row{todayB}},
		{"of each, ever", RowQuery{EachFile: true, Span: SpanEver}, []Row{{0, a, "a", everA}, {0, b, "b", ofB}}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, rows(t, l.Reader, tt.q)) })
	}

	got, err := l.Overall(t.Context(), today)
	require.NoError(t, err)
	require.Equal(t, Summary{all, all, ever}, got)
	got, err = l.Overall(t.Context(), today-1)
	require.NoError(t, err)
	require.Equal(t, Summary{needed, needed, ever}, got, "yesterday was another month")
	got, err = l.Overall(t.Context(), today+1)
	require.NoError(t, err)
	require.Equal(t, Summary{Counts{}, all, ever}, got)

	enough := errors.New("enough")
	n := 0
	require.ErrorIs(t, l.EachRow(t.Context(), RowQuery{}, func(Row) error { n++; return enough }), enough)
	require.Equal(t, 1, n)
}

func TestFileSummaries(t *testing.T) {
	l := open(t, t.TempDir())
	a, b, c := three(t, l)
	l.AddBytes(noon.AddDate(0, 0, -1), a, ClassNeed, 1000)
	l.AddBytes(noon.AddDate(0, 0, 5), a, ClassNeed, 40)
	l.AddBytes(noon, a, ClassHTTP, 5)
	l.AddBytes(noon, b, ClassPlain, 70)
	l.AddCompleted(noon, b, 50)
	l.AddCompleted(noon, b, 50)
	l.AddCompleted(noon, c, 90)
	flush(t, l)
	live := versions(t, l)
	require.NoError(t, l.Retire(t.Context(), noon, live[2]))
	// Another file takes the path of b, which stays in the ledger.
	moved := version("b", 9)
	moved.FileID = a
	moved, err := l.AddVersion(t.Context(), moved)
	require.NoError(t, err)

	ask := func(q FileQuery) (ids []int64, all int, summaries []FileSummary) {
		q.Today = DayOf(noon)
		got, all, err := l.FileSummaries(t.Context(), q)
		require.NoError(t, err)
		for _, f := range got {
			ids = append(ids, f.FileID)
		}
		return ids, all, got
	}
	_, _, got := ask(FileQuery{})
	require.Equal(t, []FileSummary{
		{FileID: a, Path: "b", Live: true, Summary: Summary{
			Today: Counts{Sent: Bytes{ClassHTTP: 5}}, Month: Counts{Sent: Bytes{ClassHTTP: 5, ClassNeed: 40}},
			Ever: Counts{Sent: Bytes{ClassHTTP: 5, ClassNeed: 1040}}}},
		{FileID: b, Path: "b", Replaced: moved.Published, Summary: Summary{
			Today: Counts{Sent: Bytes{ClassPlain: 70}, Completed: 2, CompletedBytes: 100},
			Month: Counts{Sent: Bytes{ClassPlain: 70}, Completed: 2, CompletedBytes: 100},
			Ever:  Counts{Sent: Bytes{ClassPlain: 70}, Completed: 2, CompletedBytes: 100}}},
		{FileID: c, Path: "c", Summary: Summary{
			Today: Counts{Completed: 1, CompletedBytes: 90}, Month: Counts{Completed: 1, CompletedBytes: 90},
			Ever: Counts{Completed: 1, CompletedBytes: 90}}},
	}, got)

	for _, tt := range []struct {
		name string
		q    FileQuery
		want []int64
		all  int
	}{
		{"by path", FileQuery{}, []int64{a, b, c}, 3},
		{"by path, backwards", FileQuery{Descending: true}, []int64{c, a, b}, 3},
		{"most today", FileQuery{Sort: SortToday, Descending: true}, []int64{b, a, c}, 3},
		{"least today", FileQuery{Sort: SortToday}, []int64{c, a, b}, 3},
		{"most this month", FileQuery{Sort: SortMonth, Descending: true}, []int64{b, a, c}, 3},
		{"most ever", FileQuery{Sort: SortEver, Descending: true}, []int64{a, b, c}, 3},
		{"most completed", FileQuery{Sort: SortCompleted, Descending: true}, []int64{b, c, a}, 3},
		{"most saved", FileQuery{Sort: SortSaved, Descending: true}, []int64{c, b, a}, 3},
		{"a page", FileQuery{Sort: SortEver, Descending: true, Offset: 1, Limit: 1}, []int64{b}, 3},
		{"behind the end", FileQuery{Offset: 3, Limit: 1}, nil, 3},
		{"some", FileQuery{FileIDs: []int64{c, a, 99}, Sort: SortEver}, []int64{c, a}, 2},
		{"none", FileQuery{FileIDs: []int64{}}, nil, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ids, all, _ := ask(tt.q)
			require.Equal(t, tt.want, ids)
			require.Equal(t, tt.all, all)
		})
	}
}

// TestModel compares the ledger with a list of all that was ever counted, over random days, restarts and renames.
func TestModel(t *testing.T) {
	type counted struct {
		at   time.Time
		file int64
		c    Counts
	}
	if raceDetector { // which makes a database ten times as slow
		checks := flag.Lookup("rapid.checks")
		was := checks.Value.String()
		require.NoError(t, checks.Value.Set("25"))
		defer checks.Value.Set(was)
	}
	rapid.Check(t, func(rt *rapid.T) {
		l := open(t, t.TempDir())
		a, b, c := three(t, l)
		ids := []int64{0, a, b, c}
		names := map[int64]string{0: "", a: "a", b: "b", c: "c"}
		var all []counted
		met := map[string]bool{}
		at := func(rt *rapid.T) time.Time { // the time goes on
			days := rapid.SampledFrom([]int{0, 0, 0, 0, 1, 5, 40}).Draw(rt, "days")
			last := noon
			if len(all) > 0 {
				last = all[len(all)-1].at
			}
			return last.AddDate(0, 0, days)
		}
		file := func(rt *rapid.T) int64 { return rapid.SampledFrom(ids).Draw(rt, "file") }
		sum := func(match func(counted) bool) (s Counts) {
			for _, e := range all {
				if match(e) {
					s.add(&e.c)
				}
			}
			return s
		}
		rt.Repeat(map[string]func(*rapid.T){
			"bytes": func(rt *rapid.T) {
				e := counted{at: at(rt), file: file(rt)}
				class := Class(rapid.IntRange(0, NumClasses-1).Draw(rt, "class"))
				e.c.Sent[class] = rapid.Int64Range(1, 1<<40).Draw(rt, "n")
				l.AddBytes(e.at, e.file, class, e.c.Sent[class])
				all = append(all, e)
			},
			"completed": func(rt *rapid.T) {
				e := counted{at: at(rt), file: file(rt)}
				e.c.Completed, e.c.CompletedBytes = 1, rapid.Int64Range(0, 1<<40).Draw(rt, "size")
				l.AddCompleted(e.at, e.file, e.c.CompletedBytes)
				all = append(all, e)
			},
			"peer": func(rt *rapid.T) {
				e := counted{at: at(rt), file: file(rt)}
				peer := rapid.ByteRange(1, 3).Draw(rt, "peer")
				key := fmt.Sprint(DayOf(e.at), e.file, peer)
				if !met[key] {
					e.c.Peers = 1
				}
				met[key] = true
				l.AddPeer(e.at, e.file, netip.AddrFrom4([4]byte{10, 0, 0, peer}))
				all = append(all, e)
			},
			"flush":   func(*rapid.T) { flush(t, l) },
			"restart": func(*rapid.T) { l = reopen(t, l); fixKey(t, l) },
			"rename": func(rt *rapid.T) {
				v := version(fmt.Sprint("name", rapid.IntRange(0, 9).Draw(rt, "name")), 5)
				v.FileID = rapid.SampledFrom(ids[1:]).Draw(rt, "renamed")
				_, err := l.AddVersion(t.Context(), v)
				require.NoError(rt, err)
				names[v.FileID] = v.Path
			},
			"": func(rt *rapid.T) {
				fixKey(t, l)
				if rapid.IntRange(0, 9).Draw(rt, "look") != 0 {
					return
				}
				flush(t, l)
				now := at(rt)
				today := DayOf(now)
				want := func(id int64) Summary {
					is := func(e counted) bool { return id == 0 || e.file == id }
					return Summary{
						sum(func(e counted) bool { return is(e) && DayOf(e.at) == today }),
						sum(func(e counted) bool { return is(e) && e.at.Format("2006-01") == now.Format("2006-01") }),
						sum(is),
					}
				}
				got, err := l.Overall(t.Context(), today)
				require.NoError(rt, err)
				require.Equal(rt, want(0), got)
				files, n, err := l.FileSummaries(t.Context(), FileQuery{Today: today, Sort: SortEver, Descending: true})
				require.NoError(rt, err)
				require.Equal(rt, 3, n)
				require.True(rt, slices.IsSortedFunc(files, func(a, b FileSummary) int {
					return cmp.Compare(b.Ever.Sent.Sum(), a.Ever.Sent.Sum())
				}))
				for _, f := range files {
					require.Equal(rt, want(f.FileID), f.Summary, "file %d", f.FileID)
					require.Equal(rt, names[f.FileID], f.Path)
					for span := SpanDay; span <= SpanEver; span++ {
						var total Counts
						for _, row := range rows(t, l.Reader, RowQuery{Span: span, FileID: f.FileID}) {
							total.add(&row.Counts)
						}
						require.Equal(rt, f.Ever, total, "by %v", span)
					}
				}
			},
		})
	})
}

// fixKey makes the marks of peers the same in each run of a test: with some keys two of three peers leave one mark.
func fixKey(t testing.TB, l *Ledger) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.crowds.key = make([]byte, 32)
}

// BenchmarkFileSummaries is a page of the ledger of 10,000 files, each with traffic on every day of a month.
func BenchmarkFileSummaries(b *testing.B) {
	const n, days = 10_000, 30
	l := open(b, b.TempDir())
	batch := make([]Version, n)
	for i := range batch {
		batch[i] = version(fmt.Sprintf("files/%05d.iso", i), i)
	}
	require.NoError(b, l.AddVersions(b.Context(), batch))
	r := rand.New(rand.NewPCG(1, 2))
	for day := range days {
		for _, v := range batch {
			l.AddBytes(noon.AddDate(0, 0, day), v.FileID, ClassNeed, 1+r.Int64N(1<<30))
		}
		require.NoError(b, l.Flush(b.Context()))
	}
	today := DayOf(noon.AddDate(0, 0, days-1))
	for _, bb := range []struct {
		name string
		q    FileQuery
	}{
		{"path", FileQuery{Limit: 100}},
		{"ever", FileQuery{Sort: SortEver, Descending: true, Limit: 100}},
		{"saved,last page", FileQuery{Sort: SortSaved, Offset: n - 100, Limit: 100}},
		{"all", FileQuery{Sort: SortEver}},
	} {
		bb.q.Today = today
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				if _, _, err := l.FileSummaries(b.Context(), bb.q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("overall", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Overall(b.Context(), today); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("days of a file", func(b *testing.B) {
		for b.Loop() {
			if _, err := l.Rows(b.Context(), RowQuery{FileID: batch[n/2].FileID}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("flush 1000", func(b *testing.B) {
		for b.Loop() {
			for _, v := range batch[:1000] {
				l.AddBytes(noon, v.FileID, ClassNeed, 1)
			}
			if err := l.Flush(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
