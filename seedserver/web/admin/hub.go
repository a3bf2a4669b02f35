package admin

import (
	"encoding/json"
	"html/template"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// A view is what a page shows at one moment.
type view interface {
	// changes returns the parts that differ from before, an earlier view of the same page.
	changes(before view) ([]part, error)
}

// part is an element of a page: its id and how it looks now. The zero part says that the page has to be asked for again.
type part struct {
	id   string
	html template.HTML
}

// hub knows who listens to which page. Pages are named by the infohash of their torrent, the status page by zero.
type hub struct {
	limit int

	mu        sync.Mutex // a leaf: held for map work only
	closed    bool
	listeners int
	pages     map[metainfo.InfoHash]*audience
}

// audience is who listens to one page, and what they know.
type audience struct {
	listeners map[*listener]struct{}
	last      view // what was told, or shown, last; nil before
	shown     time.Time
	told      time.Time // when something was sent
}

// listener gets events ready to be sent. The hub closes news when it ends, or when the listener is too slow: who asks again then
// gets the whole page.
type listener struct {
	news chan []byte
}

const (
	backlog   = 4                // events that a listener may be behind
	quiet     = 15 * time.Second // without news, until a comment shows whether a listener is still there
	viewLasts = 3 * time.Second  // how long the view that listeners know is good enough for a page
)

func newHub(limit int) *hub { return &hub{limit: limit, pages: map[metainfo.InfoHash]*audience{}} }

// join adds a listener to a page, and reports false if there are too many.
func (h *hub) join(page metainfo.InfoHash) (*listener, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.listeners >= h.limit {
		return nil, false
	}
	a := h.pages[page]
	if a == nil {
		a = &audience{listeners: map[*listener]struct{}{}}
		h.pages[page] = a
	}
	l := &listener{news: make(chan []byte, backlog)}
	a.listeners[l] = struct{}{}
	h.listeners++
	return l, true
}

// leave removes a listener, which may be gone already.
func (h *hub) leave(page metainfo.InfoHash, l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(page, l)
}

func (h *hub) remove(page metainfo.InfoHash, l *listener) {
	a := h.pages[page]
	if a == nil {
		return
	}
	if _, there := a.listeners[l]; !there {
		return
	}
	delete(a.listeners, l)
	close(l.news)
	h.listeners--
	if len(a.listeners) == 0 {
		delete(h.pages, page)
	}
}

// close ends all listeners.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for page, a := range h.pages {
		for l := range a.listeners {
			h.remove(page, l)
		}
	}
}

// size counts the listeners.
func (h *hub) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.listeners
}

// heard lists the pages that somebody listens to.
func (h *hub) heard() []metainfo.InfoHash {
	h.mu.Lock()
	defer h.mu.Unlock()
	heard := make([]metainfo.InfoHash, 0, len(h.pages))
	for page := range h.pages {
		heard = append(heard, page)
	}
	return heard
}

// recent returns what the listeners of a page know, nil if there are none or it is old. A page that is made of it misses nothing
// of what they are told next.
func (h *hub) recent(page metainfo.InfoHash, now time.Time) view {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.pages[page]; a != nil && a.last != nil && now.Sub(a.shown) < viewLasts {
		return a.last
	}
	return nil
}

// show makes v what the listeners of a page know, if nothing is.
func (h *hub) show(page metainfo.InfoHash, now time.Time, v view) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if a := h.pages[page]; a != nil && a.last == nil {
		a.last, a.shown = v, now
	}
}

// tell sends what differs in v to all who listen to a page. Only one goroutine calls it.
func (h *hub) tell(page metainfo.InfoHash, now time.Time, v view) error {
	h.mu.Lock()
	a := h.pages[page]
	if a == nil {
		h.mu.Unlock()
		return nil
	}
	before := a.last
	h.mu.Unlock()

	var parts []part
	if before != nil {
		var err error
		if parts, err = v.changes(before); err != nil {
			return err
		}
	}
	event := encode(parts)

	h.mu.Lock()
	defer h.mu.Unlock()
	a.last, a.shown = v, now
	if event == nil && now.Sub(a.told) < quiet {
		return nil
	}
	if event == nil {
		event = []byte(":\n\n")
	}
	a.told = now
	for l := range a.listeners {
		select {
		case l.news <- event:
		default:
			h.remove(page, l)
		}
	}
	return nil
}

// encode makes one event of parts, nil if there are none.
func encode(parts []part) []byte {
	if len(parts) == 0 {
		return nil
	}
	pairs := make([][2]string, len(parts))
	for i, p := range parts {
		pairs[i] = [2]string{p.id, string(p.html)}
	}
	b, _ := json.Marshal(pairs) // strings
	return append(append([]byte("data: "), b...), "\n\n"...)
}
