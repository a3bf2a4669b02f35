package web_test

import (
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// requireWellFormed checks that all elements of a page are closed in order.
func requireWellFormed(t *testing.T, page string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		switch token := token.(type) {
		case xml.StartElement:
			if !strings.Contains(" meta link input br img hr ", " "+token.Name.Local+" ") {
				open = append(open, token.Name.Local)
			}
		case xml.EndElement:
			require.NotEmpty(t, open)
			require.Equal(t, open[len(open)-1], token.Name.Local)
			open = open[:len(open)-1]
		}
	}
	require.Empty(t, open)
}

func TestGolden(t *testing.T) {
	h := web.New(web.Config{Source: newSite(), Title: "Public <files>", Version: "1.2.3",
		Notice: func(v web.Via) string { return "Links go to " + v.URL + " & work in this network only." }})
	answer := get(h, "/", "Accept", browser)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, htmlType, answer.Header.Get("Content-Type"))
	require.Equal(t, "Accept, Host, Accept-Encoding", answer.Header.Get("Vary"))
	page := regexp.MustCompile(`static/[0-9a-f]{12}/`).ReplaceAllString(body(t, answer), "static/HASH/")
	requireWellFormed(t, page)
	if *update {
		require.NoError(t, os.WriteFile("testdata/index.html", []byte(page), 0o644))
	}
	want, err := os.ReadFile("testdata/index.html")
	require.NoError(t, err)
	require.Equal(t, string(want), page)
}

// Every page is well formed, loads nothing from elsewhere, has no inline script
// or style, and every link in it leads somewhere.
func TestPagesAndLinks(t *testing.T) {
	h := web.New(web.Config{Source: newSite(), Large: web.LargePage})
	seen := map[string]bool{}
	var visit func(target string)
	visit = func(target string) {
		if seen[target] {
			return
		}
		seen[target] = true
		answer := get(h, target, "Accept", browser)
		require.Contains(t, []int{200, 302, 503}, answer.StatusCode, target)
		if answer.Header.Get("Content-Type") != htmlType || strings.HasPrefix(answer.Header.Get("Content-Security-Policy"), "sandbox") {
			return
		}
		page := body(t, answer)
		requireWellFormed(t, page)
		require.NotRegexp(t, `(?i)<style|<script>| style=| on[a-z]+=`, page)
		base, err := url.Parse(target)
		require.NoError(t, err)
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
			to, err := base.Parse(html.UnescapeString(link[1]))
			require.NoError(t, err)
			if to.Scheme == "magnet" {
				_, err := metainfo.ParseMagnet(to.String())
				require.NoError(t, err)
				continue
			}
			require.Empty(t, to.Host, "no link leaves the server")
			visit(to.RequestURI())
		}
	}
	visit("/")
	for _, target := range []string{"/unit/sub/", "/raw/", "/big.iso?page", "/unit/a.bin?page", "/unit/?page"} {
		visit(target)
	}
	require.Greater(t, len(seen), 40)
}

func TestStatic(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	page := body(t, get(h, "/dir/", "Accept", browser))
	for file, mediaType := range map[string]string{
		"style.css": "text/css; charset=utf-8", "script.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	} {
		link := regexp.MustCompile(`"\.\./(-/static/[0-9a-f]{12}/` + regexp.QuoteMeta(file) + `)"`).FindStringSubmatch(page)
		require.NotNil(t, link, file)
		answer := get(h, "/"+link[1])
		require.Equal(t, http.StatusOK, answer.StatusCode)
		require.Equal(t, mediaType, answer.Header.Get("Content-Type"))
		require.Equal(t, "public, max-age=31536000, immutable", answer.Header.Get("Cache-Control"))
		require.Empty(t, answer.Header.Get("Vary"))
		require.NotRegexp(t, `https?://(?:[^w]|www\.[^w])`, body(t, answer), "nothing is loaded from elsewhere")
	}
}

