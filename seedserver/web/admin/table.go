package admin

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// pageRows is how many rows are on one page.
const pageRows = 100

// table is how a long table is looked at: sorted, filtered, a page at a time, as the query of its address says.
type table struct {
	Columns    []column
	Filter     string // part of a name
	By, Order  string
	Found      int // rows that the filter leaves
	From, To   int // those on this page, from 1
	Prev, Next string
	Keep       []pair // what else is in the query, for the form of the filter

	query url.Values
	page  int
}

type pair struct{ Name, Value string }

// column is the head of a column by which rows can be sorted.
type column struct {
	Key, Title string
	Number     bool   // the largest comes first
	Href       string // sorts by it, and the other way round when that is so already
	Sorted     string // "ascending", "descending" or ""
}

// newTable reads the query of an address; by is the column that sorts if it names none. keep names what else the query may hold.
func newTable(query url.Values, columns []column, by string, keep ...string) table {
	t := table{Filter: strings.TrimSpace(query.Get("q")), By: by, query: url.Values{}}
	for _, name := range keep {
		if v := query.Get(name); v != "" {
			t.query.Set(name, v)
			t.Keep = append(t.Keep, pair{name, v})
		}
	}
	for _, c := range columns {
		if query.Get("sort") == c.Key {
			t.By = c.Key
			t.query.Set("sort", c.Key)
			t.Keep = append(t.Keep, pair{"sort", c.Key})
		}
	}
	t.page, _ = strconv.Atoi(query.Get("page")) // nonsense is the first page
	t.page = max(t.page, 1)
	for _, c := range columns {
		if c.Key == t.By {
			t.Order = cmp.Or(one(query.Get("order"), "asc", "desc"), map[bool]string{false: "asc", true: "desc"}[c.Number])
		}
	}
	if query.Get("order") == t.Order {
		t.query.Set("order", t.Order)
		t.Keep = append(t.Keep, pair{"order", t.Order})
	}
	if t.Filter != "" {
		t.query.Set("q", t.Filter)
	}
	for _, c := range columns {
		other := ""
		if c.Key == t.By {
			c.Sorted = map[string]string{"asc": "ascending", "desc": "descending"}[t.Order]
			other = map[string]string{"asc": "desc", "desc": "asc"}[t.Order]
		}
		c.Href = t.href("sort", c.Key, "order", other, "page", "")
		t.Columns = append(t.Columns, c)
	}
	return t
}

// one returns s if it is one of those allowed, else "".
func one(s string, allowed ...string) string {
	if slices.Contains(allowed, s) {
		return s
	}
	return ""
}

// href returns the relative link to this table with some of its query changed: names and values in turn, "" removes.
func (t *table) href(change ...string) string {
	q := url.Values{}
	for name, v := range t.query {
		q[name] = v
	}
	for i := 0; i < len(change); i += 2 {
		q.Del(change[i])
		if change[i+1] != "" {
			q.Set(change[i], change[i+1])
		}
	}
	return "?" + q.Encode()
}

// choose returns which of n rows are on this page, in their order. Rows that are equal in the column are in the order of names,
// which is theirs already.
func (t *table) choose(n int, name func(i int) string, compare func(key string, i, j int) int) []int {
	wanted := strings.ToLower(t.Filter)
	rows := make([]int, 0, n)
	for i := range n {
		if wanted == "" || strings.Contains(strings.ToLower(name(i)), wanted) {
			rows = append(rows, i)
		}
	}
	t.Found = len(rows)
	slices.SortFunc(rows, func(i, j int) int {
		order := compare(t.By, i, j)
		if t.By == "name" {
			order = cmp.Compare(i, j)
		}
		if t.Order == "desc" {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(i, j))
	})
	pages := max(1, (len(rows)+pageRows-1)/pageRows)
	first := (min(t.page, pages) - 1) * pageRows
	last := min(first+pageRows, len(rows))
	if first > 0 {
		t.Prev = t.href("page", strconv.Itoa(first/pageRows))
	}
	if last < len(rows) {
		t.Next = t.href("page", strconv.Itoa(first/pageRows+2))
	}
	t.From, t.To = min(first+1, last), last
	return rows[first:last]
}
