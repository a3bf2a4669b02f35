package web

import (
	"bytes"
	"html/template"
	"net/http"
	"strconv"
	"strings"
)

// shell is what the frame around every page shows.
type shell struct {
	Title   string // of the window
	Site    string
	Version string
	Root    string // relative link to the root
	Static  string // relative link to the directory of style sheet, script and icons
	Crumbs  []crumb
	Refresh string // content of a meta refresh, or ""
	Every   int    // seconds until the script asks again, or 0; Refresh is then for who has no scripts
	Copy    string // a command to show at the bottom, or ""
	Query   string // what was searched for
	Login   string // relative link to the login, "" if there is none
	Viewer  string // the name of who asks, "" for anybody
	Feeds   []feedLink
	Tracker string // relative link to what the tracker knows, or ""
	Alone   bool   // there are no files: a tracker is all there is
}

// crumb is one step of the way from the root to where we are.
type crumb struct {
	Name string
	Href string // "" for the last one
}

// shell returns the frame of a page. path is where the page is, "" for the root.
func (x *exchange) shell(title, path string) shell {
	s := shell{Title: x.cfg.title(), Site: x.cfg.title(), Version: x.cfg.Version,
		Root: x.root, Static: x.root + "-/" + staticDir, Viewer: x.viewer, Alone: x.cfg.alone}
	if x.cfg.Tracker != nil {
		s.Tracker = x.root + "-/tracker"
	}
	if x.cfg.SignIn != nil {
		s.Login = x.root + strings.TrimPrefix(loginPath, "/")
	}
	if title != "" {
		s.Title = title + " – " + s.Site
	}
	s.Crumbs = []crumb{{Name: "Files", Href: x.root}}
	for i, c := range path {
		if c == '/' {
			s.Crumbs = append(s.Crumbs, crumb{visible(base(path[:i])), x.root + escapePath(path[:i]) + "/"})
		}
	}
	if path != "" {
		s.Crumbs = append(s.Crumbs, crumb{Name: visible(base(path))})
	}
	s.Crumbs[len(s.Crumbs)-1].Href = ""
	return s
}

// offer is what a page says about one torrent and how to get it.
type offer struct {
	Name     string
	Size     string
	Bytes    int64
	Modified string
	InfoHash string
	State    template.HTML
	Torrent  string
	Magnet   template.URL
	Command  string
	Swarm    string // who has it, in words, or ""
	Page     string // relative link to the page about it
	Plain    string // relative link to the content itself, or ""
	PartOf   string // relative link to the unit that it is part of, or ""
	Unit     string // the name of that unit
}

// offer describes e, whose torrent is that of the published entry of.
func (x *exchange) offer(e, of Entry) offer {
	o := offer{
		Name: visible(e.Name), Size: string(appendSize(nil, e.Size)), Bytes: e.Size,
		Modified: string(appendTime(nil, e.ModTime)),
		InfoHash: of.InfoHash.String(), State: template.HTML(appendState(nil, &of)),
		Torrent: x.torrentLink(of), Magnet: template.URL(x.magnetLink(of)),
		Command: aria2c(x.torrentURL(of)), Swarm: peersText(of.Peers), Page: x.href(e.Path) + "?page",
	}
	if x.cfg.plain(&e) {
		o.Plain = x.href(e.Path)
	}
	if e.In != "" {
		o.PartOf, o.Unit = x.href(e.In)+"/", visible(of.Name)
	}
	return o
}

// page sends a page made from a template.
func (x *exchange) page(status int, name string, data any) {
	var body bytes.Buffer
	if err := pages.ExecuteTemplate(&body, name, data); err != nil {
		x.log.Debug("page failed", "page", name, "err", err)
		x.text(http.StatusInternalServerError, "internal error\n")
		return
	}
	x.send(status, "text/html; charset=utf-8", body.Bytes())
}

// text sends a plain text.
func (x *exchange) text(status int, text string) {
	x.send(status, "text/plain; charset=utf-8", []byte(text))
}

func (x *exchange) send(status int, mediaType string, body []byte) {
	x.w.Header().Set("Content-Type", mediaType)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if x.r.Method != http.MethodHead {
		_, _ = x.w.Write(body) // the client may be gone
	}
}

// parent returns the relative link to the directory that the request's path is
// in, or would be.
func (x *exchange) parent() string {
	if strings.HasSuffix(x.r.URL.EscapedPath(), "/") {
		return "../"
	}
	return "./"
}
