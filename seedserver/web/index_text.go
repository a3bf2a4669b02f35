package web

import (
	"fmt"
	"strconv"
	"strings"
)

// summary says what the listing comes to: "3 directories, 42 files, 1.5 GiB".
func (l *listing) summary() string {
	var parts []byte
	if l.dirs > 0 {
		parts = append(appendCount(parts, l.dirs, "directory"), ", "...)
	}
	if l.files > 0 || l.dirs == 0 {
		parts = append(appendCount(parts, l.files, "file"), ", "...)
	}
	return string(appendSize(parts, l.bytes))
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
	size, changed, state := "-", "-", "-"
	if e.Size > 0 || e.State == Empty {
		size = strconv.FormatInt(e.Size, 10)
	}
	if !e.ModTime.IsZero() {
		changed = string(appendTime(nil, e.ModTime))
	}
	if e.seeded() || e.State == LeftOut {
		state = e.State.String()
		if e.State == Hashing {
			state += " " + strconv.Itoa(percent(e.Progress)) + "%"
		}
	}
	name := visible(e.Name)
	if l.found != nil {
		name = visible(e.Path)
	}
	if e.Dir {
		name += "/"
	}
	return fmt.Appendf(dst, "%15s  %-16s  %-12s  %s\n", size, changed, state, name)
}

func (l *listing) textBottom() []byte {
	if l.example == nil || !l.example.seeded() {
		return nil
	}
	return fmt.Appendf(nil, "# download one: %s\n", aria2c(l.x.torrentURL(*l.example)))
}
