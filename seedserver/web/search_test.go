package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

type searchAnswer struct {
	Path      string
	Query     string
	Truncated bool
	Entries   []struct{ Name, Path, URL, Torrent string }
}

func search(t *testing.T, h http.Handler, query string) searchAnswer {
	t.Helper()
	answer := get(h, "/-/search?"+query, "Accept", "application/json")
	require.Equal(t, http.StatusOK, answer.StatusCode, query)
	var got searchAnswer
	require.NoError(t, json.Unmarshal([]byte(body(t, answer)), &got))
	return got
}

func TestSearch(t *testing.T) {
	m := described()
	m.add("dir/Ünïcode SONG.flac", []byte("x"))
	m.put(web.Entry{Path: "dir/.song", State: web.Published})
	m.put(web.Entry{Path: "song-link", State: web.LeftOut})
	m.put(web.Entry{Path: ".songs/song", State: web.Published})
	h := web.New(web.Config{Source: m})
	for query, want := range map[string]string{
		"q=song":               "/dir/song.flac /dir/Ünïcode SONG.flac",
		"q=SONG":               "/dir/song.flac /dir/Ünïcode SONG.flac",
		"q=" + "%C3%9Cn%C3%8F": "/dir/Ünïcode SONG.flac",
		"q=song+flac":          "/dir/song.flac /dir/Ünïcode SONG.flac",
		"q=song+txt":           "",
		"q=installer":          "/big.iso",
		"q=iso+ANYBODY":        "/big.iso",
		"q=box":                "/unit",
		"q=b.txt":              "/unit/sub/b.txt",
		"q=b.txt&dir=unit":     "/unit/sub/b.txt",
		"q=b.txt&dir=dir":      "",
		"q=sub":                "/unit/sub",
		"q=":                   "",
		"q=+":                  "",
		"":                     "",
		"q=secret":             "",
		"q=hidden":             "",
		"q=link":               "",
		"q=hashing":            "/hashing.iso",
		"q=%00":                "",
		"q=..":                 "",
		"q=/":                  "",
	} {
		var paths []string
		for _, e := range search(t, h, query).Entries {
			paths = append(paths, e.Path)
			require.Equal(t, ".."+e.Path, strings.TrimSuffix(unescape(t, e.URL), "/"), query)
		}
		require.Equal(t, want, strings.Join(paths, " "), query)
	}
	got := search(t, h, "q=a.bin+&dir=unit")
	require.Equal(t, "/unit/", got.Path)
	require.Equal(t, "a.bin ", got.Query)
	require.Equal(t, "../big2.iso?torrent", search(t, h, "q=big2").Entries[0].Torrent)
}

func unescape(t *testing.T, link string) string {
	t.Helper()
	plain, err := url.PathUnescape(link)
	require.NoError(t, err)
	return plain
}

// It works without scripts: the form leads to a page of links that work.
func TestSearchPage(t *testing.T) {
	h := web.New(web.Config{Source: described()})
	require.Contains(t, body(t, get(h, "/dir/", "Accept", browser)), `<form class="search" role="search" action="../-/search">`)
	page := body(t, get(h, "/-/search?q=SONG&dir=dir", "Accept", browser))
	requireWellFormed(t, page)
	require.Contains(t, page, `value="SONG"`)
	require.Contains(t, page, "Found for “<bdi>SONG</bdi>” in <bdi>dir</bdi>: 1 file, 4 B")
	require.Contains(t, page, `<a href="../dir/song.flac"><bdi>dir/song.flac</bdi></a>`)
	require.Contains(t, page, `href="../dir/song.flac.torrent"`)
	require.Contains(t, page, `href="?q=SONG&amp;dir=dir&amp;sort=size&amp;order=desc"`)
	require.Contains(t, body(t, get(h, "/-/search?q=%3Cb%3Enothing", "Accept", browser)), "Nothing found for “<bdi>&lt;b&gt;nothing</bdi>”")
	require.Contains(t, body(t, get(h, "/-/search", "Accept", browser)), "What are you looking for?")
	require.Contains(t, body(t, get(h, "/-/search?q=song", "Accept", "text/plain")), "dir/song.flac\n")
}

