package metainfo

import (
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var (
	unixRules    = pathRules{}
	windowsRules = pathRules{windows: true, foldCase: true}
)

func TestElement(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name, in, unix, windows string // "" in a result: refused
	}{
		{"plain", "a.txt", "a.txt", "a.txt"},
		{"empty", "", "", ""},
		{"here", ".", "", ""},
		{"up", "..", "", ""},
		{"three dots", "...", "...", "___"},
		{"dot file", ".profile", ".profile", ".profile"},
		{"slash", "a/b", "a_b", "a_b"},
		{"backslash", `..\b`, ".._b", ".._b"},
		{"NUL", "a\x00b", "a_b", "a_b"},
		{"control", "a\x1b[2Jb\x7f", "a_[2Jb_", "a_[2Jb_"},
		{"C1 control", "a\u009bb", "a_b", "a_b"},
		{"direction mark", "cod\u202etxt.exe", "cod_txt.exe", "cod_txt.exe"},
		{"isolate", "\u2066a\u2069", "_a_", "_a_"},
		{"not UTF-8", "\xff\xfea", "__a", "__a"},
		{"other scripts", "日本語 é", "日本語 é", "日本語 é"},
		{"device", "nul", "nul", "_nul"},
		{"device with extension", "CON.tar.gz", "CON.tar.gz", "_CON.tar.gz"},
		{"numbered device", "Com1", "Com1", "_Com1"},
		{"superscript device", "LPT².x", "LPT².x", "_LPT².x"},
		{"no device", "COM10", "COM10", "COM10"},
		{"no number", "COM", "COM", "COM"},
		{"trailing dot", "a.", "a.", "a_"},
		{"trailing spaces", "a  ", "a  ", "a__"},
		{"refused characters", `a<b>:"|?*`, `a<b>:"|?*`, "a_b______"},
		{"long", long, long[:255], long[:254]},
		{"long with extension", long + ".flac", long[:250] + ".flac", long[:249] + ".flac"},
		{"long and wide", strings.Repeat("é", 200), strings.Repeat("é", 127), strings.Repeat("é", 127)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := unixRules.element(tt.in)
			require.Equal(t, tt.unix != "", ok)
			require.Equal(t, tt.unix, got)
			got, ok = windowsRules.element(tt.in)
			require.Equal(t, tt.windows != "", ok)
			require.Equal(t, tt.windows, got)
		})
	}
}

func TestSeparate(t *testing.T) {
	tests := []struct {
		name           string
		in             string // "p:" marks a pad
		unix, foldCase string
	}{
		{"all different", "a b c/d", "a b c/d", "a b c/d"},
		{"the same", "a.txt a.txt a.txt", "a.txt a.1.txt a.2.txt", "a.txt a.1.txt a.2.txt"},
		{"variant taken before", "a.1 a a", "a.1 a a.2", "a.1 a a.2"},
		{"variant taken after", "a a a.1", "a a.1 a.1.1", "a a.1 a.1.1"},
		{"file and directory", "a a/b", "a.1 a/b", "a.1 a/b"},
		{"directory and file", "a/b/c a/b", "a/b/c a/b.1", "a/b/c a/b.1"},
		{"in different directories", "a/x b/x", "a/x b/x", "a/x b/x"},
		{"case", "README readme", "README readme", "README readme.1"},
		{"case of a directory", "A/x a", "A/x a", "A/x a.1"},
		{"pads", "p:.pad/1 a p:.pad/1 p:a", "p:.pad/1 a p:.pad/1 p:a", "p:.pad/1 a p:.pad/1 p:a"},
	}
	draw := func(s string) (files []File) {
		for _, name := range strings.Fields(s) {
			name, pad := strings.CutPrefix(name, "p:")
			files = append(files, File{Path: strings.Split(name, "/"), Pad: pad})
		}
		return files
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			files := draw(tt.in)
			unixRules.separate(files)
			require.Equal(t, draw(tt.unix), files)
			files = draw(tt.in)
			windowsRules.separate(files)
			require.Equal(t, draw(tt.foldCase), files)
		})
	}
}

// TestSeparateIsLinear: a torrent of many files of one name must not take
// quadratic time. At a million steps a pair this test would not end.
func TestSeparateIsLinear(t *testing.T) {
	files := make([]File, 200_000)
	for i := range files {
		files[i].Path = []string{"a"}
	}
	unixRules.separate(files)
	require.Equal(t, []string{"a.199999"}, files[len(files)-1].Path)
}

// TestPathsStayBelowRoot: whatever a stranger writes, the joined path of a file
// is below the root, in a place of its own.
func TestPathsStayBelowRoot(t *testing.T) {
	hostile := rapid.OneOf(
		rapid.SampledFrom([]string{"", ".", "..", "a", "A", "a.1", "/", `\`, "/etc", "a/..", "\x00", "C:", "nul.", " ", ". .", "..\u202e"}),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.StringN(0, 80, 400),
	)
	rapid.Check(t, func(t *rapid.T) {
		rules := rapid.SampledFrom([]pathRules{unixRules, windowsRules, {foldCase: true}}).Draw(t, "rules")
		var files []File
		for _, elements := range rapid.SliceOfN(rapid.SliceOfN(hostile, 1, 4), 1, 8).Draw(t, "paths") {
			var f File
			for _, s := range elements {
				if s, ok := rules.element(s); ok {
					f.Path = append(f.Path, s)
				}
			}
			if len(f.Path) > 0 {
				files = append(files, f)
			}
		}
		rules.separate(files)
		seen := map[string]bool{}
		var set nameSet
		set.rules = rules
		for _, f := range files {
			requireSafe(t, rules, f.Path)
			key := set.key(f.Path)
			require.False(t, seen[key], "two files at %q", key)
			seen[key] = true
		}
		for key := range seen {
			for dir := path.Dir(key); dir != "."; dir = path.Dir(dir) {
				require.False(t, seen[dir], "%q is a file and a directory", dir)
			}
		}
	})
}

// requireSafe judges a path by other means than the code does.
func requireSafe(t *rapid.T, rules pathRules, elements []string) {
	for _, s := range elements {
		require.LessOrEqual(t, len(s), 255)
		require.NotContains(t, []string{"", ".", ".."}, s)
		require.False(t, strings.ContainsAny(s, "/\\\x00"), "%q", s)
		require.Equal(t, strings.ToValidUTF8(s, "?"), s)
		if rules.windows {
			require.False(t, strings.ContainsAny(s, `<>:"|?*`), "%q", s)
			require.Equal(t, strings.TrimRight(s, ". "), s)
		}
	}
	const root = "/srv/root"
	joined := path.Join(append([]string{root}, elements...)...)
	require.True(t, strings.HasPrefix(joined, root+"/"), joined)
	require.Equal(t, len(elements), strings.Count(joined[len(root):], "/"), joined)
}
