package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// described returns a Source whose entries have words and a swarm.
func described() *memory {
	m := newSite()
	for path, change := range map[string]func(e *web.Entry){
		"":        func(e *web.Entry) { e.Title, e.Description = "All of <it>", "First.\nSecond & last." },
		"big.iso": func(e *web.Entry) { e.Title, e.Description = "An installer", "For \"anybody\".\nReally." },
		"unit":    func(e *web.Entry) { e.Title = "A box of things" },
	} {
		e := m.entries[path]
		change(&e)
		if path != "" {
			e.Peers = web.Peers{Known: true, Seeds: 12, Leechers: 3, Completed: 40, Copies: 2.25}
			e.Published = modified.AddDate(0, 0, 1)
		}
		m.entries[path] = e
	}
	return m
}

func TestDetails(t *testing.T) {
	m := described()
	h := web.New(web.Config{Source: m})
	page := body(t, get(h, "/big.iso?page", "Accept", browser))
	requireWellFormed(t, page)
	for _, want := range []string{
		"<bdi>An installer</bdi>", "For &#34;anybody&#34;.\nReally.", `href="big.iso.torrent"`, `href="magnet:?`,
		"<dt>Size</dt><dd>1.0 MiB <small>1048592 bytes</small></dd>", "<dt>Modified</dt><dd>2026-03-14 15:09 UTC</dd>",
		"<dt>Published</dt><dd>2026-03-15 15:09 UTC</dd>", "seeding", "<dt>Copies</dt><dd>2.2 ", "<dt>Seeds</dt><dd>12 ", "<dt>Leechers</dt><dd>3</dd>",
		"<dt>Completed</dt><dd>40</dd>", m.entries["big.iso"].InfoHash.String(), "<dt>Pieces</dt><dd>65 of 16 KiB <small>16384 bytes</small></dd>",
		`<code class="copy">http://files.example:8080/announce</code>`,
		"aria2c http://files.example:8080/big.iso.torrent", "transmission-cli http://files.example:8080/big.iso.torrent",
		"curl -OJ http://files.example:8080/big.iso.torrent",
	} {
		require.Contains(t, page, want)
	}
	require.NotContains(t, page, "curl -O ", "it is too large to be had plainly")
	require.Contains(t, body(t, get(h, "/small.txt?page", "Accept", browser)), "curl -O http://files.example:8080/small.txt<")
	require.NotContains(t, body(t, get(h, "/small.txt?page", "Accept", browser)), "<dt>Seeds", "nothing is known")
	require.Contains(t, body(t, get(h, "/big2.iso?page", "Accept", browser)), "curl -OJ &#39;http://files.example:8080/big2.iso?torrent&#39;")
}

func TestDetailsOfUnit(t *testing.T) {
	m := described()
	h := web.New(web.Config{Source: m})
	page := body(t, get(h, "/unit/?page", "Accept", browser))
	requireWellFormed(t, page)
	for _, want := range []string{
		"A box of things", `<dt>Files</dt><dd>2, <a href="../unit/">`, `<a href="a.bin?page"><bdi>a.bin</bdi></a></td><td class="size">1.0 MiB</td>`,
		`<a href="../unit/sub/b.txt?page"><bdi>sub/b.txt</bdi></a></td><td class="size">6 B</td>`,
	} {
		require.Contains(t, page, want)
	}
	for _, target := range []string{"/unit?page", "/unit/sub/b.txt?page"} {
		require.Equal(t, http.StatusOK, get(h, target, "Accept", browser).StatusCode)
	}
	require.Contains(t, body(t, get(h, "/unit/sub/b.txt?page", "Accept", browser)), `part of <a href="../../unit/"><bdi>unit</bdi></a>`)
	require.Contains(t, body(t, get(h, "/unit/", "Accept", browser)), "12 seeds, 3 leechers, 40 completed, 2.2 copies elsewhere")
}

