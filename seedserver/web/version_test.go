package web_test

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// RFC 9110, section 13.1.2: "If the field value is a list of entity tags, the
// condition is false if one of the listed tags matches the entity tag of the
// selected representation", and then a GET is answered with 304.
func TestIndexNotModified(t *testing.T) {
	h := web.New(web.Config{Source: described()})
	for _, target := range []string{"/", "/unit/", "/void/", "/-/search?q=iso"} {
		for _, accept := range []string{browser, "text/plain", "application/json"} {
			first := get(h, target, "Accept", accept)
			tag := first.Header.Get("ETag")
			require.Regexp(t, `^W/"[0-9a-z]+"$`, tag)
			for _, header := range []string{tag, `"x", ` + tag, tag[2:], "*"} {
				again := get(h, target, "Accept", accept, "If-None-Match", header)
				require.Equal(t, http.StatusNotModified, again.StatusCode)
				require.Empty(t, body(t, again))
				require.Equal(t, tag, again.Header.Get("ETag"))
				require.Equal(t, first.Header.Get("Vary"), again.Header.Get("Vary"))
			}
			require.Equal(t, http.StatusOK, get(h, target, "Accept", accept, "If-None-Match", `"x", W/"y"`).StatusCode)
		}
	}
}

func TestIndexVersion(t *testing.T) {
	m := described()
	notice := ""
	h := web.New(web.Config{Source: m, Notice: func(web.Via) string { return notice }})
	seen := map[string]string{}
	look := func(what, target string, headers ...string) {
		t.Helper()
		tag := get(h, target, headers...).Header.Get("ETag")
		require.NotContains(t, seen, tag, "%s: the same as %s", what, seen[tag])
		seen[tag] = what
	}
	look("first", "/")
	look("another form", "/", "Accept", "application/json")
	look("another order", "/?sort=size")
	look("another directory", "/dir/")
	look("a search", "/-/search?q=iso")
	look("another search", "/-/search?q=txt")
	for what, change := range map[string]func(e *web.Entry){
		"size": func(e *web.Entry) { e.Size++ }, "time": func(e *web.Entry) { e.ModTime = e.ModTime.Add(time.Second) },
		"state": func(e *web.Entry) { e.State = web.Settling }, "progress": func(e *web.Entry) { e.Progress = .5 },
		"seeds": func(e *web.Entry) { e.Peers.Seeds++ }, "copies": func(e *web.Entry) { e.Peers.Copies++ },
		"title": func(e *web.Entry) { e.Title = "new" }, "infohash": func(e *web.Entry) { e.InfoHash[0]++ },
	} {
		was := m.entries["big.iso"]
		e := was
		change(&e)
		m.entries["big.iso"] = e
		look(what, "/")
		m.entries["big.iso"] = was
	}
	m.add("new file", []byte("x"))
	look("a new file", "/")
	notice = "only here"
	look("a notice", "/")

	e := m.entries["hashing.iso"]
	e.Wait += time.Second
	before := get(h, "/").Header.Get("ETag")
	m.entries["hashing.iso"] = e
	require.Equal(t, before, get(h, "/").Header.Get("ETag"), "the time until then is not shown")
}

// An index of many files comes in pages, in all orders, and JSON in one.
func TestIndexPaged(t *testing.T) {
	source := benchmarkSource{memory: newMemory(), list: manyEntries()}
	h := web.New(web.Config{Source: source})
	row := regexp.MustCompile(`<bdi>(Some file[^<]*)</bdi></a></td>`)
	var all []string
	for p := 1; p <= 10; p++ {
		page := body(t, get(h, fmt.Sprintf("/?sort=size&order=desc&p=%d", p), "Accept", browser))
		rows := row.FindAllStringSubmatch(page, -1)
		require.Len(t, rows, 1000)
		for _, r := range rows {
			all = append(all, r[1])
		}
		require.NotContains(t, page, `id="filter"`, "it would filter this page alone")
		require.Contains(t, page, `<input type="hidden" name="dir" value="">`)
	}
	require.Len(t, all, 10_000)
	for i, name := range all {
		require.Equal(t, source.list[9999-i].Name, name)
	}
	require.Contains(t, body(t, get(h, "/", "Accept", browser)), `<a href="?sort=name&amp;p=2" aria-label="Page 2">2</a>`)
	require.Len(t, regexp.MustCompile(`"type":"file"`).FindAllString(body(t, get(h, "/?p=3", "Accept", "application/json")), -1), 10_000)
}
