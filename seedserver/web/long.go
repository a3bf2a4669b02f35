package web

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// A list is in memory as a whole while it is made, and longer if its client is slow. So few are made at a time where there may be many
// rows. When a page of HTML is sent only its rows are kept; lists as text and JSON that are longer than that are sent to few clients at
// a time, which have to take them.
const (
	maxMade     = 4
	madeWait    = 10 * time.Second // more wait so long, and are told to come again
	maxLong     = 4
	longWait    = 2 * time.Second  // likewise
	longStall   = 30 * time.Second // how long a client may take nothing
	longTime    = 5 * time.Minute  // and all of it
	longRetry   = 10 * time.Second
	longRefusal = "The list is long, and others take it now."
)

// listAs returns what is in a directory, to be made a list of a form until made is called, and to be sent until sent is, however often.
// If it cannot be had it answers, and ok is false.
func (x *exchange) listAs(form string, dir Entry) (entries []Entry, long bool, made, sent func(), ok bool) {
	sent = func() {}
	entries, made, ok = x.entries(dir)
	if long = ok && form != typeHTML && len(entries) > rowsPerPage; !long {
		return entries, false, made, sent, ok
	}
	if sent, ok = x.enter(x.longs, 0); ok {
		return entries, true, made, sent, true
	}
	entries = nil // who waits holds nothing
	made()
	if sent, ok = x.enter(x.longs, longWait); !ok {
		x.sourceFailed(dir, &BusyError{RetryAfter: longRetry, Reason: longRefusal + " It is there page by page as HTML."})
		return nil, true, made, sent, false
	}
	entries, made, ok = x.entries(dir)
	return entries, true, made, sent, ok
}

// entries returns what is in a directory, with others of many rows only until made is called. If it cannot be had it answers.
func (x *exchange) entries(dir Entry) (entries []Entry, made func(), ok bool) {
	made = func() {}
	if dir.Files > rowsPerPage {
		if made, ok = x.enter(x.made, madeWait); !ok {
			x.sourceFailed(dir, &BusyError{RetryAfter: longRetry, Reason: longRefusal})
			return nil, made, false
		}
	}
	if entries, ok = x.source.List(dir.Path); !ok {
		x.notFound()
	}
	return entries, made, ok
}

// enter takes one of some places, if there is one within wait. leave gives it back, and may be called again.
func (x *exchange) enter(places chan struct{}, wait time.Duration) (leave func(), ok bool) {
	leave = sync.OnceFunc(func() { <-places })
	select {
	case places <- struct{}{}:
		return leave, true
	default:
	}
	ctx, cancel := context.WithTimeout(x.r.Context(), wait)
	defer cancel()
	select {
	case places <- struct{}{}:
		return leave, true
	case <-ctx.Done():
		return func() {}, false
	}
}

// keepPage lets go of all entries but those that the page of HTML shows.
func (l *listing) keepPage() {
	rows := l.entries[l.pager.From:l.pager.To]
	kept := make([]Entry, len(rows), len(rows)+1)
	l.entries = make([]*Entry, len(rows))
	for i, e := range rows {
		kept[i] = *e
		l.entries[i] = &kept[i]
	}
	if l.example != nil {
		kept = append(kept, *l.example)
		l.example = &kept[len(rows)]
	}
}

// promptWriter gives up a client that does not take what is written to it.
type promptWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	end     time.Time
}

func newPromptWriter(w http.ResponseWriter) *promptWriter {
	return &promptWriter{w, http.NewResponseController(w), time.Now().Add(longTime)}
}

// Write is part of io.Writer.
func (p *promptWriter) Write(b []byte) (int, error) {
	until := time.Now().Add(longStall)
	if until.After(p.end) {
		until = p.end
	}
	_ = p.control.SetWriteDeadline(until) // where there is none, the client's own end has to do
	return p.ResponseWriter.Write(b)
}

// done lets the connection go on.
func (p *promptWriter) done() { _ = p.control.SetWriteDeadline(time.Time{}) }
