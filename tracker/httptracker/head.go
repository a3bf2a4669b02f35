package httptracker

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/seedserver/bittorrent/tracker"
)

// verdict is what a beginning of bytes is in the eyes of a [Front].
type verdict int

const (
	other   verdict = iota // anything else: net/http's
	partial                // may become a plain request
	plain                  // a plain request, whole
)

// maxHead bounds a plain request in bytes; those of clients have under 1,000.
const maxHead = 4096

// head is a plain request: an announce or scrape with nothing in it that two
// parsers could read in two ways. The grammar is a small part of that of HTTP:
//
//	GET /announce[/KEY]?QUERY HTTP/1.1 CRLF
//	NAME: VALUE CRLF ...
//	CRLF
//
// KEY is letters, digits and "-._~"; QUERY is visible ASCII without '#', with an
// info_hash. A NAME is one of a short list, each at most once, Host always; none
// of them frames a body, so that the request ends at the empty line. A VALUE is
// ASCII on one line; of Host it is a name or address with a port, of Connection
// "close" or "keep-alive".
type head struct {
	target []byte      // path?query
	path   int         // bytes of it that are the path
	fields []byte      // the lines of NAME: VALUE
	host   string      // that of the fields
	header http.Header // the fields without Host, as net/http has them; nil if fields are not valid
	close  bool        // the client wants no answer after this one
	size   int         // bytes of the request
}

const (
	announceStart = "GET /announce"
	scrapeStart   = "GET /scrape"
	protocolEnd   = "HTTP/1.1\r\n"
)

// parse reads the request at the beginning of b, which target keeps. host,
// header and close are made anew only if the fields differ from those of the
// request before, which a client that keeps its connection repeats.
func (h *head) parse(b []byte) verdict {
	start := announceStart
	if len(b) > 5 && b[5] == 's' {
		start = scrapeStart
	}
	if n := min(len(b), len(start)); string(b[:n]) != start[:n] {
		return other
	}
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) >= maxHead || bytes.Contains(b, []byte("\n\n")) { // net/http takes bare line feeds for ends, too
			return other
		}
		return partial
	}
	line := bytes.IndexByte(b, '\n') + 1
	if end += 4; end > maxHead || !h.parseLine(b[:line]) || !h.parseFields(b[line:end-2]) {
		return other
	}
	h.size = end
	return plain
}

// parseLine reads the request line with its end.
func (h *head) parseLine(b []byte) bool {
	target, ok := bytes.CutSuffix(b[len("GET "):], []byte(" "+protocolEnd))
	if !ok {
		return false
	}
	path, query, ok := bytes.Cut(target, []byte("?"))
	if !ok || !bytes.HasPrefix(query, []byte("info_hash=")) && !bytes.Contains(query, []byte("&info_hash=")) {
		return false
	}
	for _, c := range path {
		if c != '/' && class[c]&inKey == 0 {
			return false
		}
	}
	if _, _, ok := tracker.CutPath(string(path)); !ok {
		return false
	}
	for _, c := range query {
		if class[c]&inQuery == 0 {
			return false
		}
	}
	h.target, h.path = target, len(path)
	return true
}

// parseFields reads the lines of the header, each with its end.
func (h *head) parseFields(b []byte) bool {
	if h.header != nil && bytes.Equal(b, h.fields) {
		return true
	}
	h.fields = append(h.fields[:0], b...)
	h.header, h.host, h.close = make(http.Header, 4), "", false
	for len(b) > 0 {
		line, rest, ok := bytes.Cut(b, []byte("\r\n"))
		name, value, colon := bytes.Cut(line, []byte(":"))
		if !ok || !colon || !isText(value) {
			return h.refuse()
		}
		b, value = rest, bytes.Trim(value, " \t")
		switch key := canonical(name); {
		case key == "":
			return h.refuse()
		case key == "Host":
			if h.host != "" || !isHost(value) {
				return h.refuse()
			}
			h.host = string(value)
		case h.header[key] != nil:
			return h.refuse()
		case key == "Connection":
			if h.close = bytes.EqualFold(value, []byte("close")); !h.close && !bytes.EqualFold(value, []byte("keep-alive")) {
				return h.refuse()
			}
			h.header[key] = []string{string(value)}
		default:
			h.header[key] = []string{string(value)}
		}
	}
	return h.host != "" || h.refuse()
}

// refuse forgets the fields and returns false.
func (h *head) refuse() bool {
	h.header = nil
	return false
}

// canonical returns the name of a header field that a plain request may have,
// in net/http's form, and "" for others.
func canonical(name []byte) string {
	for _, known := range [...]string{"Host", "User-Agent", "Accept-Encoding", "Connection", "Accept", "Accept-Language",
		"Cache-Control", "Pragma", "Want-Digest"} {
		if len(name) == len(known) && strings.EqualFold(string(name), known) {
			return known
		}
	}
	return ""
}

func isText(b []byte) bool {
	for _, c := range b {
		if c != '\t' && (c < ' ' || c > '~') {
			return false
		}
	}
	return true
}

func isHost(b []byte) bool {
	for _, c := range b {
		if class[c]&inHost == 0 {
			return false
		}
	}
	return len(b) > 0
}

// class says of each byte where it may stand.
var class = func() (t [256]uint8) {
	for c := '!'; c <= '~'; c++ {
		if c != '#' {
			t[c] |= inQuery
		}
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
			t[c] |= inKey | inHost
		case c == '~':
			t[c] |= inKey
		case c == ':', c == '[', c == ']':
			t[c] |= inHost
		}
	}
	return t
}()

const (
	inQuery = 1 << iota
	inKey
	inHost
)
