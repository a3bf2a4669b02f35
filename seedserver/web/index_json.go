package web

import (
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// listingJSON is the JSON form of an index but for the entries.
type listingJSON struct {
	Path        string          `json:"path"`
	Directories int             `json:"directories"`
	Files       int             `json:"files"`
	Bytes       int64           `json:"bytes"`
	Pending     int             `json:"pending"`
	Title       string          `json:"title,omitempty"`
	Description string          `json:"description,omitempty"`
	Unit        json.RawMessage `json:"unit,omitempty"` // an entry, if the directory is one torrent
	Query       string          `json:"query,omitempty"`
	Truncated   bool            `json:"truncated,omitempty"` // there was no time or no room for all that match
}

func (l *listing) jsonTop() []byte {
	top := listingJSON{Path: "/" + l.dir.Path, Directories: l.dirs, Files: l.files, Bytes: l.bytes, Pending: l.pending,
		Title: l.dir.Title, Description: l.dir.Description}
	if l.dir.Path != "" {
		top.Path += "/"
	}
	if l.found != nil {
		top.Query, top.Truncated = l.found.Query, l.found.Cut
	}
	if l.dir.Unit {
		top.Unit = l.x.appendEntryJSON(nil, &l.dir, []byte(l.x.href(l.dir.Path)), l.x.torrentSuffix(l.dir.Path), false)
	}
	b, _ := json.Marshal(top) // strings and numbers only
	return append(b[:len(b)-1], `,"entries":[`...)
}

func (l *listing) appendJSONRow(dst []byte, i int, e *Entry) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	l.address = l.appendAddress(l.address[:0], e)
	return l.x.appendEntryJSON(append(dst, '\n'), e, l.address, l.suffix(e), l.found != nil)
}

func (l *listing) jsonBottom() []byte { return []byte("\n]}\n") }

// appendEntryJSON appends the JSON form of e. Its links are relative to the
// address of the answer: link leads to e, suffix makes the address of its
// torrent of it. The name is there to be shown: it is not exact when it is not
// UTF-8; the link is. It is made by hand because there can be ten thousand.
func (x *exchange) appendEntryJSON(dst []byte, e *Entry, link []byte, suffix string, path bool) []byte {
	dst = appendMember(append(dst, '{'), "name", e.Name)
	if path {
		dst = appendMember(dst, "path", "/"+e.Path)
	}
	slash, kind := "", "file"
	switch {
	case e.Unit:
		slash, kind = "/", "unit"
	case e.Dir:
		slash, kind = "/", "directory"
	}
	dst = appendMember(dst, "type", kind)
	if e.linked() {
		dst = append(append(append(append(dst, `,"url":"`...), link...), slash...), '"')
	}
	dst = strconv.AppendInt(append(dst, `,"size":`...), e.Size, 10)
	if e.Files != 0 {
		dst = strconv.AppendInt(append(dst, `,"files":`...), int64(e.Files), 10)
	}
	dst = appendMemberTime(dst, "modified", e.ModTime)
	dst = appendMember(dst, "title", e.Title)
	dst = appendMember(dst, "description", e.Description)
	if e.seeded() || e.State == LeftOut {
		dst = appendMember(dst, "state", e.State.String())
		if e.State == Hashing && e.Progress > 0 {
			dst = strconv.AppendFloat(append(dst, `,"progress":`...), min(e.Progress, 1), 'f', -1, 64)
		}
	}
	dst = appendMember(dst, "reason", e.Reason)
	if e.State == Published && e.seeded() && e.linked() {
		dst = x.appendTorrentJSON(dst, e, link, suffix)
	}
	return append(dst, '}')
}

// appendTorrentJSON appends what the JSON form of a published e says about its
// torrent.
func (x *exchange) appendTorrentJSON(dst []byte, e *Entry, link []byte, suffix string) []byte {
	dst = appendMemberTime(dst, "published", e.Published)
	dst = append(hex.AppendEncode(append(dst, `,"infohash":"`...), e.InfoHash[:]), '"')
	dst = append(append(append(append(dst, `,"torrent":"`...), link...), suffix...), '"')
	if magnet := x.magnet(e); len(magnet) > 0 {
		dst = appendString(append(dst, `,"magnet":`...), magnet)
	}
	if !e.Peers.Known {
		return dst
	}
	dst = strconv.AppendInt(append(dst, `,"peers":{"seeds":`...), int64(e.Peers.Seeds), 10)
	dst = strconv.AppendInt(append(dst, `,"leechers":`...), int64(e.Peers.Leechers), 10)
	dst = strconv.AppendInt(append(dst, `,"completed":`...), int64(e.Peers.Completed), 10)
	if e.Peers.Copies > 0 {
		dst = strconv.AppendFloat(append(dst, `,"copies":`...), min(e.Peers.Copies, 1<<53), 'f', -1, 64)
	}
	return append(dst, '}')
}

// appendMember appends a member of an object, after a comma unless it is the
// first, or nothing if value is empty.
func appendMember(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	if dst[len(dst)-1] != '{' {
		dst = append(dst, ',')
	}
	dst = append(append(append(dst, '"'), name...), `":`...)
	return appendString(dst, value)
}

// appendMemberTime is appendMember for a time. One that JSON cannot say, or that
// is zero, is left out.
func appendMemberTime(dst []byte, name string, t time.Time) []byte {
	if t = t.UTC(); t.IsZero() || t.Year() < 0 || t.Year() > 9999 {
		return dst
	}
	dst = append(append(append(dst, `,"`...), name...), `":"`...)
	return append(t.AppendFormat(dst, time.RFC3339Nano), '"')
}

// appendString appends s as a JSON string that may stand in HTML too. What is
// not UTF-8 is replaced.
func appendString[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			if c == '"' || c == '\\' {
				dst = append(dst, '\\', c)
			} else {
				dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
		escape := ""
		switch {
		case r == utf8.RuneError && size == 1:
			escape = `\ufffd`
		case r == '\u2028':
			escape = `\u2028`
		case r == '\u2029':
			escape = `\u2029`
		default:
			i += size
			continue
		}
		dst = append(append(dst, s[start:i]...), escape...)
		i += size
		start = i
	}
	return append(append(dst, s[start:]...), '"')
}