func TestIndexJSON(t *testing.T) {
	m := newSite()
	h := web.New(web.Config{Source: m})
	answer := get(h, "/", "Accept", "application/json")
	require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
	var index struct {
		Path                               string
		Directories, Files, Pending, Bytes int
		Entries                            []map[string]any
	}
	require.NoError(t, json.NewDecoder(answer.Body).Decode(&index))
	require.Equal(t, "/", index.Path)
	require.Equal(t, []int{4, 11, 3}, []int{index.Directories, index.Files, index.Pending})
	entries := map[string]map[string]any{}
	for _, e := range index.Entries {
		entries[e["name"].(string)] = e
	}
	require.Len(t, entries, 15)
	magnet := m.Magnet(m.entries["big2.iso"], web.Via{URL: "http://files.example:8080"})
	require.Equal(t, map[string]any{
		"name": "big2.iso", "type": "file", "url": "big2.iso", "size": 1048592.0, "modified": "2026-03-14T15:09:26Z",
		"state": "published", "infohash": m.entries["big2.iso"].InfoHash.String(), "torrent": "big2.iso?torrent", "magnet": magnet.String(),
	}, entries["big2.iso"])
	require.Equal(t, map[string]any{
		"name": "hashing.iso", "type": "file", "url": "hashing.iso", "size": 5.0, "modified": "2026-03-14T15:09:26Z",
		"state": "hashing", "progress": .429, "reason": "second in the queue",
	}, entries["hashing.iso"])
	require.Equal(t, map[string]any{
		"name": "link", "type": "file", "size": 0.0, "modified": "2026-03-14T15:09:26Z", "state": "left out", "reason": "symbolic link",
	}, entries["link"])
	require.Equal(t, "unit.torrent", entries["unit"]["torrent"])
	require.NotContains(t, entries, ".hidden")

	unit := body(t, get(h, "/unit/", "Accept", "application/json"))
	require.Contains(t, unit, `"torrent":"../unit.torrent"`)
	require.NotContains(t, unit, `"torrent":"a.bin.torrent"`)
	require.JSONEq(t, `{"path":"/void/","directories":0,"files":0,"bytes":0,"pending":0,"entries":[]}`,
		body(t, get(h, "/void/", "Accept", "application/json")))
}

func TestIndexText(t *testing.T) {
	m := newMemory()
	m.add("file 10", []byte("ten"))
	m.add("file 9\n\x1b[31m", []byte("nine"))
	m.put(web.Entry{Path: "sub", Dir: true, Size: 77, ModTime: time.Date(2025, 1, 2, 3, 4, 0, 0, time.UTC)})
	m.put(web.Entry{Path: "wait", Size: 1 << 40, State: web.Hashing, Progress: .07})
	answer := get(web.New(web.Config{Source: m}), "/", "Accept", "text/plain")
	require.Equal(t, textType, answer.Header.Get("Content-Type"))
	require.Equal(t, `# /: 1 directory, 3 files, 1.0 TiB
#         bytes  modified (UTC)    state         name
             77  2025-01-02 03:04  -             sub/
              4  2026-03-14 15:09  published     file 9␊␛[31m
              3  2026-03-14 15:09  published     file 10
  1099511627776  2026-03-14 15:09  hashing 7%    wait
# download one: aria2c http://files.example:8080/file%209%0A%1B%5B31m.torrent
`, body(t, answer))
}

func TestIndexSort(t *testing.T) {
	m := newMemory()
	for i, name := range []string{"b2", "b10", "a"} {
		m.put(web.Entry{Path: name, Size: int64(10 - i), ModTime: modified.Add(time.Duration(i%2) * time.Hour), State: web.Published,
			Peers: web.Peers{Known: true, Seeds: 7 - i}})
	}
	m.put(web.Entry{Path: "zdir", Dir: true})
	h := web.New(web.Config{Source: m})
	for query, want := range map[string]string{
		"":                      "zdir a b2 b10",
		"?sort=name&order=desc": "zdir b10 b2 a",
		"?sort=size":            "zdir a b10 b2",
		"?sort=size&order=desc": "zdir b2 b10 a",
		"?sort=date":            "zdir a b2 b10",
		"?sort=seeds":           "zdir a b10 b2",
		"?sort=time":            "zdir a b2 b10",
		"?sort=nonsense;%zz":    "zdir a b2 b10",
	} {
		var names []string
		for _, row := range regexp.MustCompile(`<bdi>([^<]*?)/?</bdi></a></td>`).FindAllStringSubmatch(body(t, get(h, "/"+query)), -1) {
			names = append(names, row[1])
		}
		require.Equal(t, want, strings.Join(names, " "), query)
	}
	require.Contains(t, body(t, get(h, "/?sort=size")), `<th scope="col" class="size" aria-sort="ascending"><a href="?sort=size&amp;order=desc">`)
}

