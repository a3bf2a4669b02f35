package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/require"
)

// shownNames are the names of the rows that can be seen, in order.
func (b *tab) shownNames() []string {
	b.t.Helper()
	var names []string
	all := eval[string](b, "JSON.stringify([...document.querySelectorAll('#list tr')].filter(r => !r.hidden).map(r => r.querySelector('.name bdi').textContent))")
	require.NoError(b.t, json.Unmarshal([]byte(all), &names))
	return names
}

// asked are the addresses that were asked for, without what pages are made of.
func (b *tab) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(b.requests), func(address string) bool { return strings.Contains(address, "/-/static/") })
}

// TestBrowserSortAndFilter: with scripts a list is sorted and filtered at once, in the very order that the server gives.
func TestBrowserSortAndFilter(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := newServer(t, "--settle", "200ms")
	s.start()
	names := []string{"a1.bin", "A10.bin", "a2.bin", "a b.bin", "a-b.bin", "a01.bin", "_x.bin", "Zebra.bin", "zebra 2.bin", "ü.bin", "Über.bin", "日本.bin", "(2026).bin",
		"file 9.bin", "file 10.bin", "file 0010.bin", "b&c<d>.bin", "same", "same2"}
	for i, name := range names {
		s.put(name, content(uint64(i), 1+i*7919%5*1000))
	}
	for _, dir := range []string{"dir 2", "dir 10", "Dir"} {
		s.put(dir+"/x", content(uint64(len(dir)), 500))
	}
	for _, name := range names {
		s.published(name, 20*time.Second)
	}
	b := newTab(t)
	for _, column := range []string{"name", "size", "date", "seeds", "completed"} {
		for click := range 3 {
			b.open(s.base + "/")
			before := b.asked()
			for range click + 1 {
				b.do(chromedp.Click("#head ." + column + " a"))
			}
			got, address, sorted := b.shownNames(), eval[string](b, "location.href"), eval[string](b, "document.querySelector('[aria-sort]').outerHTML")
			require.Equal(t, before, b.asked(), "nothing is asked of the server")
			b.open(address)
			require.Equal(t, b.shownNames(), got, "%s after %d clicks: %s", column, click+1, address)
			require.Equal(t, eval[string](b, "document.querySelector('[aria-sort]').outerHTML"), sorted, "the head says the same")
		}
	}

	b.open(s.base + "/")
	b.do(chromedp.KeyEvent("/"))
	require.Equal(t, "filter", eval[string](b, "document.activeElement.id"), "a key leads to the filter")
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("10 FILE")) // this keyboard types the slash as well
	require.ElementsMatch(t, []string{"file 10.bin", "file 0010.bin"}, b.shownNames())
	require.Contains(t, b.text(".bar"), "2 of 22 shown")
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	require.Equal(t, "file 0010.bin", eval[string](b, "document.activeElement.textContent"))
	b.do(chromedp.KeyEvent(kb.ArrowDown))
	require.Equal(t, "file 10.bin", eval[string](b, "document.activeElement.textContent"))
	b.do(chromedp.KeyEvent(kb.ArrowUp), chromedp.KeyEvent(kb.ArrowUp))
	require.Equal(t, "filter", eval[string](b, "document.activeElement.id"))
	b.do(chromedp.KeyEvent(kb.Escape))
	require.Len(t, b.shownNames(), 22)
	b.do(chromedp.KeyEvent("dir 2"), chromedp.KeyEvent(kb.Enter))
	b.eventually("Enter opens the first that is left", func() bool { return strings.HasSuffix(eval[string](b, "location.href"), "/dir%202/") })

	b.open(s.url("file 9.bin") + "?page")
	b.do(chromedp.Click("dd button.copy"))
	b.eventually("the line is copied", func() bool { return b.text("dd button.copy") == "Copied" })

	b.do(chromedp.SendKeys("header input[name=q]", "zebra\r"))
	b.eventually("the search answers", func() bool { return strings.Contains(b.text("#summary"), "2 files") })
	require.Equal(t, []string{"zebra 2.bin", "Zebra.bin"}, b.shownNames())
	b.requireOwn(s.base)
}

