//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestBrowserTracker: the page of a tracker fits a desk and a phone, by day and by night, and asks nobody else for anything.
func TestBrowserTracker(t *testing.T) {
	requireBrowser(t)
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	long := strings.Repeat("a-very-long-name-without-a-space", 6)
	torrent := fmt.Sprintf("d4:infod6:lengthi%de4:name%d:%s12:piece lengthi16384e6:pieces20:aaaaaaaaaaaaaaaaaaaaee", 12345, len(long), long)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.torrent"), []byte(torrent), 0o600))
	p := newTrackerProcess(t, "--allow", dir)
	p.start()
	b := newTab(t)
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			where := fmt.Sprint(scheme, " ", width)
			b.as(width, scheme)
			b.open(p.base + "/")
			require.Contains(t, b.text("table"), long, where)
			require.Contains(t, b.text("#summary"), "1 torrent:", where)
			require.Contains(t, b.text("#summary"), "0 unique addresses, 0 connections", where)
			require.LessOrEqual(t, eval[float64](b, "document.documentElement.scrollWidth - innerWidth"), 0.0, "%s runs over the edge", where)
			for _, edge := range []string{"left", "right"} {
				require.True(t, eval[bool](b, "[...document.querySelectorAll('td')].every(e => e.getBoundingClientRect()."+edge+" >= 0 && e.getBoundingClientRect()."+edge+" <= innerWidth)"), where)
			}
		}
	}
	b.requireOwn(p.base)
}