// The columns that count swarms are there when something is known, and what they
// come to is summed up.
func TestIndexPeers(t *testing.T) {
	m := described()
	h := web.New(web.Config{Source: m})
	page := body(t, get(h, "/?sort=seeds&order=desc", "Accept", browser))
	require.Contains(t, page, "3.0 MiB; others: 24 seeds, 6 leechers, 80 completed; ")
	require.Contains(t, page, `<td class="n copies">2.2</td><td class="n seeds">12</td><td class="n leechers">3</td><td class="n completed">40</td>`)
	require.Contains(t, page, `<th scope="col" class="seeds" aria-sort="descending"><a href="?sort=seeds">Seeds</a>`)
	require.Contains(t, body(t, get(h, "/", "Accept", "text/plain")), "# /: 4 directories, 11 files, 3.0 MiB; others: 24 seeds, 6 leechers, 80 completed\n")
	for _, target := range []string{"/dir/", "/unit/"} {
		page := body(t, get(h, target, "Accept", browser))
		require.NotContains(t, page, "Seeds")
		require.NotContains(t, page, "Copies")
	}
	e := m.entries["dir/song.flac"]
	e.Peers = web.Peers{Copies: 1.5}
	m.entries["dir/song.flac"] = e
	page = body(t, get(h, "/dir/", "Accept", browser))
	require.NotContains(t, page, "Seeds", "there is no tracker that would know")
	require.Contains(t, page, `<td class="n copies">1.5</td><td class="get">`)
}

func TestIndexNegotiation(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for accept, want := range map[string]string{
		"*/*": htmlType, browser: htmlType, "text/*": htmlType, "text/plain": textType, "application/*": "application/json",
		"application/json;q=0.9, text/html;q=0.8": "application/json",
	} {
		require.Equal(t, want, get(h, "/dir/", "Accept", accept).Header.Get("Content-Type"), accept)
	}
	answer := get(h, "/dir/", "Accept", torrentType)
	require.Equal(t, http.StatusNotAcceptable, answer.StatusCode)
	require.Contains(t, body(t, answer), "text/html, text/plain or application/json")
}

func TestIndexGzip(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	answer := get(h, "/", "Accept-Encoding", "gzip")
	require.Equal(t, "gzip", answer.Header.Get("Content-Encoding"))
	zip, err := gzip.NewReader(answer.Body)
	require.NoError(t, err)
	page, err := io.ReadAll(zip)
	require.NoError(t, err)
	require.Equal(t, body(t, get(h, "/")), string(page))
}

func TestEmptyDirectorySaysWhatToDo(t *testing.T) {
	page := body(t, get(web.New(web.Config{Source: newMemory()}), "/"))
	require.Contains(t, page, "There is nothing here yet.")
	require.Contains(t, page, "<code>rsync</code>")
	require.NotContains(t, page, "<table")
}

// Names that people and programs have been fooled with.
var hostileNames = []string{
	"with space", `"quoted"`, "it's", "<b>bold", "<script>alert(1)", "&amp;", "new\nline", "tab\t", "\x1b[2J", "\x7f",
	"ünï", "日本語", "שלום", "\u202egpj.exe", "\u2066x", "a\u2028b", "bad\xff\xfe", "a:b", "javascript:alert(1)", "%2e%2e", "%00", "100%", "a?b", "a#b", "a;b",
	"a+b&c=d", "~user", "-rf", "a..", "$(reboot)", "`id`", "a|b", "{}", "x.torrent", "y.magnet", strings.Repeat("n", 255), strings.Repeat("ü", 127), "\r\nSet-Cookie: a=b",
}

