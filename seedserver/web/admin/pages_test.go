package admin

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/web/asset"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// atThen calls f in a bubble whose clock shows then.
func atThen(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(then))
		f(t)
	})
}

// TestGolden compares the pages with files. After -update, read the difference before you commit it.
func TestGolden(t *testing.T) {
	atThen(t, func(t *testing.T) {
		h := newHandler(t, newMemory(), nil)
		h.history.sample(Sent{Time: then.Add(-20 * time.Second)})
		h.history.sample(Sent{Time: then.Add(-10 * time.Second), All: 10 << 20, Torrents: map[metainfo.InfoHash]int64{hash(1): 10 << 20}})
		for name, path := range map[string]string{
			"status.html": "/", "torrent.html": "/torrent/" + hash(1).String(), "idle.html": "/torrent/" + hash(2).String(),
			"ledger.html": "/ledger", "ever.html": "/ledger?month=all", "ledger.csv": "/ledger.csv", "status.json": "/api/v1/status",
			"torrent.json": "/api/v1/torrents/" + hash(1).String(), "ledger.json": "/api/v1/ledger", "history.json": "/api/v1/history",
		} {
			w := get(h, path)
			require.Equal(t, http.StatusOK, w.Code)
			got := strings.ReplaceAll(w.Body.String(), static.Hash(), "HASH")
			file := filepath.Join("testdata", name)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), got, "%s; rewrite it with -update", name)
		}
	})
}

var (
	inline    = regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]|javascript:`)
	elsewhere = regexp.MustCompile(`(?:href|src|action)="(?:[a-z]+:)?//`)
	ids       = regexp.MustCompile(`\sid="([^"]*)"`)
	fields    = regexp.MustCompile(`<input [^>]*type="(?:search|text)"`)
)

// TestPagesKeepTheirPolicy: the pages hold no script or style of their own, name nothing elsewhere, and are complete documents whose
// ids are unique; a hostile name stays a name.
func TestPagesKeepTheirPolicy(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	for _, path := range []string{"/", "/?q=busy", "/ledger?month=2026-07", "/ledger?month=all", "/torrent/" + hash(1).String(), "/torrent/" + hash(3).String()} {
		w := get(h, path)
		page := w.Body.String()
		require.Equal(t, asset.Policy, w.Header().Get("Content-Security-Policy"))
		require.Equal(t, "text/html; charset=utf-8", w.Header().Get("Content-Type"))
		require.False(t, inline.MatchString(page), "%s: %s", path, inline.FindString(page))
		require.False(t, elsewhere.MatchString(page), path)
		require.True(t, strings.HasSuffix(strings.TrimSpace(page), "</html>"))
		require.NotContains(t, page, "<b>")
		require.NotContains(t, page, "\u202e")
		require.NotContains(t, page, "<script>")
		seen := map[string]bool{}
		for _, id := range ids.FindAllStringSubmatch(page, -1) {
			require.False(t, seen[id[1]], "%s: id %s twice", path, id[1])
			seen[id[1]] = true
		}
		require.Equal(t, strings.Count(page, "<label>"), len(fields.FindAllString(page, -1)), "each field has a label")
		require.Equal(t, strings.Count(page, "<svg"), strings.Count(page, `role="img" aria-label="`)+strings.Count(page, `aria-hidden="true"`), "each drawing has a text")
	}
}

// TestLinksLead: every link and resource of the pages is there.
func TestLinksLead(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	link := regexp.MustCompile(`(?:href|src|data-live)="([^"]*)"`)
	seen := map[string]bool{}
	var follow func(path string)
	follow = func(path string) {
		if seen[path] || strings.HasPrefix(path, "/ledger?month=") && len(seen) > 60 {
			return // months go back for ever
		}
		seen[path] = true
		method := http.MethodGet
		if strings.HasSuffix(path, "events") {
			method = http.MethodHead
		}
		w := ask(h, method, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
			return
		}
		for _, m := range link.FindAllStringSubmatch(w.Body.String(), -1) {
			base, err := http.NewRequest(http.MethodGet, "http://localhost"+path, nil)
			require.NoError(t, err)
			to, err := base.URL.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
			require.NoError(t, err)
			follow(to.RequestURI())
		}
	}
	follow("/")
	for _, path := range []string{"/ledger", "/metrics", "/api/v1/status", "/torrent/" + hash(1).String() + "/events", "/events", "/static/" + static.Hash() + "/script.js"} {
		require.True(t, seen[path], path)
	}
}

