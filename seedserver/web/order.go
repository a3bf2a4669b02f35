package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// order is how an index is sorted; directories come first in any case.
type order struct {
	by         string // one of orders
	descending bool
}

// orders are the columns by which an index can be sorted. All but the first
// compare numbers.
var orders = []string{"name", "size", "date", "copies", "seeds", "leechers", "completed"}

func parseOrder(query url.Values) order {
	o := order{by: query.Get("sort"), descending: query.Get("order") == "desc"}
	if !slices.Contains(orders, o.by) {
		o.by = orders[0]
	}
	return o
}

// query returns the query that asks for o.
func (o order) query() string {
	if o.descending {
		return "?sort=" + o.by + "&order=desc"
	}
	return "?sort=" + o.by
}

// compare compares two entries.
func (o order) compare(a, b *Entry) int {
	if a.Dir != b.Dir {
		if a.Dir {
			return -1
		}
		return 1
	}
	order := 0
	switch o.by {
	case "size":
		order = cmp.Compare(a.Size, b.Size)
	case "date":
		order = a.ModTime.Compare(b.ModTime)
	case "copies":
		order = cmp.Compare(a.Peers.Copies, b.Peers.Copies)
	case "seeds":
		order = cmp.Compare(a.Peers.Seeds, b.Peers.Seeds)
	case "leechers":
		order = cmp.Compare(a.Peers.Leechers, b.Peers.Leechers)
	case "completed":
		order = cmp.Compare(a.Peers.Completed, b.Peers.Completed)
	}
	if order == 0 {
		order = compareNames(a.Name, b.Name)
	}
	if order == 0 {
		order = strings.Compare(a.Path, b.Path)
	}
	if o.descending {
		return -order
	}
	return order
}

// compareNames orders names as people do: without regard to the case of ASCII
// letters, and numbers in them by value. Names that are equal in that are
// ordered by their bytes.
func compareNames(a, b string) int {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	for i > 0 && digit(a[i-1]) { // back to where the number starts
		i--
	}
	j := i
	for i < len(a) && j < len(b) {
		if digit(a[i]) && digit(b[j]) {
			m, n := number(a[i:]), number(b[j:])
			i, j = i+len(m), j+len(n)
			m, n = strings.TrimLeft(m, "0"), strings.TrimLeft(n, "0")
			if order := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); order != 0 {
				return order
			}
			continue
		}
		if order := cmp.Compare(lower(a[i]), lower(b[j])); order != 0 {
			return order
		}
		i, j = i+1, j+1
	}
	return cmp.Or(cmp.Compare(len(a)-i, len(b)-j), cmp.Compare(a, b))
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// number returns the digits that s starts with.
func number(s string) string {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return s[:n]
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
