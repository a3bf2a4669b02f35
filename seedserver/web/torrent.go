package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"
	"unicode"
)

// wantsTorrent reports whether the client prefers the torrent to a plain form
// of the given media type. Only who names the type of torrents does: it then
// says that it understands them. An empty mediaType means that there is no
// plain form.
func (x *exchange) wantsTorrent(mediaType string) bool {
	q, named := x.accept.quality(typeTorrent)
	if !named || q == 0 {
		return false
	}
	plain := 0
	if mediaType != "" {
		plain, _ = x.accept.quality(mediaType)
	}
	return q >= plain
}

// torrentOf is unitOf for whoever needs the torrent now. If there is none that
// is published it answers, and ok is false.
func (x *exchange) torrentOf(e Entry) (of Entry, ok bool) {
	if of, ok = x.unitOf(e); !ok {
		x.notFound()
		return of, false
	}
	switch {
	case of.Dir && !of.Unit:
		x.problem(http.StatusNotFound, "This directory has no torrent of its own",
			"Each file in it has one. Open the directory to see them.")
	case of.State == Published:
		return of, true
	case of.State == Empty:
		x.problem(http.StatusNotFound, "An empty file has no torrent",
			"It has no bytes to share, and BitTorrent clients refuse a torrent of nothing. The file itself can be fetched plainly.")
	case of.State == LeftOut:
		x.leftOut(of)
	default:
		x.pending(of)
	}
	return of, false
}

// serveTorrent sends the torrent that has the content of e.
func (x *exchange) serveTorrent(e Entry) {
	of, ok := x.torrentOf(e)
	if !ok {
		return
	}
	torrent, err := x.source.Torrent(x.r.Context(), of, x.via)
	if err != nil {
		x.sourceFailed(of, err)
		return
	}
	sum := sha256.Sum256(torrent)
	header := x.w.Header()
	header.Set("Content-Type", typeTorrent)
	header.Set("Content-Disposition", disposition(of.Name+".torrent"))
	header.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	if e.In != "" {
		x.linkTorrent(of)
	}
	x.varyHost()
	http.ServeContent(x.w, x.r, "", time.Time{}, bytes.NewReader(torrent))
}

// serveMagnet sends the magnet link of the torrent that has the content of e: a
// browser is sent to it, anybody else gets it as text.
func (x *exchange) serveMagnet(e Entry) {
	of, ok := x.torrentOf(e)
	if !ok {
		return
	}
	x.varyHost()
	magnet := x.magnetLink(of)
	if magnet == "" {
		x.problem(http.StatusNotFound, "A private torrent has no magnet link",
			"With one, a client would ask strangers about the torrent before it knows that it is private. Get the torrent itself.")
		return
	}
	if _, named := x.accept.quality(typeHTML); named && x.accept.choose(typeHTML, typeText) == typeHTML {
		x.redirect(magnet, magnet+"\n")
		return
	}
	x.text(http.StatusOK, magnet+"\n")
}

// magnetLink returns the magnet link of e, "" if it has none.
func (x *exchange) magnetLink(e Entry) string { return string(x.magnet(&e)) }

// torrentLink returns the relative link to the torrent of e.
func (x *exchange) torrentLink(e Entry) string { return x.href(e.Path) + x.torrentSuffix(e.Path) }

// torrentURL returns the URL of the torrent of e, as a client would be given.
func (x *exchange) torrentURL(e Entry) string { return x.url(e.Path, x.torrentSuffix(e.Path)) }

// torrentSuffix returns what to append to path for its torrent.
func (x *exchange) torrentSuffix(path string) string {
	if path == "" { // the root itself is a unit
		return "?torrent"
	}
	if e, taken := x.source.Lookup(path + ".torrent"); taken && e.State != LeftOut {
		return "?torrent"
	}
	return ".torrent"
}

// linkTorrent names the torrent of e in a Link header (RFC 8288).
func (x *exchange) linkTorrent(e Entry) {
	x.w.Header().Set("Link", "<"+x.torrentLink(e)+`>; rel="describedby"; type="`+typeTorrent+`"`)
}

// disposition returns a Content-Disposition that saves a download as name, with
// a plain form for clients that do not read UTF-8 (RFC 6266, section 5).
// Characters that cannot be seen, or that separate the elements of a path,
// become underscores.
func disposition(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || r == '/' || r == '\\' || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, name)
	plain := strings.Map(func(r rune) rune {
		if r > '~' || r == '"' || r == '%' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + string(appendEscaped(nil, name))
}
