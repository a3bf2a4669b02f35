package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	maxQuery   = 1024 // bytes of a search
	maxWords   = 8
	maxFound   = 500
	searchTime = time.Second
	// maxWalks is how many walks through the Source go on at a time; more wait.
	maxWalks = 2
)

// finding is what was searched for, and whether that is all there is.
type finding struct {
	Query string
	Dir   string // the directory below which was searched
	Cut   bool   // there was no time or no room for all
}

// query returns the part of a link that repeats the search.
func (f *finding) query() string {
	q := "?q=" + url.QueryEscape(f.Query)
	if f.Dir != "" {
		q += "&dir=" + url.QueryEscape(f.Dir)
	}
	return q
}

// serveSearch answers /-/search?q=WORDS&dir=PATH: the files and directories
// below dir that have all of the words in their names, titles and descriptions,
// in the forms of an index.
func (x *exchange) serveSearch() {
	form := x.accept.choose(typeHTML, typeText, typeJSON)
	if form == "" {
		x.problem(http.StatusNotAcceptable, "The answer has no such form", "It is text/html, text/plain or application/json.")
		return
	}
	query := x.r.URL.Query()
	dir, ok := x.queryDir(query)
	if !ok {
		return
	}
	f := &finding{Query: query.Get("q"), Dir: dir.Path}
	words := searchWords(f.Query)
	if len(f.Query) > maxQuery || len(words) > maxWords {
		x.problem(http.StatusBadRequest, "That is too much to search for", fmt.Sprintf("Search for %d words at most.", maxWords))
		return
	}
	var found []Entry
	if len(words) > 0 {
		ctx, cancel := context.WithTimeout(x.r.Context(), searchTime)
		defer cancel()
		complete := x.walk(ctx, dir.Path, func(e *Entry) bool {
			if len(found) == maxFound {
				return false
			}
			if e.linked() && e.matches(words) {
				found = append(found, *e)
			}
			return true
		})
		f.Cut = !complete
	}
	l := x.list(Entry{Path: dir.Path, Dir: true}, found)
	l.found = f
	l.send(form)
}

// queryDir returns the directory that a query names by dir, the root if it
// names none. If there is no such directory it answers, and ok is false.
func (x *exchange) queryDir(query url.Values) (dir Entry, ok bool) {
	path := query.Get("dir")
	for name := range strings.SplitSeq(path, "/") {
		if path != "" && !servable(name) {
			x.notFound()
			return dir, false
		}
	}
	dir, ok = x.source.Lookup(path)
	if !ok || !dir.Dir || dir.State == LeftOut {
		x.notFound()
		return dir, false
	}
	return dir, true
}

// searchWords returns the words of a search in lower case.
func searchWords(query string) []string { return strings.Fields(strings.ToLower(query)) }

// matches reports whether each of words is in the name, the title or the
// description of e, in upper or lower case.
func (e *Entry) matches(words []string) bool {
	name, title, description := strings.ToLower(e.Name), strings.ToLower(e.Title), strings.ToLower(e.Description)
	for _, word := range words {
		if !strings.Contains(name, word) && !strings.Contains(title, word) && !strings.Contains(description, word) {
			return false
		}
	}
	return true
}

// walk shows visit every entry below dir whose path can be served, directories
// before what is in them, until visit returns false or ctx ends. It reports
// whether visit has seen all.
func (x *exchange) walk(ctx context.Context, dir string, visit func(e *Entry) bool) (complete bool) {
	select {
	case x.walks <- struct{}{}:
		defer func() { <-x.walks }()
	case <-ctx.Done():
		return false
	}
	dirs := []string{dir}
	for len(dirs) > 0 {
		if ctx.Err() != nil {
			return false
		}
		next := dirs[len(dirs)-1]
		dirs = dirs[:len(dirs)-1]
		entries, _ := x.source.List(next)
		for i := range entries {
			e := &entries[i]
			if !servable(e.Name) {
				continue
			}
			if !visit(e) {
				return false
			}
			if e.Dir && e.State != LeftOut {
				dirs = append(dirs, e.Path)
			}
		}
	}
	return true
}