// TestBrowserList: a list shows by itself what happens to a file, and the keyboard stays where it is.
func TestBrowserList(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	s.put("old.iso", content(1, 1<<20))
	s.published("old.iso", 20*time.Second)
	f, err := os.Create(filepath.Join(s.dir, "new.iso"))
	require.NoError(t, err)
	defer f.Close()
	_, err = f.Write(content(2, 1<<20))
	require.NoError(t, err)
	s.eventually(20*time.Second, "it is listed", func() bool { e, ok := s.entry("new.iso"); return ok && e.State == "settling" })
	b := newTab(t)
	b.open(s.base + "/?sort=size&order=desc")
	require.Contains(t, b.text("#list"), "settling")
	require.Contains(t, b.text("#summary"), "1 not ready yet")
	eval[bool](b, "window.unchanged = true")
	b.do(chromedp.SendKeys("#filter", "iso"), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown))
	focused := eval[string](b, "document.activeElement.textContent")
	require.NoError(t, f.Close())
	b.eventually("it is seeded", func() bool { return strings.Count(b.text("#list"), "seeding") == 2 })
	require.NotContains(t, b.text("#summary"), "not ready")
	require.True(t, eval[bool](b, "window.unchanged"), "the page was not loaded again")
	require.Equal(t, focused, eval[string](b, "document.activeElement.textContent"))
	require.Equal(t, "descending", eval[string](b, "document.querySelector('#head .size').getAttribute('aria-sort')"))
	b.requireOwn(s.base)
}

// TestBrowserIndexLooks: the pages of the public listener with all that can be on them.
func TestBrowserIndexLooks(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	long := strings.Repeat("nobreak", 34) + ".iso"
	s.put(long, content(1, 1000))
	s.put(".seedserver.toml", []byte("title = \"All\"\ndescription = \""+strings.Repeat("word ", 100)+"\"\n[meta.\""+long+"\"]\ntitle = \""+strings.Repeat("title", 50)+"\""))
	s.put("README.md", []byte("# Head\n\n|a|b|c|d|\n|-|-|-|-|\n|"+strings.Repeat("cell ", 10)+"|"+strings.Repeat("wide", 40)+"|`code`|[l](x)|\n\n```\n"+
		strings.Repeat("code ", 60)+"\n```\n\n"+strings.Repeat("x", 300)+"\n\n> quoted\n\n![far](https://elsewhere.example/x.png)\n"))
	s.put(unitDir+"/.seedserver.toml", []byte("unit = true\ntitle = \"An album\""))
	s.put(unitDir+"/01 intro.flac", content(2, 70_000))
	s.put(unitDir+"/"+long, content(3, 70_000))
	s.put("empty", nil)
	require.NoError(t, os.Symlink("empty", filepath.Join(s.dir, "link")))
	for _, name := range []string{long, "README.md", unitDir} {
		s.published(name, 20*time.Second)
	}
	b := newTab(t)
	list := func(script string) (found []string) {
		require.NoError(t, json.Unmarshal([]byte(eval[string](b, script)), &found))
		return found
	}
	for _, path := range []string{"", unitDir + "/", unitDir + "/?page", long + "?page", "-/search?q=" + strings.Repeat("nobreak", 20), "-/search?q=nothing", "nothing", "link"} {
		for _, width := range []int64{1280, 390} {
			for _, scheme := range []string{"light", "dark"} {
				b.as(width, scheme)
				b.open(s.base + "/" + path)
				where := fmt.Sprintf("/%s at %d, %s", path, width, scheme)
				require.LessOrEqual(t, eval[float64](b, "document.documentElement.scrollWidth - innerWidth"), 0.0, "%s runs over the edge", where)
				require.Empty(t, list(contrastScript), "%s: texts that are hard to read", where)
				require.Empty(t, list(unlabelledScript), "%s: controls without a name", where)
			}
		}
	}
}
