package web

import (
	"context"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

const (
	maxReadme  = 128 << 10       // bytes; a longer one is a file like any other and nothing more
	maxReadmes = 32              // rendered ones that are kept
	readmeWait = 2 * time.Second // an index does not wait longer for a README
)

// isReadme reports whether e is what the index of its directory shows below
// the list.
func (e *Entry) isReadme() bool {
	return !e.Dir && e.State == Published && e.Size <= maxReadme && strings.EqualFold(e.Name, "README.md")
}

// readmes keeps rendered READMEs by their content: the same one is read and
// rendered once, by the first who asks.
type readmes struct {
	mu   sync.Mutex
	kept map[readmeKey]*readme
}

// readmeKey names content: that of a file by its infohash, inside a unit also
// by its path.
type readmeKey struct {
	hash metainfo.InfoHash
	path string
}

// readme is one that is rendered, or is going to be.
type readme struct {
	done chan struct{} // closed when the rest is set
	html template.HTML
	err  error
}

// get returns what render returns, now or earlier. Errors are not kept, except
// by who waits for the same rendering.
func (rs *readmes) get(ctx context.Context, key readmeKey, render func() (template.HTML, error)) (template.HTML, error) {
	rs.mu.Lock()
	r, ok := rs.kept[key]
	if !ok {
		r = &readme{done: make(chan struct{})}
		rs.add(key, r)
	}
	rs.mu.Unlock()
	if ok {
		select {
		case <-r.done:
			return r.html, r.err
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	r.html, r.err = render()
	if r.err != nil {
		rs.mu.Lock()
		if rs.kept[key] == r {
			delete(rs.kept, key)
		}
		rs.mu.Unlock()
	}
	close(r.done)
	return r.html, r.err
}

// add keeps r, in place of any other when there are enough.
func (rs *readmes) add(key readmeKey, r *readme) {
	if rs.kept == nil {
		rs.kept = map[readmeKey]*readme{}
	}
	for other := range rs.kept {
		if len(rs.kept) < maxReadmes {
			break
		}
		delete(rs.kept, other)
	}
	rs.kept[key] = r
}

// renderReadme returns the README of the directory for the first page of its
// index, or nothing.
func (l *listing) renderReadme() template.HTML {
	for _, e := range l.entries {
		if e.isReadme() && l.pager.page == 1 {
			return l.x.readme(e)
		}
	}
	return ""
}

// readme returns the README e as HTML, or nothing if it cannot be shown now.
func (x *exchange) readme(e *Entry) template.HTML {
	key := readmeKey{hash: e.InfoHash}
	if e.In != "" {
		key.path = strings.TrimPrefix(e.Path, e.In)
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), readmeWait)
	defer cancel()
	rendered, err := x.readmes.get(ctx, key, func() (template.HTML, error) {
		source, err := x.read(ctx, e)
		if err != nil {
			return "", err
		}
		return renderMarkdown(source)
	})
	if err != nil {
		x.log.Debug("README is not shown", "path", e.Path, "err", err)
	}
	return rendered
}

// read returns all of the content of e, a small file.
func (x *exchange) read(ctx context.Context, e *Entry) ([]byte, error) {
	content, err := x.source.Open(ctx, *e)
	if err != nil {
		return nil, fmt.Errorf("opening: %w", err)
	}
	defer content.Close()
	b := make([]byte, e.Size)
	if _, err := io.ReadFull(content, b); err != nil {
		return nil, fmt.Errorf("reading: %w", err)
	}
	return b, nil
}