func TestHostileNames(t *testing.T) {
	for _, name := range hostileNames {
		for _, path := range []string{name, "dir " + name + "/" + name} {
			m := newMemory()
			m.add(path, []byte("content"))
			h := web.New(web.Config{Source: m, PlainBelow: -1})
			dir := "/"
			if path != name {
				dir = "/dir%20" + url.PathEscape(name) + "/"
			}
			page := body(t, get(h, dir, "Accept", browser))
			requireWellFormed(t, page)
			require.NotContains(t, page, "<b>")
			require.NotContains(t, page, "<script>")
			require.NotContains(t, page, "\u202e")

			row := regexp.MustCompile(`<td role="rowheader" class="name"><a href="([A-Za-z0-9._~%-]+)">`).FindStringSubmatch(page)
			require.NotNil(t, row, "%q: the link is of unreserved characters", name)
			decoded, err := url.PathUnescape(row[1])
			require.NoError(t, err)
			require.Equal(t, name, decoded)

			answer := get(h, dir+row[1])
			require.Equal(t, http.StatusFound, answer.StatusCode)
			require.Equal(t, row[1]+".torrent", answer.Header.Get("Location"))

			answer = get(h, dir+row[1]+".torrent")
			requireTorrent(t, m, path, answer)
			kind, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Disposition"))
			require.NoError(t, err, "%q", name)
			require.Equal(t, "attachment", kind)
			require.True(t, strings.HasSuffix(parameters["filename"], ".torrent"))
			require.NotRegexp(t, `[\x00-\x1f\x7f/\\]`, parameters["filename"])

			magnet, err := metainfo.ParseMagnet(get(h, dir+row[1]+".magnet", "Accept", browser).Header.Get("Location"))
			require.NoError(t, err)
			require.Equal(t, m.entries[path].InfoHash, magnet.InfoHash)

			for _, accept := range []string{browser, "text/plain", "application/json"} {
				answer = get(h, dir+row[1]+"?page", "Accept", accept)
				require.Equal(t, http.StatusOK, answer.StatusCode)
				text := body(t, answer)
				if accept == browser {
					requireWellFormed(t, text)
					require.NotContains(t, text, "<script>")
				}
				require.NotContains(t, text, "\x1b")
			}
		}
	}
}

func TestContentDisposition(t *testing.T) {
	m := newMemory()
	m.add(`Ü "x"%.iso`, []byte("content"))
	require.Equal(t, `attachment; filename="_ _x__.iso.torrent"; filename*=UTF-8''%C3%9C%20%22x%22%25.iso.torrent`,
		get(web.New(web.Config{Source: m}), "/%C3%9C%20%22x%22%25.iso.torrent").Header.Get("Content-Disposition"))
}

// A file whose name has no URL is shown but leads nowhere.
func TestBackslash(t *testing.T) {
	m := newMemory()
	m.add(`a\b.txt`, []byte(secret))
	h := web.New(web.Config{Source: m})
	page := body(t, get(h, "/"))
	require.Contains(t, page, `<span><bdi>a\b.txt</bdi></span>`)
	require.NotContains(t, page, "magnet:")
	require.NotContains(t, body(t, get(h, "/", "Accept", "application/json")), "magnet")
	require.Equal(t, http.StatusNotFound, get(h, "/a%5Cb.txt").StatusCode)
}

func TestMountedBelowPrefix(t *testing.T) {
	h := http.StripPrefix("/pub", web.New(web.Config{Source: newSite()}))
	require.Contains(t, body(t, get(h, "/pub/big.iso")), "aria2c http://files.example:8080/pub/big.iso.torrent")
	require.Equal(t, "big.iso.torrent", get(h, "/pub/big.iso").Header.Get("Location"))
	require.Contains(t, body(t, get(h, "/pub/dir/", "Accept", browser)), `href="../-/static/`)
}

// benchmarkSource lists the same directory each time.
type benchmarkSource struct {
	*memory
	list []web.Entry
}

func (b benchmarkSource) List(string) ([]web.Entry, bool) {
	return append([]web.Entry(nil), b.list...), true
}

// discard is a ResponseWriter that forgets.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) WriteHeader(int)             {}
func (d discard) Write(p []byte) (int, error) { return len(p), nil }

func manyEntries() []web.Entry {
	list := make([]web.Entry, 10_000)
	for i := range list {
		e := &list[i]
		*e = web.Entry{Name: fmt.Sprintf("Some file – number %d (2026).tar.zst", 7919*i%10_000), Size: int64(i) << 20, ModTime: modified,
			State: web.Published, InfoHash: metainfo.InfoHash{byte(i), byte(i >> 8)}, Peers: web.Peers{Known: true, Seeds: i % 50, Leechers: i % 7}}
		e.Path = e.Name
	}
	return list
}

func BenchmarkIndex(b *testing.B) {
	source := benchmarkSource{memory: newMemory(), list: manyEntries()}
	h := web.New(web.Config{Source: source})
	for _, form := range []string{"text/html", "text/plain", "application/json"} {
		for _, encoding := range []string{"identity", "gzip"} {
			b.Run(fmt.Sprintf("entries=10k/%s/%s", form, encoding), func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.Header.Set("Accept", form)
				r.Header.Set("Accept-Encoding", encoding)
				b.ReportAllocs()
				for b.Loop() {
					h.ServeHTTP(discard{http.Header{}}, r)
				}
			})
		}
	}
}
