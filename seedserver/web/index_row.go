package web

import (
	"strconv"
	"strings"
)

// maxTeaser bounds what a row shows of a description, in bytes.
const maxTeaser = 200

// appendHTMLRow appends the row of e. Rows are made here and not by a template
// because there can be a thousand of them: a template takes ten times as long.
// Links are of unreserved characters only; all else goes through appendHTML.
func (l *listing) appendHTMLRow(dst []byte, _ int, e *Entry) []byte {
	kind := "file"
	switch {
	case !e.linked():
		kind = "out"
	case e.Unit:
		kind = "unit"
	case e.Dir:
		kind = "dir"
	}
	dst = append(append(append(dst, `<tr class="`...), kind...), `"><td role="rowheader" class="name">`...)
	dst, link := l.appendRowName(dst, e)
	dst = appendAbout(dst, e)
	dst = append(dst, `</td><td class="size"`...)
	if e.Size > 0 || e.State == Empty {
		dst = strconv.AppendInt(append(dst, ` data-n="`...), e.Size, 10)
		dst = appendSize(append(dst, `">`...), e.Size)
	} else {
		dst = append(dst, '>')
	}
	dst = append(dst, `</td><td class="date"`...)
	if !e.ModTime.IsZero() {
		dst = strconv.AppendInt(append(dst, ` data-n="`...), e.ModTime.UnixMicro(), 10)
		dst = append(dst, '"')
	}
	dst = appendTime(append(dst, '>'), e.ModTime)
	dst = l.appendRowState(append(dst, `</td><td class="state">`...), e)
	dst = append(dst, `</td>`...)
	dst = l.appendRowPeers(dst, e)
	dst = append(dst, `<td class="get">`...)
	if link != nil {
		dst = l.appendRowGet(dst, e, link)
	}
	return append(dst, "</td></tr>\n"...)
}

// appendRowName appends the name of e as a link. link is its address, a part of
// dst, or nil if it has none.
func (l *listing) appendRowName(dst []byte, e *Entry) (_, link []byte) {
	name, slash := e.Name, ""
	if l.found != nil {
		name = e.Path
	}
	if e.Dir {
		slash = "/"
	}
	if !e.linked() {
		dst = append(appendHTML(append(dst, `<span><bdi>`...), visible(name)), slash...)
		return append(dst, `</bdi></span>`...), nil
	}
	dst = append(dst, `<a href="`...)
	start := len(dst)
	dst = l.appendAddress(dst, e)
	link = dst[start:]
	dst = append(append(dst, slash...), `"><bdi>`...)
	dst = append(appendHTML(dst, visible(name)), slash...)
	return append(dst, `</bdi></a>`...), link
}

// appendAddress appends the relative link to e, without a slash at the end.
func (l *listing) appendAddress(dst []byte, e *Entry) []byte {
	if l.found != nil {
		return append(dst, l.x.href(e.Path)...)
	}
	return appendEscaped(dst, e.Name)
}

// appendAbout appends what a row shows of the title and the description of e.
func appendAbout(dst []byte, e *Entry) []byte {
	if e.Title == "" && e.Description == "" {
		return dst
	}
	dst = append(dst, `<div class="about"><bdi>`...)
	if e.Title != "" {
		dst = append(appendHTML(append(dst, `<b>`...), visible(teaser(e.Title))), `</b>`...)
		if e.Description != "" {
			dst = append(dst, ` – `...)
		}
	}
	dst = appendHTML(dst, visible(teaser(strings.Join(strings.Fields(e.Description), " "))))
	return append(dst, `</bdi></div>`...)
}

// teaser returns the start of text.
func teaser(text string) string {
	if len(text) <= maxTeaser {
		return text
	}
	cut := maxTeaser
	if space := strings.LastIndexByte(text[:cut], ' '); space > cut/2 {
		cut = space
	}
	return strings.ToValidUTF8(text[:cut], "") + "…"
}

// appendRowState appends what the index says about the state of e.
func (l *listing) appendRowState(dst []byte, e *Entry) []byte {
	switch {
	case !servable(e.Name):
		dst = append(dst, `its name has a backslash, which has no place in a URL`...)
	case e.seeded() || e.State == LeftOut:
		dst = appendState(dst, e)
	case e.Dir && e.Files > 0:
		dst = appendCount(dst, e.Files, "file")
	}
	return dst
}

// appendRowPeers appends the cells that count the swarm of e, as many as
// columns has for it.
func (l *listing) appendRowPeers(dst []byte, e *Entry) []byte {
	published := e.seeded() && e.State == Published
	if l.peers.Copies > 0 {
		dst = append(dst, `<td class="n copies">`...)
		if published && e.Peers.Copies > 0 {
			dst = strconv.AppendFloat(dst, e.Peers.Copies, 'f', 1, 64)
		}
		dst = append(dst, `</td>`...)
	}
	if !l.peers.Known {
		return dst
	}
	for _, cell := range []struct {
		open string
		n    int
	}{
		{`<td class="n seeds">`, e.Peers.Seeds}, {`<td class="n leechers">`, e.Peers.Leechers}, {`<td class="n completed">`, e.Peers.Completed},
	} {
		dst = append(dst, cell.open...)
		if published && e.Peers.Known {
			dst = strconv.AppendInt(dst, int64(cell.n), 10)
		}
		dst = append(dst, `</td>`...)
	}
	return dst
}

// appendRowGet appends the ways to get e. link is its address.
func (l *listing) appendRowGet(dst []byte, e *Entry, link []byte) []byte {
	state := e.State
	if state == Published && e.seeded() {
		dst = append(append(dst, `<a href="`...), link...)
		dst = append(append(dst, l.suffix(e)...), `">torrent</a> `...)
		if magnet := l.x.magnet(e); len(magnet) > 0 {
			dst = appendHTML(append(dst, `<a href="`...), magnet)
			dst = append(dst, `">magnet</a> `...)
		}
	}
	if (state == Published || state == Empty) && l.x.cfg.plain(e) {
		dst = append(append(append(dst, `<a href="`...), link...), `">plain</a> `...)
	}
	if state == Published && (!e.Dir || e.Unit) {
		dst = append(append(append(dst, `<a href="`...), link...), `?page">details</a>`...)
	}
	return dst
}

// magnet returns the magnet link of e in memory that the next call uses again,
// nothing if e has none.
func (x *exchange) magnet(e *Entry) []byte {
	magnet := x.source.Magnet(*e, x.via)
	if !magnet.HasInfoHash {
		return nil
	}
	x.scratch = magnet.AppendTo(x.scratch[:0])
	return x.scratch
}