func TestSearchRefuses(t *testing.T) {
	h := web.New(web.Config{Source: newSite()})
	for query, want := range map[string]int{
		"q=a&dir=nothing": 404, "q=a&dir=small.txt": 404, "q=a&dir=..": 404, "q=a&dir=dir%2F..": 404, "q=a&dir=%2Fdir": 404, "q=a&dir=dir%2F": 404,
		"q=a&dir=.git": 404, "q=a&dir=link": 404, "q=a&dir=a%00b": 404, "q=" + strings.Repeat("a+", 9): 400, "q=" + strings.Repeat("a", 1025): 400,
	} {
		require.Equal(t, want, get(h, "/-/search?"+query).StatusCode, query)
	}
	require.Equal(t, http.StatusNotAcceptable, get(h, "/-/search?q=a", "Accept", "image/png").StatusCode)
}

func TestSearchIsBounded(t *testing.T) {
	m := newMemory()
	for i := range 700 {
		m.put(web.Entry{Path: fmt.Sprintf("file %d", i), State: web.Published})
	}
	h := web.New(web.Config{Source: m})
	got := search(t, h, "q=file")
	require.Len(t, got.Entries, 500)
	require.True(t, got.Truncated)
	require.Contains(t, body(t, get(h, "/-/search?q=file", "Accept", browser)), "there are more: add a word")
	require.False(t, search(t, h, "q=file+699").Truncated)
}

// slow needs a while to list a directory.
type slow struct{ *memory }

func (s slow) List(dir string) ([]web.Entry, bool) {
	time.Sleep(300 * time.Millisecond)
	return s.memory.List(dir)
}

// A search ends after a second with what it has, and few go on at a time.
func TestSearchTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		for i := range 9 {
			m.add(fmt.Sprintf("dir %d/file", i), []byte("x"))
		}
		h := web.New(web.Config{Source: slow{m}})
		start := time.Now()
		got := search(t, h, "q=file")
		require.True(t, got.Truncated)
		require.Len(t, got.Entries, 3)
		require.Equal(t, 1200*time.Millisecond, time.Since(start))

		done := make(chan int)
		for range 4 {
			go func() { done <- len(search(t, h, "q=file").Entries) }()
		}
		var found []int
		for range 4 {
			found = append(found, <-done)
		}
		slices.Sort(found)
		require.Equal(t, []int{0, 0, 3, 3}, found)
	})
}

func BenchmarkSearch(b *testing.B) {
	source := benchmarkSource{memory: newMemory(), list: manyEntries()}
	h := web.New(web.Config{Source: source})
	b.Run("entries=10k", func(b *testing.B) {
		r := httptest.NewRequest(http.MethodGet, "/-/search?q=Number+777", nil)
		b.ReportAllocs()
		for b.Loop() {
			h.ServeHTTP(discard{http.Header{}}, r)
		}
	})
}

// FuzzSearch: no query brings out what is not published, or a broken page.
func FuzzSearch(f *testing.F) {
	for _, query := range []string{"q=iso", "q=a+b&dir=unit", "q=%00&dir=..", "q=%FF", "q=secret&dir=%2e%2e", "dir=.hidden&q=a", "q=iso&sort=size&p=9"} {
		f.Add(query, "text/html")
		f.Add(query, "application/json")
	}
	h := web.New(web.Config{Source: described()})
	f.Fuzz(func(t *testing.T, query, accept string) {
		r := httptest.NewRequest(http.MethodGet, "/-/search", nil)
		r.URL.RawQuery = query
		r.Header.Set("Accept", accept)
		for _, path := range []string{"/-/search", "/-/feed.atom", "/-/feed.rss"} {
			r.URL.Path = path
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Contains(t, []int{200, 304, 400, 404, 406}, w.Code)
			require.NotContains(t, w.Body.String(), secret)
			require.NotContains(t, w.Body.String(), "hidden</")
			if w.Header().Get("Content-Type") == "application/json" {
				require.True(t, json.Valid(w.Body.Bytes()))
			}
		}
	})
}
