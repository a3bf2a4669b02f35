package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readFeed prints what a feed reader takes a feed for.
const readFeed = `
import feedparser, json, sys
f = feedparser.parse(sys.argv[1])
print(json.dumps({"wrong": str(f.get("bozo_exception", "")), "version": f.version, "title": f.feed.title, "entries": [
  {"title": e.title, "id": e.id, "link": e.link, "updated": bool(e.get("updated_parsed") or e.get("published_parsed")),
   "files": [{"type": l.type, "href": l.href} for l in e.links if l.rel == "enclosure"]} for e in f.entries]}))`

// TestFeedReader: a library that reads feeds has no complaint, and finds the torrents.
func TestFeedReader(t *testing.T) {
	t.Parallel()
	if err := exec.Command("/usr/bin/python3", "-c", "import feedparser").Run(); err != nil {
		missing(t, "feedparser: install the package python3-feedparser")
	}
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	pagesSite(t, s)
	for feed, version := range map[string]string{"feed.atom": "atom10", "feed.rss": "rss20"} {
		var got struct {
			Wrong, Version, Title string
			Entries               []struct {
				Title, ID, Link string
				Updated         bool
				Files           []struct{ Type, Href string }
			}
		}
		find := func() (file string) {
			out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", readFeed, s.base+"/-/"+feed).CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.NoError(t, json.Unmarshal(out, &got), "%s", out)
			for _, e := range got.Entries {
				require.NotEmpty(t, e.ID)
				require.True(t, e.Updated)
				if e.Link == s.base+"/big-file.iso?page" && len(e.Files) == 1 && e.Files[0].Type == "application/x-bittorrent" {
					file = e.Files[0].Href
				}
			}
			return file
		}
		file := ""
		s.eventually(10*time.Second, "the torrent is in the feed", func() bool { file = find(); return file != "" })
		require.Empty(t, got.Wrong)
		require.Equal(t, version, got.Version)
		require.Contains(t, got.Title, "All the things")
		body, _ := s.get(strings.TrimPrefix(file, s.base+"/"))
		require.Contains(t, string(body), "6:pieces")
	}
}
