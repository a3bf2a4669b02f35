package web

import (
	"embed"
	"html/template"
	"strings"

	"github.com/seedserver/bittorrent/seedserver/web/asset"
)

var (
	//go:embed static templates
	files embed.FS

	pages  = template.Must(template.ParseFS(files, "templates/*.html"))
	static = asset.New(files, "static")

	// staticDir is where the files of static are found, below /-/.
	staticDir = "static/" + static.Hash() + "/"
)

// serveOwn answers for what is below /-/, the Handler's own part of the root.
func (x *exchange) serveOwn(path string) {
	x.dir = "-"
	switch path {
	case "search":
		x.serveSearch()
	case "feed.atom", "feed.rss":
		x.serveFeed(path)
	case "tracker":
		x.serveTracker()
	default:
		name, ok := strings.CutPrefix(path, "static/")
		if !ok || !static.Serve(x.w, x.r, name, "public") {
			x.notFound()
		}
	}
}
