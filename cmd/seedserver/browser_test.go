package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// adminBase is where the status pages are in a namespace of a test.
const adminBase = "http://127.0.0.1:8081"

// requireBrowser skips the test where there is no browser.
func requireBrowser(t *testing.T) {
	t.Helper()
	requireTool(t, "chromium", "chromium")
	requireTool(t, "aria2c", "aria2")
}

// TestBrowserIndex: a person opens the index, sees what is there, clicks a file and gets its torrent, and finds the magnet link.
func TestBrowserIndex(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	s.put("release.iso", content(1, 5<<20))
	hash := s.published("release.iso", 20*time.Second)
	b := newTab(t)
	b.open(s.base + "/")
	require.Equal(t, "release.iso", b.text("#list .name a"))
	magnet := eval[string](b, "document.querySelector('#list a[href^=magnet]').href")
	m, err := metainfo.ParseMagnet(magnet)
	require.NoError(t, err)
	require.Equal(t, hash, m.InfoHash.String())

	b.do(chromedp.Click("#list .name a"))
	file := filepath.Join(b.downloads, "release.iso.torrent")
	b.eventually("the torrent is saved", func() bool { _, err := os.Stat(file); return err == nil })
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	torrent, err := metainfo.Parse(raw)
	require.NoError(t, err)
	require.Equal(t, hash, torrent.InfoHash.String())
	answer := b.answer(s.url("release.iso.torrent"))
	require.NotNil(t, answer)
	require.Equal(t, "application/x-bittorrent", answer.MimeType)
	b.requireOwn(s.base)
}

// downloading starts a server with limited upload and a client that takes a file from it, long enough to be looked at.
func downloading(t *testing.T) (s *server, hash string) {
	t.Helper()
	s = startServer(t, "--max-up", "1MB/s", "--mode", "plain")
	s.put("release.iso", content(1, 100<<20))
	s.put("other.iso", content(2, 2<<20))
	hash = s.published("release.iso", 30*time.Second)
	s.published("other.iso", 30*time.Second)
	source, out := s.torrent("release.iso"), t.TempDir()
	client := exec.Command("aria2c", "--no-conf", "--dir="+out, "--interface="+clientIP(0), "--listen-port=16882", "--enable-dht=false",
		"--enable-dht6=false", "--bt-enable-lpd=false", "--seed-time=0", "--file-allocation=none", "--async-dns=false",
		"--disable-ipv6=true", "--quiet", source)
	require.NoError(t, client.Start())
	t.Cleanup(func() {
		client.Process.Kill()
		client.Wait()
	})
	s.eventually(20*time.Second, "the client downloads", func() bool {
		resp, err := http.Get(adminBase + "/api/v1/status")
		require.NoError(t, err)
		defer resp.Body.Close()
		var now serverStatus
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&now))
		return now.Rate > 0
	})
	return s, hash
}

// TestBrowserLive: while a client downloads, the numbers of the status pages move by themselves, without the page being loaded again.
func TestBrowserLive(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	_, hash := downloading(t)
	b := newTab(t)
	moves := func(what, selector string) {
		t.Helper()
		before := b.text(selector)
		b.eventually(what+" moves from "+before, func() bool { now := b.text(selector); return now != before && now != "" })
	}

	b.open(adminBase + "/")
	eval[bool](b, "window.unchanged = true")
	row := "#t" + hash
	b.eventually("a rate shows", func() bool { return strings.Contains(b.text(row+" .rate"), "KiB/s") })
	require.Contains(t, b.text("#tiles"), "1 peer")
	moves("the rate now", "#tiles dd")
	moves("what was sent today", "#tiles div:nth-child(2) dd")
	moves("the row's total", row+" [data-label=Total]")
	require.Equal(t, "seeding", b.text(row+" [data-label=Stage]"))
	require.True(t, eval[bool](b, "window.unchanged"), "the page was not loaded again")

	b.do(chromedp.Click(row + " a"))
	b.eventually("the peer shows", func() bool { return strings.Contains(b.text("#peers"), "aria2") })
	eval[bool](b, "window.unchanged = true")
	require.Equal(t, "release.iso", b.text("h1"))
	require.Contains(t, b.text("#peers"), clientIP(0))
	require.Contains(t, b.text("#why"), "--max-up")
	require.Contains(t, b.text("#map"), "no peer:")
	moves("what we gave the peer", "#peers [data-label=\"We gave\"]")
	moves("the pieces it has", "#map .legend li:nth-child(2)")
	moves("what its torrent was sent", "#tiles div:nth-child(6) dd")
	require.True(t, eval[bool](b, "window.unchanged"), "the page was not loaded again")

	b.open(adminBase + "/ledger")
	require.Contains(t, b.text("main"), "release.iso")
	b.requireOwn(adminBase)
}

// TestBrowserServerGone: a page says when the server is gone, and goes on when it is back.
func TestBrowserServerGone(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	b := newTab(t)
	b.open(adminBase + "/")
	require.Contains(t, b.text("main"), "no torrents yet")
	s.stop()
	b.eventually("the page says so", func() bool { return strings.Contains(b.text("#live"), "does not answer") })
	s.start()
	b.eventually("the page is live again", func() bool { return b.text("#live") == "" })
	s.put("late.iso", content(1, 1<<20))
	s.published("late.iso", 20*time.Second)
	b.eventually("what came meanwhile shows", func() bool { return strings.Contains(b.text("main"), "late.iso") })
}

