package main

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// table keeps the figures of one subject: a row for each thing measured, a column for each metric, in each place the values of all rounds.
type table struct {
	title   string
	keys    []string // headings of what names a row
	metrics []string // headings of figures
	rows    []*row
	notes   []string // printed below
}

// row is one thing measured. A figure is there once for each round.
type row struct {
	names  []string
	values map[string][]float64
}

// newTable makes an empty table. keys and metrics are lists of headings, separated by |.
func newTable(title, keys, metrics string) *table {
	return &table{title: title, keys: strings.Split(keys, "|"), metrics: strings.Split(metrics, "|")}
}

// row returns the row of these names, at the end of the table if it is new.
func (t *table) row(names ...any) *row {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = fmt.Sprint(n)
		if number, ok := n.(int); ok {
			texts[i] = grouped(float64(number), 0)
		}
	}
	for _, r := range t.rows {
		if slices.Equal(r.names, texts) {
			return r
		}
	}
	r := &row{names: texts, values: map[string][]float64{}}
	t.rows = append(t.rows, r)
	return r
}

// column adds a metric, if it is new.
func (t *table) column(metric string) {
	if !slices.Contains(t.metrics, metric) {
		t.metrics = append(t.metrics, metric)
	}
}

// add notes a figure of this round. It must be a metric of the table.
func (r *row) add(metric string, value float64) { r.values[metric] = append(r.values[metric], value) }

// note adds a line below the table, once.
func (t *table) note(format string, args ...any) {
	if line := fmt.Sprintf(format, args...); !slices.Contains(t.notes, line) {
		t.notes = append(t.notes, line)
	}
}

func (t *table) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n", t.title)
	if len(t.rows) > 0 {
		headings := slices.Concat(t.keys, t.metrics)
		fmt.Fprintf(&b, "| %s |\n|%s%s\n", strings.Join(headings, " | "), strings.Repeat("---|", len(t.keys)), strings.Repeat("--:|", len(t.metrics)))
		for _, r := range t.rows {
			cells := slices.Clone(r.names)
			for _, m := range t.metrics {
				cells = append(cells, spread(r.values[m]))
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteString("\n")
	}
	for _, n := range t.notes {
		fmt.Fprintf(&b, "%s\n\n", n)
	}
	return b.String()
}

// spread is the median of values, and their range where they differ as printed.
func spread(values []float64) string {
	if len(values) == 0 {
		return "-"
	}
	m := median(values)
	digits := decimals(m)
	text, low, high := grouped(m, digits), grouped(slices.Min(values), digits), grouped(slices.Max(values), digits)
	if low == high {
		return text
	}
	return fmt.Sprintf("%s (%s-%s)", text, low, high)
}

// median is the middle of values, or the mean of the two in the middle. There must be one at least.
func median(values []float64) float64 {
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// decimals is how many digits behind the point make three that count.
func decimals(v float64) int {
	switch v = math.Abs(v); {
	case v >= 100:
		return 0
	case v >= 10:
		return 1
	default:
		return 2
	}
}

// grouped prints v with commas between thousands.
func grouped(v float64, digits int) string {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', digits, 64), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if v < 0 && strings.Trim(whole, "0.,") != "" {
		whole = "-" + whole
	}
	return whole
}
