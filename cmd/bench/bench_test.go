package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTable draws one: medians, the range where it can be seen, columns that were not measured.
func TestTable(t *testing.T) {
	table := newTable("Speed", "connections|program", "MB/s|lost")
	for _, v := range []float64{1800, 1834.4, 1790} {
		table.row(1000, "ours").add("MB/s", v)
	}
	table.row(1000, "ours").add("lost", 0)
	table.row(1000, "theirs").add("MB/s", -0.001)
	table.note("one")
	table.note("one")
	require.Equal(t, `### Speed

| connections | program | MB/s | lost |
|---|---|--:|--:|
| 1,000 | ours | 1,800 (1,790-1,834) | 0.00 |
| 1,000 | theirs | 0.00 | - |

one

`, table.markdown())
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{9, 1}, 5}, {[]float64{5, 1, 9}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		require.Equal(t, tt.want, median(tt.values), "%v", tt.values)
	}
}

func TestGrouped(t *testing.T) {
	for want, v := range map[string]float64{"1,234,567": 1234567, "999": 999, "0.12": 0.123, "12.3": 12.34, "-1.50": -1.5} {
		require.Equal(t, want, grouped(v, decimals(v)))
	}
}

// TestHistogram: a quantile is right to 1/32.
func TestHistogram(t *testing.T) {
	var h histogram
	for i := range 100_000 {
		h.add(time.Duration(i) * time.Microsecond)
	}
	for _, q := range []float64{.01, .5, .99} {
		require.InEpsilon(t, 100*q, h.quantile(q), 1./steps)
	}
	h.add(1 << 62)
	require.Zero(t, (&histogram{}).quantile(.5))
}

// TestSplice: a section is put where it was, at the end if it is new, and what others wrote stays.
func TestSplice(t *testing.T) {
	report := splice(splice("# Head\n", "a", "first"), "b", "second")
	require.Equal(t, "# Head\n\n<!-- a -->\n\nfirst\n\n<!-- end of a -->\n\n<!-- b -->\n\nsecond\n\n<!-- end of b -->\n", report)
	require.Equal(t, strings.Replace(report, "first", "anew", 1), splice(report, "a", "anew\n"))
	require.Equal(t, report, splice(report, "b", "second"))
}

// TestPivot reads what go test prints.
func TestPivot(t *testing.T) {
	table := pivot("Picker", `goos: linux
BenchmarkPick/need/pieces=2k/peers=50-2         	   10000	       100.5 ns/op	       0 B/op
BenchmarkPick/need/pieces=2k/peers=5000-2       	   10000	       300 ns/op	       0 B/op
BenchmarkPick/need/pieces=2k/peers=50-2         	   10000	       200.5 ns/op	       0 B/op
BenchmarkHave/pieces=2k/peers=50                	       1	     12 MB	      7 ns/op
PASS
`, "ns/op", "peers")
	require.Equal(t, `### Picker

| benchmark | peers=50 | peers=5000 |
|---|--:|--:|
| Pick, need, pieces=2k | 150 (100-200) | 300 |
| Have, pieces=2k | 7.00 | - |

`, table.markdown())
}

func TestChoose(t *testing.T) {
	all, err := choose(nil)
	require.NoError(t, err)
	require.Len(t, all, len(sections))
	two, err := choose([]string{"tracker", "seeding"})
	require.NoError(t, err)
	require.Equal(t, "tracker", two[0].name)
	_, err = choose([]string{"speed"})
	require.ErrorContains(t, err, "-list")
}