// TestBrowserWithoutScripts: every page is complete without scripts, and asks for itself again.
func TestBrowserWithoutScripts(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s, hash := downloading(t)
	b := newTab(t)
	b.scripts(false)
	for address, wants := range map[string][]string{
		s.base + "/":                    {"release.iso", "other.iso", "torrent", "magnet"},
		s.base + "/release.iso?page":    {hash, "aria2c"},
		adminBase + "/":                 {"release.iso", "other.iso", "Today", "Saved"},
		adminBase + "/torrent/" + hash:  {"Why at this rate?", "aria2", "no peer:", hash},
		adminBase + "/ledger":           {"BitTorrent", "Sent on each day"},
		adminBase + "/ledger?month=all": {"Ledger"},
		adminBase + "/?q=other":         {"1 found", "other.iso"},
	} {
		b.open(address)
		shown := b.text("body")
		for _, want := range wants {
			require.Contains(t, shown, want, address)
		}
	}
	b.open(adminBase + "/")
	before := b.text("#tiles")
	b.eventually("the page is loaded again", func() bool { now := b.text("#tiles"); return now != "" && now != before })
	b.requireOwn(s.base, adminBase)
}

// contrastScript lists the texts of a page whose colour differs too little from what is behind them: a ratio of 4.5 is the least for
// text, 3 for large text (WCAG 2.2, 1.4.3).
const contrastScript = `(() => {
	const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
	const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
		.reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
	const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c[3] > .99) return c; } return [255, 255, 255]; };
	const bad = [];
	const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const e = walker.currentNode.parentElement;
		if (!walker.currentNode.data.trim() || !e.getClientRects().length || e.closest("script, noscript, svg, .skip")) continue;
		const style = getComputedStyle(e), a = light(parse(style.color)), b = light(behind(e));
		const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
		const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		if (ratio < (large ? 3 : 4.5)) bad.push(walker.currentNode.data.trim() + " " + ratio.toFixed(2));
	}
	return JSON.stringify(bad);
})()`

// unlabelled lists the controls of a page that have no name for who does not see them, and the drawings without a text.
const unlabelledScript = `JSON.stringify([...document.querySelectorAll("input:not([type=hidden]), button, a[href], progress")]
	.filter(e => e.getClientRects().length && !(e.labels && e.labels.length) && !e.getAttribute("aria-label") && !e.textContent.trim())
	.concat([...document.querySelectorAll("svg")].filter(e => !e.getAttribute("aria-label") && !e.closest("[aria-hidden]")))
	.map(e => e.outerHTML.slice(0, 100)))`

// TestBrowserLooks: on a screen and on a phone, light and dark, nothing runs over the edge, every text can be read and every control
// has a name; each link of the page can be reached by the keyboard.
func TestBrowserLooks(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s, hash := downloading(t)
	s.put("a name that is much too long to fit on the screen of a phone, or in a column of a table, whatever its width may be.tar.gz", content(3, 1<<20))
	s.published("a name that is much too long to fit on the screen of a phone, or in a column of a table, whatever its width may be.tar.gz", 20*time.Second)
	b := newTab(t)
	list := func(script string) (found []string) {
		require.NoError(t, json.Unmarshal([]byte(eval[string](b, script)), &found))
		return found
	}
	for _, address := range []string{s.base + "/", s.base + "/release.iso?page", adminBase + "/", adminBase + "/torrent/" + hash, adminBase + "/ledger"} {
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.as(width, scheme)
				b.open(address)
				where := fmt.Sprintf("%s at %d, %s", address, width, scheme)
				require.LessOrEqual(t, eval[float64](b, "document.documentElement.scrollWidth - innerWidth"), 0.0, "%s runs over the edge", where)
				require.Empty(t, list(contrastScript), "%s: texts that are hard to read", where)
				require.Empty(t, list(unlabelledScript), "%s: controls without a name", where)
			}
		}
	}
	b.requireOwn(s.base, adminBase)

	eval[bool](b, "document.querySelector('h1').style.color = document.querySelector('button').innerText = ''; document.querySelector('h1 small').style.color = '#777'; true")
	require.Len(t, list(contrastScript), 1, "the check would see a faint text")
	require.Len(t, list(unlabelledScript), 1, "the check would see a button without a name")
}

// TestBrowserKeyboard: the first stop of the keyboard leads past the head, and the filter works with it alone.
func TestBrowserKeyboard(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	for _, name := range []string{"first.iso", "second.iso"} {
		s.put(name, content(1, 1<<20))
		s.published(name, 20*time.Second)
	}
	b := newTab(t)
	b.open(adminBase + "/")
	b.do(chromedp.KeyEvent("\t"))
	require.Equal(t, "#main", eval[string](b, "document.activeElement.getAttribute('href')"))
	b.do(chromedp.SendKeys("input[name=q]", "sec\r"))
	b.eventually("the filter leaves one", func() bool { return strings.Contains(b.text("main"), "1 found") })
	require.NotContains(t, b.text("main table"), "first.iso")
	require.Equal(t, "sec", eval[string](b, "document.querySelector('input[name=q]').value"))
}