// A directory whose root is one torrent has all its forms too.
func TestRootUnit(t *testing.T) {
	m := newMemory()
	m.addUnit("x", map[string][]byte{"a.txt": []byte("content")})
	root := m.entries["x"]
	root.Path, root.Name = "", "."
	m.info[""] = m.info["x"]
	m.entries[""] = root
	delete(m.entries, "x")
	h := web.New(web.Config{Source: m})
	page := body(t, get(h, "/", "Accept", browser))
	require.Contains(t, page, `href="?torrent"`)
	for _, target := range []string{"/?torrent", "/"} {
		requireTorrent(t, m, "", get(h, target, "Accept", torrentType))
	}
	require.Equal(t, http.StatusOK, get(h, "/?page", "Accept", browser).StatusCode)
}

func TestDetailsPaged(t *testing.T) {
	m := newMemory()
	files := map[string][]byte{}
	for i := range 2500 {
		files[fmt.Sprintf("d/file %04d", i)] = []byte("x")
	}
	m.addUnit("many", files)
	h := web.New(web.Config{Source: m})
	seen := map[string]bool{}
	for p := 1; p <= 3; p++ {
		page := body(t, get(h, fmt.Sprintf("/many/?page&p=%d", p), "Accept", browser))
		requireWellFormed(t, page)
		require.Contains(t, page, fmt.Sprintf("%d–%d of 2500", 1000*p-999, min(1000*p, 2500)))
		for _, row := range regexp.MustCompile(`<bdi>(d/file \d+)</bdi></a></td>`).FindAllStringSubmatch(page, -1) {
			seen[row[1]] = true
		}
	}
	require.Len(t, seen, 2500)
}

func TestDetailsJSON(t *testing.T) {
	m := described()
	h := web.New(web.Config{Source: m})
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(body(t, get(h, "/big.iso?page", "Accept", "application/json"))), &got))
	magnet := m.Magnet(m.entries["big.iso"], web.Via{URL: "http://files.example:8080"})
	require.Equal(t, map[string]any{
		"name": "big.iso", "path": "/big.iso", "type": "file", "url": "big.iso", "size": 1048592.0, "modified": "2026-03-14T15:09:26Z",
		"title": "An installer", "description": "For \"anybody\".\nReally.", "state": "published", "published": "2026-03-15T15:09:26Z",
		"infohash": m.entries["big.iso"].InfoHash.String(), "torrent": "big.iso.torrent", "magnet": magnet.String(),
		"peers":        map[string]any{"seeds": 12.0, "leechers": 3.0, "completed": 40.0, "copies": 2.25},
		"piece_length": 16384.0, "pieces": 65.0, "trackers": []any{"http://files.example:8080/announce"},
	}, got)
	got = nil
	require.NoError(t, json.Unmarshal([]byte(body(t, get(h, "/unit/?page", "Accept", "application/json"))), &got))
	require.Equal(t, []any{map[string]any{"path": "a.bin", "size": 1048592.0}, map[string]any{"path": "sub/b.txt", "size": 6.0}}, got["contents"])
}

// Words about files are shown as words, whatever they are.
func TestHostileWords(t *testing.T) {
	for _, name := range hostileNames {
		m := newMemory()
		m.add("file", []byte("content"))
		e := m.entries["file"]
		e.Title, e.Description = name, name+"\n"+strings.Repeat(name+" ", 300)
		m.entries["file"] = e
		m.entries[""] = web.Entry{Dir: true, Title: name, Description: name}
		h := web.New(web.Config{Source: m})
		for _, target := range []string{"/", "/file?page", "/-/search?q=file", "/-/search?q=" + url.QueryEscape(name)} {
			page := body(t, get(h, target, "Accept", browser))
			requireWellFormed(t, page)
			require.NotContains(t, page, "<b>bold")
			require.NotContains(t, page, "<script>")
			require.NotContains(t, page, "\u202e")
			require.NotContains(t, page, "\x1b")
			require.Less(t, len(page), 16<<10+len(e.Description)*6)
			var any map[string]any
			require.NoError(t, json.Unmarshal([]byte(body(t, get(h, target, "Accept", "application/json"))), &any))
		}
	}
}