// TestTorrentGone: a page of a torrent that has ended says so.
func TestTorrentGone(t *testing.T) {
	m := newMemory()
	h := newHandler(t, m, nil)
	m.change(func() { delete(m.details, hash(2)) })
	w := get(h, "/torrent/"+hash(2).String())
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Contains(t, w.Body.String(), "changed or gone")
}

// TestManyPeers: a page shows 200 peers, those with the highest rates, in the order in which they came.
func TestManyPeers(t *testing.T) {
	d := Detail{Torrent: Torrent{InfoHash: hash(1), Size: 100}}
	for i := range 1000 {
		d.Connections = append(d.Connections, Peer{Rate: int64(i % 500), Connected: then.Add(time.Duration(i) * time.Second)})
	}
	table := d.peersTable(then)
	require.Len(t, table.Rows, shownPeers)
	require.Contains(t, table.Omitted, "800 more")
	require.Equal(t, "400 B/s", table.Rows[0].Cells[3].Value)
	require.Equal(t, "499 B/s", table.Rows[shownPeers-1].Cells[3].Value)
	require.EqualValues(t, 999, d.Connections[999].Rate+500, "the Source's own list is left alone")
}

// TestSourceFails: an error of the disk is told without its words, and logged.
func TestSourceFails(t *testing.T) {
	m := newMemory()
	m.err = errDisk
	h := newHandler(t, m, nil)
	for _, path := range []string{"/", "/torrent/" + hash(1).String(), "/ledger", "/ledger?month=all", "/api/v1/status", "/api/v1/ledger", "/api/v1/torrents/" + hash(1).String()} {
		w := get(h, path)
		require.Equal(t, http.StatusInternalServerError, w.Code, path)
		require.NotContains(t, w.Body.String(), errDisk.Error())
	}
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { get(h, "/ledger.csv") }, "half a table must not look whole")
	require.Equal(t, http.StatusOK, get(h, "/healthz").Code)
	require.Equal(t, http.StatusOK, get(h, "/metrics").Code, "what can be told is told")
}

// TestReady: who balances load waits for the first look at the directory.
func TestReady(t *testing.T) {
	m := newMemory()
	h := newHandler(t, m, nil)
	require.Equal(t, http.StatusOK, get(h, "/readyz").Code)
	m.status.Ready = false
	require.Equal(t, http.StatusServiceUnavailable, get(h, "/readyz").Code)
	require.Equal(t, http.StatusOK, get(h, "/healthz").Code)
	require.Contains(t, get(h, "/").Body.String(), "for the first time")
}

// TestBelowAPrefix: all links are relative, so a proxy may serve the pages below a path.
func TestBelowAPrefix(t *testing.T) {
	h := http.StripPrefix("/seed", newHandler(t, newMemory(), nil))
	page := get(h, "/seed/torrent/"+hash(1).String()).Body.String()
	require.Contains(t, page, `href="../ledger"`)
	require.NotRegexp(t, `(href|src)="/`, page)
}

// TestProblemPage: a browser gets a page with a way on, everything else two lines.
func TestProblemPage(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	w := get(h, "/torrent/none", "Accept", "text/html,application/xhtml+xml")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, htmlType, w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), `href="../ledger"`)
	w = get(h, "/torrent/none")
	require.Equal(t, http.StatusNotFound, w.Code)
	require.Equal(t, "There is nothing at this address.\nIt may be a torrent that is no longer published.\n", w.Body.String())
}
