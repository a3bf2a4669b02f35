package admin

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTable: sort, filter and page of 250 rows named 000 to 249, whose number is the other way round.
func TestTable(t *testing.T) {
	columns := []column{{Key: "name", Title: "Name"}, {Key: "n", Title: "N", Number: true}}
	const n = 250
	name := func(i int) string { return fmt.Sprintf("File %03d", i) }
	compare := func(key string, i, j int) int { return cmp.Compare(-i/2, -j/2) } // pairs are equal
	for _, tt := range []struct {
		query      string
		found      int
		first      []int // the first rows of the page
		from, to   int
		prev, next string
	}{
		{"", n, []int{0, 1, 2, 3}, 1, 100, "", "?page=2"},
		{"sort=name", n, []int{0, 1}, 1, 100, "", "?page=2&sort=name"},
		{"sort=name&order=desc", n, []int{249, 248}, 1, 100, "", "?order=desc&page=2&sort=name"},
		{"sort=n&order=asc", n, []int{248, 249, 246}, 1, 100, "", "?order=asc&page=2&sort=n"},
		{"sort=none&order=none&page=-3", n, []int{0}, 1, 100, "", "?page=2"},
		{"page=3", n, []int{200}, 201, 250, "?page=2", ""},
		{"page=99", n, []int{200}, 201, 250, "?page=2", ""},
		{"page=9223372036854775807", n, []int{200}, 201, 250, "?page=2", ""},
		{"page=x", n, []int{0}, 1, 100, "", "?page=2"},
		{"q=E+0", 100, []int{0}, 1, 100, "", ""},
		{"q=+24+&month=2026-07", 13, []int{24, 124, 224, 240}, 1, 13, "", ""},
		{"q=none", 0, nil, 0, 0, "", ""},
		{"q=none&page=5", 0, nil, 0, 0, "", ""},
	} {
		t.Run(tt.query, func(t *testing.T) {
			query, err := url.ParseQuery(tt.query)
			require.NoError(t, err)
			table := newTable(query, columns, "n", "month")
			rows := table.choose(n, name, compare)
			require.Equal(t, tt.found, table.Found)
			require.Len(t, rows, max(0, tt.to-tt.from+1)*min(tt.found, 1))
			require.True(t, slices.Equal(tt.first, rows[:len(tt.first)]), "%v", rows)
			require.Equal(t, []any{tt.from, tt.to, tt.prev, tt.next}, []any{table.From, table.To, table.Prev, table.Next})
		})
	}
}

// TestTableLinks: the head of the column that sorts turns the order round, another one sorts by its own first order; what else is in
// the query stays, but for the page.
func TestTableLinks(t *testing.T) {
	columns := []column{{Key: "name", Title: "Name"}, {Key: "n", Title: "N", Number: true}}
	query, _ := url.ParseQuery("sort=name&q=a%26b&page=3&month=2026-07&evil=1")
	table := newTable(query, columns, "n", "month")
	require.Equal(t, "?month=2026-07&order=desc&q=a%26b&sort=name", table.Columns[0].Href)
	require.Equal(t, "ascending", table.Columns[0].Sorted)
	require.Equal(t, "?month=2026-07&q=a%26b&sort=n", table.Columns[1].Href)
	require.Empty(t, table.Columns[1].Sorted)
	require.Equal(t, []pair{{"month", "2026-07"}, {"sort", "name"}}, table.Keep)
	table = newTable(url.Values{}, columns, "n")
	require.Equal(t, "descending", table.Columns[1].Sorted)
	require.Equal(t, "?order=asc&sort=n", table.Columns[1].Href)
}
