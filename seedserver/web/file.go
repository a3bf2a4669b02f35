package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// filePolicy keeps a document that is served plainly from acting as one of our
// pages: its scripts run, but in an origin of their own.
const filePolicy = "sandbox allow-downloads allow-forms allow-popups allow-scripts"

// typeUnknown is what a file of no known type is negotiated as.
const typeUnknown = "application/octet-stream"

// unitOf returns the entry whose torrent has the content of e: the unit that e
// is inside of, or e itself.
func (x *exchange) unitOf(e Entry) (of Entry, ok bool) {
	if e.In == "" {
		return e, true
	}
	of, ok = x.source.Lookup(e.In)
	return of, ok && of.Unit
}

// serveFile answers a GET of a file by its plain address.
func (x *exchange) serveFile(e Entry) {
	of, ok := x.unitOf(e)
	if !ok || of.State != Published && of.State != Empty {
		x.torrentOf(e)
		return
	}
	mediaType := mediaTypeOf(e.Name)
	plainType, _, _ := strings.Cut(mediaType, ";")
	if plainType == "" {
		plainType = typeUnknown
	}
	plain := x.cfg.plain(&e)
	if !plain {
		plainType = ""
	}
	switch {
	case of.State == Published && plainType != typeTorrent && x.wantsTorrent(plainType):
		x.serveTorrent(e)
	case plain:
		x.servePlain(e, of, mediaType)
	case x.cfg.large(&e) == LargePage:
		x.serveDetails(e)
	default:
		x.linkTorrent(of)
		x.varyHost()
		x.redirect(x.torrentLink(of), x.howTo(e, of))
	}
}

// servePlain sends the file itself. of is the entry that has its torrent.
func (x *exchange) servePlain(e, of Entry, mediaType string) {
	content, err := x.source.Open(x.r.Context(), e)
	if err != nil {
		x.sourceFailed(e, err)
		return
	}
	defer content.Close()
	if mediaType == "" {
		if mediaType, err = sniff(content); err != nil {
			x.sourceFailed(e, err)
			return
		}
	}
	header := x.w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("ETag", etag(&e))
	header.Del("Content-Security-Policy")
	if active(mediaType) {
		header.Set("Content-Security-Policy", filePolicy)
	}
	if of.State == Published {
		x.linkTorrent(of)
	}
	w := x.w
	if x.cfg.Sent != nil {
		w = &meter{ResponseWriter: w, sent: func(n int) { x.cfg.Sent(of, n) }}
	}
	http.ServeContent(w, x.r, "", e.ModTime, content)
}

// etag returns a strong validator (RFC 9110, section 8.8.3): the infohash, and
// without one the size and the time of the last change.
func etag(e *Entry) string {
	if e.InfoHash != (metainfo.InfoHash{}) {
		return `"` + e.InfoHash.String() + `"`
	}
	changed := int64(0)
	if !e.ModTime.IsZero() {
		changed = e.ModTime.UnixNano()
	}
	return fmt.Sprintf(`"%x-%x"`, e.Size, changed)
}

// mediaTypeOf returns the media type that the extension of a name stands for,
// or "" if none is known.
func mediaTypeOf(name string) string {
	extension := strings.ToLower(path.Ext(name))
	if extension == ".torrent" {
		return typeTorrent
	}
	return mime.TypeByExtension(extension)
}

// sniff tells text from everything else by the first bytes and goes back to the
// start. It never finds a type that a browser would run.
func sniff(content io.ReadSeeker) (mediaType string, err error) {
	head := make([]byte, 512)
	n, err := io.ReadFull(content, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	head = head[:n]
	for cut := 0; cut < utf8.UTFMax && n == 512 && !utf8.Valid(head); cut++ {
		head = head[:len(head)-1] // the last rune may go on
	}
	if utf8.Valid(head) && !strings.ContainsAny(string(head), "\x00\x01\x02\x03\x04\x05\x06\x07\x0e\x0f") {
		return "text/plain; charset=utf-8", nil
	}
	return typeUnknown, nil
}

// active reports whether a browser runs scripts in a document of this type.
func active(mediaType string) bool {
	return strings.Contains(mediaType, "html") || strings.Contains(mediaType, "xml")
}

// howTo is the body of the redirection to a torrent: what to run.
func (x *exchange) howTo(e, of Entry) string {
	name, torrent := visible(e.Name), x.torrentURL(of)
	if e.In != "" {
		name += " is part of " + visible(of.Name) + ", which"
	}
	text := fmt.Sprintf("%s is shared with BitTorrent (%s).\n\nRun:      %s\nTorrent:  %s\n", name, appendSize(nil, of.Size), aria2c(torrent), torrent)
	if magnet := x.magnetLink(of); magnet != "" {
		text += "Magnet:   " + magnet + "\n"
	}
	return text
}
