package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// pagePolicy lets a page load nothing but the files of static, and nothing from
// another server.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	//go:embed static templates
	files embed.FS

	pages = template.Must(template.ParseFS(files, "templates/*.html"))

	// staticDir is where the files of static are found: its name changes when
	// one of them does, so that browsers may keep them for ever.
	staticDir = "static/" + staticHash() + "/"
)

func staticHash() string {
	sum := sha256.New()
	names, _ := fs.Glob(files, "static/*") // in order; the pattern is good
	for _, name := range names {
		content, _ := files.ReadFile(name)
		sum.Write([]byte(name))
		sum.Write(content)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

var staticTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// serveOwn answers for what is below /-/, the Handler's own part of the root.
func (x *exchange) serveOwn(path string) {
	x.dir = "-"
	switch path {
	case "search":
		x.serveSearch()
	case "feed.atom", "feed.rss":
		x.serveFeed(path)
	default:
		x.serveStatic(path)
	}
}

// serveStatic answers for the files of static.
func (x *exchange) serveStatic(path string) {
	name, ok := strings.CutPrefix(path, staticDir)
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot < 0 || strings.Contains(name, "/") {
		x.notFound()
		return
	}
	content, err := files.ReadFile("static/" + name)
	if err != nil {
		x.notFound()
		return
	}
	header := x.w.Header()
	header.Del("Vary")
	header.Set("Content-Type", staticTypes[name[dot:]])
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(x.w, x.r, "", time.Time{}, bytes.NewReader(content))
}
