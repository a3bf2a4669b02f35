package seedserver

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/catalog"
	"github.com/seedserver/bittorrent/seedserver/web"
)

func TestParseSidecar(t *testing.T) {
	for text, want := range map[string]catalog.Description{
		"title = \"T\"":                              {Title: "T"},
		"description = \"\"\"\na\nb\"\"\"":           {Description: "a\nb"},
		"title = 'T' # comment\ndescription = \"D\"": {Title: "T", Description: "D"},
	} {
		d, ok := parseSidecar([]byte(text))
		require.True(t, ok, text)
		require.Equal(t, want, d)
	}
	for _, text := range []string{
		"", "# nothing", "title = \"\"", "title = 1", "title = \"T", "title = \"T\"\nversion = 3", "[package]\ntitle = \"T\"", "title = \"T\"\nunit = true",
		"title = \"T\"\nexclude = [\"*\"]", "title = \"T\"\nmin-size = 1", "title = \"T\"\nmode = \"plain\"", "title = \"T\"\n[meta.a]\ntitle = \"A\"",
		"description = \"" + strings.Repeat("x", maxSidecar) + "\"", "\xff",
	} {
		_, ok := parseSidecar([]byte(text))
		require.False(t, ok, "%.40q is somebody's file", text)
	}
}

func FuzzParseSidecar(f *testing.F) {
	for _, text := range []string{"title = \"T\"", "description = '''\na'''", "[package]\nname = \"a\"", "title.a = 1"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.Clone(b)
		d, ok := parseSidecar(b)
		require.Equal(t, in, b, "the input was changed")
		require.LessOrEqual(t, len(d.Title)+len(d.Description), len(b)*3, "replacement characters are longer")
		if ok {
			require.NotZero(t, d)
		}
	})
}

// TestDescriptions: what is said beside a file goes before what its directory says; who says it is listed only where it says more.
func TestDescriptions(t *testing.T) {
	srv, dir, _ := running(t, func(c *Config) { c.Rescan = 100 * time.Millisecond })
	for name, content := range map[string]string{
		".seedserver.toml":       "title = \"All\"\n[meta.a]\ntitle = \"from above\"\ndescription = \"above\"\n[meta.b]\ntitle = \"B\"",
		"a":                      "a",
		"a.toml":                 "title = \"beside\"",
		"b":                      "b",
		"config":                 "c",
		"config.toml":            "title = \"T\"\nport = 1",
		"alone.toml":             "title = \"nobody's\"",
		"unit/.seedserver.toml":  "unit = true\ntitle = \"own\"",
		"unit/x":                 "x",
		"unit/x.toml":            "title = \"in the torrent\"",
		"unit.toml":              "description = \"beside the unit\"",
		"copy/a":                 "a",
		"copy/a.toml":            "title = \"beside\"",
		"<b>\u202e\".iso":        "x",
		"<b>\u202e\".iso.toml":   "title = \"<script>\\u0000\"",
		"long.toml":              "title = \"" + strings.Repeat("x", maxSidecar) + "\"",
		"long":                   "x",
		"dir.toml":               "title = \"of a directory\"",
		"dir/.seedserver.toml":   "title = \"its own\"\ndescription = \"D\"",
		"dir/deep/nothing.toml":  "title = \"T\"",
		"dir/deep/nothing.toml2": "x",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	src := source{s: srv}
	published := func(names ...string) func() bool {
		return func() bool {
			for _, name := range names {
				if e, ok := src.Lookup(name); !ok || e.State != web.Published {
					return false
				}
			}
			return true
		}
	}
	require.Eventually(t, published("a", "a.toml", "b", "config.toml", "config", "unit", "unit.toml", "copy/a.toml", "long.toml", "dir.toml",
		"<b>\u202e\".iso.toml", "dir/deep/nothing.toml"), 20*time.Second, 20*time.Millisecond)

	for path, want := range map[string][2]string{
		"": {"All", ""}, "a": {"beside", "above"}, "b": {"B", ""}, "config": {}, "config.toml": {}, "unit": {"own", "beside the unit"}, "unit/x": {},
		"copy/a": {"beside", ""}, "<b>\u202e\".iso": {"<script>\x00", ""}, "long": {}, "dir": {"of a directory", "D"},
	} {
		e, ok := src.Lookup(path)
		require.True(t, ok, path)
		require.Equal(t, want, [2]string{e.Title, e.Description}, "%q by Lookup", path)
		if path != "" {
			parent, name := filepath.Split(path)
			listed := list(t, src, strings.TrimSuffix(parent, "/"))[name]
			require.Equal(t, want, [2]string{listed.Title, listed.Description}, "%q by List", path)
		}
	}
	for path, shown := range map[string]bool{
		"a.toml": false, "config.toml": true, "alone.toml": true, "unit.toml": false, "unit/x.toml": true, "copy/a.toml": false, "long.toml": true,
		"dir/deep/nothing.toml": true,
	} {
		parent, name := filepath.Split(path)
		require.Equal(t, shown, list(t, src, strings.TrimSuffix(parent, "/"))[name].Name != "", path)
		require.Equal(t, http.StatusOK, status(t, srv, path), "%s has an address all the same", path)
	}
	require.WithinDuration(t, time.Now(), list(t, src, "")["a"].Published, time.Minute)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.toml"), []byte("port = 1"), 0o644))
	require.NoError(t, os.Rename(filepath.Join(dir, "copy/a.toml"), filepath.Join(dir, "b.toml")))
	require.Eventually(t, func() bool {
		all := list(t, src, "")
		return all["a"].Title == "from above" && all["a.toml"].Name != "" && all["b"].Title == "beside"
	}, 20*time.Second, 20*time.Millisecond)
}

func list(t *testing.T, src source, dir string) map[string]web.Entry {
	t.Helper()
	entries, ok := src.List(dir)
	require.True(t, ok, dir)
	all := map[string]web.Entry{}
	for _, e := range entries {
		all[e.Name] = e
	}
	return all
}
