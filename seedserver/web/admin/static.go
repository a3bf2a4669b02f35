package admin

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

// pagePolicy lets a page load nothing but the files of static and our own answers, and nothing from another server.
const pagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var (
	//go:embed static templates
	files embed.FS

	pages = template.Must(template.ParseFS(files, "templates/*.html"))

	// staticHash is part of the address of the files of static: it changes when one of them does, so that browsers may keep them
	// for ever.
	staticHash = hashStatic()
	staticDir  = "static/" + staticHash + "/"
)

func hashStatic() string {
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

// serveStatic answers for what is below /static/.
func (x *exchange) serveStatic(path string) {
	name, ok := strings.CutPrefix(path, staticHash+"/")
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
	x.w.Header().Set("Content-Type", staticTypes[name[dot:]])
	x.w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	http.ServeContent(x.w, x.r, "", time.Time{}, bytes.NewReader(content))
}
