// Package asset serves what pages are made with: style sheets, scripts and icons that are part of the program.
//
// A [Dir] is such files, at an address that changes when one of them does, so that browsers may keep them for ever. [Policy] lets
// a page load these and nothing else: nothing from another server, and no script or style that is written in the page.
//
// What all pages have in common is here: an icon, and what every style.css begins with.
//
// A Dir holds files without directories, of the types .css, .js and .svg.
package asset

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// Policy is the Content-Security-Policy of a page that loads nothing but assets of its own server, and may be in no frame.
const Policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

var types = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// The files that every Dir has: its style.css begins with base.
var (
	//go:embed static/base.css
	base []byte
	//go:embed static/icon.svg
	icon []byte
)

// Dir is a set of files. It may be used by many goroutines at once.
type Dir struct {
	hash  string
	files map[string][]byte
}

// New returns the files of dir in fsys, and those that all pages share. It panics if they cannot be read or one is of another type: they are part of the program.
func New(fsys fs.FS, dir string) *Dir {
	d := &Dir{files: map[string][]byte{}}
	entries, err := fs.ReadDir(fsys, dir) // in order
	if err != nil {
		panic("asset: " + err.Error())
	}
	d.files["icon.svg"] = icon
	sum := sha256.New()
	sum.Write(base)
	sum.Write(icon)
	for _, e := range entries {
		name := e.Name()
		content, err := fs.ReadFile(fsys, path.Join(dir, name))
		if err != nil || types[path.Ext(name)] == "" {
			panic("asset: " + name + " is not a file that can be served")
		}
		if name == "style.css" {
			content = append(bytes.Clone(base), content...)
		}
		d.files[name] = content
		sum.Write([]byte(name))
		sum.Write([]byte{0})
		sum.Write(content)
	}
	d.hash = hex.EncodeToString(sum.Sum(nil)[:6])
	return d
}

// Hash is twelve hexadecimal digits that are others when a file is another: the directory these files are served in.
func (d *Dir) Hash() string { return d.hash }

// Serve answers for the file of a path of the form HASH/NAME, or returns false if there is none. keep is who may keep the answer:
// "public", or "private" where not everybody may have it. The answer is the same whatever else was asked for, so a Vary header goes.
func (d *Dir) Serve(w http.ResponseWriter, r *http.Request, name, keep string) bool {
	if len(name) <= len(d.hash) || name[:len(d.hash)] != d.hash || name[len(d.hash)] != '/' {
		return false
	}
	content, ok := d.files[name[len(d.hash)+1:]]
	if !ok {
		return false
	}
	w.Header().Del("Vary")
	w.Header().Set("Content-Type", types[path.Ext(name)])
	w.Header().Set("Cache-Control", keep+", max-age=31536000, immutable")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	return true
}
