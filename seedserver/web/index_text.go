package web

import (
	"fmt"
	"strconv"
	"strings"
)

// summary says what the listing comes to: "3 directories, 42 files, 1.5 GiB;
// others: 7 seeds, 1 leecher, 20 completed". Others are all but this server.
func (l *listing) summary() string {
	var parts []byte
	if l.dirs > 0 {
		parts = append(appendCount(parts, l.dirs, "directory"), ", "...)
	}
	if l.files > 0 || l.dirs == 0 {
		parts = append(appendCount(parts, l.files, "file"), ", "...)
	}
	parts = appendSize(parts, l.bytes)
	if swarms := l.peers; swarms.Known {
		swarms.Copies = 0 // those of different files do not add up
		parts = append(append(parts, "; others: "...), peersText(swarms)...)
	}
	return string(parts)
}

// textTop starts the plain text form: a line for each entry with its size in
// bytes, the time of its last change in UTC, its state and, to the end of the
// line, its name. Lines that start with # are for people.
func (l *listing) textTop() []byte {
	top := fmt.Appendf(nil, "# /%s: %s\n", strings.TrimPrefix(visible(l.dir.Path)+"/", "/"), l.summary())
	if l.found != nil {
		top = fmt.Appendf(nil, "# %s: %s\n", visible(l.found.Query), l.summary())
	}
	if l.dir.Title != "" {
		top = fmt.Appendf(top, "# %s\n", visible(l.dir.Title))
	}
	if l.dir.Unit && l.dir.State == Published {
		top = fmt.Appendf(top, "# one torrent: %s\n", l.x.torrentURL(l.dir))
	}
	return fmt.Appendf(top, "#%14s  %-16s  %-12s  %s\n", "bytes", "modified (UTC)", "state", "name")
}

func (l *listing) appendTextRow(dst []byte, _ int, e *Entry) []byte {
	var cell [64]byte
	size, changed, state := append(cell[:0], '-'), "-", "-"
	if e.Size > 0 || e.State == Empty {
		size = strconv.AppendInt(cell[:0], e.Size, 10)
	}
	dst = append(append(dst, spaces[:max(0, 15-len(size))]...), size...)
	dst = append(dst, "  "...)
	if !e.ModTime.IsZero() {
		changed = string(appendTime(cell[:0], e.ModTime))
	}
	dst = appendPadded(dst, changed, 16)
	if e.seeded() || e.State == LeftOut {
		state = e.State.String()
		if e.State == Hashing {
			state += " " + strconv.Itoa(percent(e.Progress)) + "%"
		}
	}
	dst = appendPadded(dst, state, 12)
	name := e.Name
	if l.found != nil {
		name = e.Path
	}
	dst = append(dst, visible(name)...)
	if e.Dir {
		dst = append(dst, '/')
	}
	return append(dst, '\n')
}

const spaces = "                "

// appendPadded appends a column of the given width and what parts it from the
// next one.
func appendPadded(dst []byte, s string, width int) []byte {
	dst = append(dst, s...)
	return append(append(dst, spaces[:max(0, width-len(s))]...), "  "...)
}

func (l *listing) textBottom() []byte {
	if l.example == nil || !l.example.seeded() {
		return nil
	}
	return fmt.Appendf(nil, "# download one: %s\n", aria2c(l.x.torrentURL(*l.example)))
}
