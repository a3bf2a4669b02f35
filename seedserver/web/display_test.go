package web

import (
	"encoding/json"
	"html"
	"math"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestAppendSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 10 << 10: "10 KiB", 10189: "10 KiB",
		1<<20 - 1: "1.0 MiB", 1 << 20: "1.0 MiB", 1000 << 20: "1000 MiB", 5 << 40: "5.0 TiB", math.MaxInt64: "8.0 EiB",
	} {
		require.Equal(t, want, string(appendSize(nil, n)), n)
	}
}

func TestAppendCount(t *testing.T) {
	require.Equal(t, "1 directory", string(appendCount(nil, 1, "directory")))
	require.Equal(t, "0 directories", string(appendCount(nil, 0, "directory")))
	require.Equal(t, "2 files", string(appendCount(nil, 2, "file")))
}

func TestPercent(t *testing.T) {
	for part, want := range map[float64]int{-1: 0, 0: 0, .429: 42, .9999: 99, 1: 100, 7: 100, math.Inf(1): 100} {
		require.Equal(t, want, percent(part), part)
	}
	require.Zero(t, percent(math.NaN()))
}

func TestVisible(t *testing.T) {
	for name, want := range map[string]string{
		"plain name.txt":   "plain name.txt",
		"a\nb\tc\x7f":      "a␊b␉c␡",
		"\x1b[31mred":      "␛[31mred",
		"ü日本שלום\u200f":    "ü日本שלום\u200f",
		"bad\xff\xfeutf":   "bad\ufffd\ufffdutf",
		"in\u202egpj.exe":  "in\ufffdgpj.exe",
		"a\u2066b\u2069c":  "a\ufffdb\ufffdc",
		"c1\u0085\u2028ls": "c1\ufffd\ufffdls",
	} {
		require.Equal(t, want, visible(name))
	}
}

func FuzzDisplay(f *testing.F) {
	for _, s := range []string{"a", `<a href="x">'&`, "\x00\xff\u202e", "&amp;"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		shown := visible(name)
		require.True(t, utf8.ValidString(shown))
		escaped := string(appendHTML(nil, shown))
		require.NotContains(t, escaped, "<")
		require.NotContains(t, escaped, `"`)
		require.Equal(t, html.UnescapeString(escaped), shown)
	})
}

func TestCompareNames(t *testing.T) {
	sorted := []string{"", "01", "1", "2", "10", "a", "A1", "a1b", "a2", "a10", "a10b", "B", "b 1", "ü"}
	for i, a := range sorted {
		for j, b := range sorted {
			got := compareNames(a, b)
			switch {
			case i < j:
				require.Negative(t, got, "%q before %q", a, b)
			case i > j:
				require.Positive(t, got, "%q after %q", a, b)
			default:
				require.Zero(t, got)
			}
		}
	}
}

func FuzzCompareNames(f *testing.F) {
	f.Add("a01", "a1b", "a001")
	f.Add("A", "a", "")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		require.Equal(t, compareNames(a, b), -compareNames(b, a))
		require.Equal(t, a == b, compareNames(a, b) == 0)
		s := []string{a, b, c}
		slices.SortFunc(s, compareNames)
		require.LessOrEqual(t, compareNames(s[0], s[2]), 0, "not transitive")
	})
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "a\"\\</b>&'", "\x00\n\t\x1f\x7f", "\xff\xed\xa0\x80", "\u2028\u2029\ufffdü日"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back, want string
		require.NoError(t, json.Unmarshal(appendString(nil, s), &back))
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &want))
		require.Equal(t, want, back)
	})
}
