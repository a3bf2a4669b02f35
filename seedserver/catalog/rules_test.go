package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseRules(t *testing.T) {
	tests := []struct {
		name, in string
		trusted  bool
		want     Rules
		warning  string
	}{
		{name: "nothing"},
		{name: "all criteria", in: `
include = ["*.iso", "docs/**"] # comment
exclude = ["*.bak"]
min-size = "1MiB"
max-size = "1.5 GB"
unit = true
`, want: Rules{Include: []string{"*.iso", "docs/**"}, Exclude: []string{"*.bak"}, MinSize: 1 << 20, MaxSize: 1.5e9, Unit: true}},
		{name: "dots in text", in: "title = \"" + strings.Repeat(".", 1000) + "\"",
			want: Rules{Description: Description{Title: strings.Repeat(".", 1000)}}},
		{name: "sizes as numbers", in: "min-size = 0\nmax-size = 4096", want: Rules{MaxSize: 4096}},
		{name: "descriptions", in: "title = \"T\"\ndescription = \"D\"\n[meta.\"a.iso\"]\ntitle = \"A\"\n[meta.b]\ndescription = \"B\"",
			want: Rules{Description: Description{"T", "D"}, Meta: map[string]Description{"a.iso": {Title: "A"}, "b": {Description: "B"}}}},
		{name: "unknown keys are named once", in: "zeta = 1\nalpha = 2\nunit = true", want: Rules{Unit: true},
			warning: `ignored: unknown keys "alpha", "zeta"`},
		{name: "policy of a trusted file", in: "mode = \"plain\"\n[access]\nallow = [\"alice\"]", trusted: true,
			want: Rules{Policy: map[string]any{"mode": "plain", "access": map[string]any{"allow": []any{"alice"}}}}},
		{name: "policy of another", in: "mode = \"plain\"\n[access]\nallow = []\n[more]\n",
			want:    Rules{Policy: map[string]any{"access": false}},
			warning: `ignored: unknown keys "more"; access, mode (the file must be owned by root or the server's user and not be writable by others)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, warning, err := ParseRules([]byte(tt.in), tt.trusted)
			require.NoError(t, err)
			require.Equal(t, tt.want, rules)
			require.Equal(t, tt.warning, warning)
		})
	}
}

func TestParseRulesRefuses(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"not TOML", "unit = true\nexclude = [", "line 2"},
		{"a string for a list", `exclude = "*.bak"`, "exclude is not a list of strings"},
		{"a list of numbers", `include = [1]`, "include is not a list of strings"},
		{"a bad pattern", `exclude = ["[a"]`, `pattern "[a" is malformed`},
		{"an empty element", `exclude = ["a//b"]`, "empty element"},
		{"an empty pattern", `exclude = [""]`, "empty element"},
		{"a negative size", `min-size = -1`, "min-size is not a size"},
		{"an unknown unit", `max-size = "3 parsecs"`, "max-size is not a size"},
		{"a size too large", `max-size = "1e30"`, "max-size is not a size"},
		{"unit as a word", `unit = "yes"`, "unit is neither true nor false"},
		{"a title that is no text", "title = 3", "title is not a string"},
		{"a description of a file that is no text", "[meta.a]\ndescription = [1]", `meta of "a": description is not a string`},
		{"meta that is no table", "meta = 1", "meta is not a table"},
		{"a name that is no table", "[meta]\ntitle = \"x\"", `meta of "title" is not a table`},
		{"a name without quotes", "[meta.a.iso]\ntitle = \"x\"", `meta of "a": "iso" is neither title nor description`},
		{"too many patterns", `exclude = [` + strings.Repeat(`"a",`, 1001) + `]`, "more than 1000 patterns"},
		{"a key of too many parts", "unit = true\n" + strings.Repeat("a.", 30000) + "a = 1", "line 2: a key of more than 32 parts"},
		{"too many tables", "a=" + strings.Repeat("{a=", 15000) + "1" + strings.Repeat("}", 15000), "more than 32 inline tables"},
		{"too long", strings.Repeat("#", 64<<10+1), "longer than 65536 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules, _, err := ParseRules([]byte(tt.in), true)
			require.ErrorIs(t, err, ErrRules)
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, rules)
		})
	}
}

func TestPattern(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"*.iso", []string{"a.iso", "d/e/a.iso"}, []string{"a.isox", "a.iso/b"}},
		{"/*.iso", []string{"a.iso"}, []string{"d/a.iso"}},
		{"docs/*", []string{"docs/a"}, []string{"docs", "docs/a/b", "x/docs/a"}},
		{"docs/**", []string{"docs", "docs/a", "docs/a/b"}, []string{"docs2/a"}},
		{"**/tmp", []string{"tmp", "a/tmp", "a/b/tmp"}, []string{"a/tmp/b"}},
		{"a/**/z", []string{"a/z", "a/b/z", "a/b/c/z", "a/z/z"}, []string{"a/b/zz", "b/z"}},
		{"a/**/b/**/c", []string{"a/b/c", "a/x/b/y/c", "a/b/b/c/c"}, []string{"a/c/b", "a/b/x"}},
		{"**", []string{"a", "a/b"}, nil},
		{"**/**", []string{"a", "a/b"}, nil},
		{"build/", []string{"build", "x/build"}, []string{"builds"}},
		{"[a-c]?", []string{"ax", "d/bz"}, []string{"dx", "a"}},
		{`\*`, []string{"*"}, []string{"a"}},
	}
	for _, tt := range tests {
		p, err := compilePattern(tt.pattern)
		require.NoError(t, err)
		for _, path := range tt.yes {
			require.True(t, p.match(path), "%q should match %q", tt.pattern, path)
		}
		for _, path := range tt.no {
			require.False(t, p.match(path), "%q should not match %q", tt.pattern, path)
		}
	}
}

func TestParseRulesIsNotSlow(t *testing.T) {
	start := time.Now()
	key := strings.Repeat("a.", 32) + "a"
	deep := key + "=" + strings.Repeat("{"+key+"=\n", 32) + "1" + strings.Repeat("}", 32)
	var wide strings.Builder
	for i := range 900 {
		fmt.Fprintf(&wide, "b%d.%s = 1\n", i, key[2:])
	}
	for _, in := range []string{
		deep,
		wide.String(),
		"a = " + strings.Repeat("[", 32000) + strings.Repeat("]", 32000),
		strings.Repeat("[["+key+"]]\n", 900),
		strings.Repeat("a = 1\n", 10000),
		manyTables(),
	} {
		_, _, _ = ParseRules([]byte(in), true)
	}
	require.Less(t, time.Since(start), 5*time.Second)
}

// manyTables is full of descriptions.
func manyTables() string {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "[meta.\"%d\"]\ntitle=\"\"\n", i)
	}
	return b.String()
}

func TestPatternIsNotSlow(t *testing.T) {
	p, err := compilePattern(strings.Repeat("**/a*/", 200) + "z")
	require.NoError(t, err)
	require.False(t, p.match(strings.Repeat("aaaa/", 200)+"y"))
}

func TestRulesLeaveOut(t *testing.T) {
	w := newWorld(t, Config{Rules: Rules{Exclude: []string{"*.log"}}})
	w.write(rulesName, "exclude = [\"private\"]\nmax-size = 10")
	w.write("d/"+rulesName, "include = [\"*.txt\"]\nexclude = [\"deep/x.txt\"]\nmin-size = 2")
	w.write("private/secret", "s")
	w.write("x.log", "x")
	w.write("d/a.txt", "aaa")
	w.write("d/a.jpg", "aaa")
	w.write("d/b.txt", "b")
	w.write("d/c.txt", "longer than that")
	w.write("d/deep/x.txt", "xxx")
	w.write("d/deep/y.txt", "yyy")
	w.write("a.jpg", "a")
	w.start()
	w.pass(11 * second)
	for path, want := range map[string]string{
		"private":      "left out: excluded",
		"x.log":        "left out: excluded",
		"d":            "directory",
		"d/a.txt":      "published",
		"d/a.jpg":      "left out: not included",
		"d/b.txt":      "left out: smaller than 2 bytes",
		"d/c.txt":      "left out: larger than 10 bytes",
		"d/deep/x.txt": "left out: excluded",
		"d/deep/y.txt": "published",
		"a.jpg":        "published",
	} {
		require.Equal(t, want, w.entry(path).Describe(), path)
	}
	require.False(t, w.has("private/secret"))
	_, ok := w.view.list("private")
	require.False(t, ok)
	require.EqualValues(t, 7, w.entry("").Size)
	require.Equal(t, 3, w.entry("").Files)
}

func TestRulesAboveAUnitJudgeItAsAWhole(t *testing.T) {
	w := newWorld(t, Config{})
	w.write(rulesName, "include = [\"big*\", \"*.iso\"]\nexclude = [\"*.bak\"]\nmin-size = 5")
	for _, unit := range []string{"big", "bigger", "other"} {
		w.write(unit+"/"+rulesName, "unit = true")
		w.write(unit+"/a", "aaa")
		w.write(unit+"/a.bak", "bbbbbbbbbbb")
	}
	w.write("bigger/b", "bb")
	w.start()
	w.pass(11 * second)
	require.Equal(t, "published", w.entry("bigger").Describe())
	require.Equal(t, 2, w.entry("bigger").Files)
	require.Equal(t, "left out: smaller than 5 bytes", w.entry("big").Describe())
	require.Equal(t, "left out: not included", w.entry("other").Describe())
	require.True(t, w.has("big/a"))
	w.write("big/b", "bb")
	w.pass(11 * second)
	require.Equal(t, "published", w.entry("big").Describe())
}

func TestRulesChange(t *testing.T) {
	w := with(t, "d/a.txt", "d/b.jpg", "d/e/c.jpg", "d/e/f/g.txt")
	w.write("d/"+rulesName, `exclude = ["*.jpg", "f"]`)
	w.pass(second)
	require.Empty(t, w.told(), "it may not be complete yet")
	w.pass(2 * second)
	require.ElementsMatch(t, []string{
		"forget d/b.jpg: left out", "retire: left out", "forget d/e/c.jpg: left out", "retire: left out",
		"pause", "forget d/e/f/g.txt: removed", "retire: removed",
	}, append(w.told(), w.pastTold(5*second)...))
	require.False(t, w.has("d/e/f/g.txt"))
	w.settledLike(t)

	w.write("d/"+rulesName, `exclude = ["*.txt"]`)
	w.pass(20 * second)
	require.Equal(t, Published, w.state("d/b.jpg"))
	require.Equal(t, LeftOut, w.state("d/e/f/g.txt"))
	w.settledLike(t)

	w.remove("d/" + rulesName)
	w.pass(20 * second)
	require.Equal(t, Published, w.state("d/e/f/g.txt"))
	w.settledLike(t)
}

func (w *world) pastTold(d time.Duration) []string {
	w.pass(d)
	return w.told()
}

func TestRulesBeingWrittenAreNotObeyed(t *testing.T) {
	w := with(t, "d/a", "d/b")
	w.write("d/"+rulesName, `exclude = ["a"]`)
	for range 5 {
		w.pass(second)
		w.write("d/"+rulesName, `exclude = ["b", "a"]`)
	}
	w.pass(second)
	require.Equal(t, Published, w.state("d/a"))
	w.pass(2 * second)
	require.Equal(t, LeftOut, w.state("d/a"))
	require.Equal(t, LeftOut, w.state("d/b"))
}

func TestBrokenRules(t *testing.T) {
	w := newWorld(t, Config{})
	w.write("new/"+rulesName, "exclude = [")
	w.write("new/f", "f")
	w.write("old/"+rulesName, `exclude = ["*.jpg"]`)
	w.write("old/f", "f")
	w.write("old/f.jpg", "f")
	w.start()
	w.pass(11 * second)
	require.Equal(t, "left out: .seedserver.toml cannot be obeyed", w.entry("new/f").Describe())
	require.Len(t, w.notes, 1)

	w.write("old/"+rulesName, `unit = `)
	w.pass(11 * second)
	require.Equal(t, "published", w.entry("old/f").Describe())
	require.Equal(t, "left out: excluded", w.entry("old/f.jpg").Describe(), "the last good rules stay in force")
	require.Len(t, w.notes, 2)
	w.pass(10 * time.Minute)
	require.Len(t, w.notes, 2, "one warning each")

	w.write("new/"+rulesName, "")
	w.pass(11 * second)
	require.Equal(t, Published, w.state("new/f"))
}

func TestDescriptions(t *testing.T) {
	w := newWorld(t, Config{})
	w.write(rulesName, "title = \"All\"\n[meta.d]\ntitle = \"From above\"\ndescription = \"Above\"\n[meta.a]\ntitle = \"A\"\n[meta.b]\ntitle = \"B\"")
	w.write("d/"+rulesName, "title = \"Own\"")
	w.write("d/a", "a")
	w.write("a", "a")
	w.start()
	w.pass(11 * second)
	require.Equal(t, Description{Title: "All"}, w.entry("").Description)
	require.Equal(t, Description{"Own", "Above"}, w.entry("d").Description)
	require.Equal(t, Description{Title: "A"}, w.entry("a").Description)
	require.Zero(t, w.entry("d/a").Description)
	require.Empty(t, w.notes)

	w.write(rulesName, "[meta.a]\ndescription = \"New\"")
	w.told()
	w.pass(11 * second)
	require.Empty(t, w.told(), "words change no torrent")
	require.Zero(t, w.entry("").Description)
	require.Equal(t, Description{Title: "Own"}, w.entry("d").Description)
	require.Equal(t, Description{Description: "New"}, w.entry("a").Description)
}

func TestUnknownKeysAreOneWarning(t *testing.T) {
	w := newWorld(t, Config{})
	w.write("d/"+rulesName, "unit = false\ncolour = \"red\"\nshape = 3")
	w.write("d/f", "f")
	w.start()
	w.pass(10 * time.Minute)
	require.Equal(t, Published, w.state("d/f"))
	require.Len(t, w.notes, 1)
	require.Contains(t, w.notes[0], `"colour", "shape"`)
}

func FuzzParseRules(f *testing.F) {
	for _, seed := range []string{
		"", "unit = true", `include = ["*.iso", "docs/**"]`, "min-size = \"1MiB\"\nmax-size = 12", "[access]\na = 1\n",
		"mode = \"plain\"", "exclude = [\"[a-\"]", "a.b.c = 1", "x = [[[1]]]", "x = 1979-05-27T07:32:00Z", "\"\\u00e9\" = '''\n'''",
		"title = \"a\"\n[meta.\"x.y\"]\ndescription = \"b\"", "[meta.a.b]\n",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, trusted bool) {
		in, start := string(b), time.Now()
		rules, _, err := ParseRules(b, trusted)
		require.Less(t, time.Since(start), 5*time.Second)
		require.Equal(t, in, string(b), "the input was changed")
		if err != nil {
			require.ErrorIs(t, err, ErrRules)
			require.Zero(t, rules)
			return
		}
		require.True(t, trusted || len(rules.Policy) == 0 || len(rules.Policy) == 1 && rules.Policy["access"] == false)
		require.True(t, rules.MinSize >= 0 && rules.MaxSize >= 0)
		set, err := compileRules(rules)
		require.NoError(t, err)
		set.judgeExcluded("some/path.iso")
		set.judgeContent("some/path.iso", 7)
	})
}

// naive reports whether elements match names, by trying everything.
func naive(elements, names []string) bool {
	switch {
	case len(elements) == 0:
		return len(names) == 0
	case elements[0] == "**":
		return naive(elements[1:], names) || len(names) > 0 && naive(elements, names[1:])
	}
	return len(names) > 0 && matchElement(elements[0], names[0]) && naive(elements[1:], names[1:])
}

func TestPatternMatchesLikeANaiveOne(t *testing.T) {
	element := rapid.SampledFrom([]string{"a", "b", "*", "**", "**"})
	name := rapid.SampledFrom([]string{"a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		elements := rapid.SliceOfN(element, 1, 7).Draw(t, "pattern")
		names := rapid.SliceOfN(name, 1, 7).Draw(t, "path")
		p, err := compilePattern("/" + strings.Join(elements, "/"))
		require.NoError(t, err)
		require.Equal(t, naive(elements, names), p.match(strings.Join(names, "/")))
	})
}

// TestRulesThatCannotBeLookedAtHold: only a file that is not there lifts what it said, not a disk or a mode that does not tell.
func TestRulesThatCannotBeLookedAtHold(t *testing.T) {
	path := t.TempDir()
	dir, err := os.OpenRoot(path)
	require.NoError(t, err)
	require.Nil(t, readRules(dir, Stamp{}), "there is none")
	require.NoError(t, os.WriteFile(filepath.Join(path, rulesName), []byte("access = false"), 0o600))
	r := readRules(dir, Stamp{})
	require.NotNil(t, r.set)
	require.Nil(t, readRules(dir, r.stamp), "it is known")

	require.NoError(t, dir.Close()) // from now on every look at it fails
	failing := readRules(dir, r.stamp)
	require.NotNil(t, failing)
	require.Error(t, failing.err, "its rules are not lifted")
	require.Nil(t, readRules(dir, failing.stamp), "which is known")
	require.Error(t, readRules(dir, Stamp{}).err, "who knows whether there is one")

	dir, err = os.OpenRoot(path)
	require.NoError(t, err)
	defer dir.Close()
	require.Equal(t, r.stamp, readRules(dir, failing.stamp).stamp)
	require.NoError(t, os.Remove(filepath.Join(path, rulesName)))
	require.Equal(t, &rulesFile{}, readRules(dir, failing.stamp), "now it is gone")
	require.Equal(t, &rulesFile{}, readRules(dir, r.stamp))
}
