package admin

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// tickEvery is how often those who listen are told what changed.
const tickEvery = time.Second

// Run keeps pages live until ctx ends, and then ends all events and returns the cause. It may be called once.
func (h *Handler) Run(ctx context.Context) error {
	defer h.hub.close()
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case now := <-tick.C:
			if h.history.due(now) {
				h.history.sample(h.cfg.Source.Sent())
			}
			h.tellAll(ctx, now)
		}
	}
}

// tellAll makes a view of each page that somebody listens to.
func (h *Handler) tellAll(ctx context.Context, now time.Time) {
	for _, page := range h.hub.heard() {
		v, err := h.view(ctx, now, page, h.sums.lately)
		if err == nil {
			err = h.hub.tell(page, now, v)
		}
		if err != nil && ctx.Err() == nil {
			h.log.Error("live changes cannot be shown", "err", err)
		}
	}
}

// look returns what a page shows: what its listeners know, if there are any, so that it misses nothing of what they are told next.
func (h *Handler) look(ctx context.Context, now time.Time, page metainfo.InfoHash) (view, error) {
	if v := h.hub.recent(page, now); v != nil {
		return v, nil
	}
	v, err := h.view(ctx, now, page, h.sums.now)
	if err == nil {
		h.hub.show(page, now, v)
	}
	return v, err
}

// view makes a new view of a page, with the sums that the given function returns.
func (h *Handler) view(ctx context.Context, now time.Time, page metainfo.InfoHash, sums func(context.Context, time.Time) (*Sums, error)) (view, error) {
	all, err := sums(ctx, now)
	if err != nil {
		return nil, err
	}
	points := h.history.points(now, page)
	if page == (metainfo.InfoHash{}) {
		return newStatusView(h.cfg.Source.Status(), all, points)
	}
	d, ok := h.cfg.Source.Torrent(page)
	return newTorrentView(now, d, ok, all, points)
}

// sumsOf asks the Source for its sums, which come from a disk.
type sumsOf struct {
	source Source
	last   atomic.Pointer[sumsAt]
}

type sumsAt struct {
	sums Sums
	took time.Duration
	next time.Time // when it is old
}

const sumsEvery = 2 * time.Second

// now asks.
func (s *sumsOf) now(ctx context.Context, now time.Time) (*Sums, error) {
	began := time.Now()
	sums, err := s.source.Sums(ctx)
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	usual := took // the shorter of two in a row: one that was held up does not make the pages stand still
	if last := s.last.Load(); last != nil {
		usual = min(took, last.took)
	}
	s.last.Store(&sumsAt{sums: sums, took: took, next: now.Add(max(sumsEvery, 200*usual))})
	return &sums, nil
}

// lately is now, but asks every two seconds only, and so seldom that it takes no more than half a percent of the time.
func (s *sumsOf) lately(ctx context.Context, now time.Time) (*Sums, error) {
	if last := s.last.Load(); last != nil && now.Before(last.next) {
		return &last.sums, nil
	}
	return s.now(ctx, now)
}

// writeTimeout is how long a listener may take for one event.
const writeTimeout = 10 * time.Second

// serveEvents sends what changes on a page until the client leaves.
func (x *exchange) serveEvents(page metainfo.InfoHash) {
	if page != (metainfo.InfoHash{}) {
		if _, ok := x.cfg.Source.Torrent(page); !ok {
			x.notFound()
			return
		}
	}
	l, ok := x.hub.join(page)
	if !ok {
		x.w.Header().Set("Retry-After", "30")
		x.text(http.StatusServiceUnavailable, "Too many pages are open.\n")
		return
	}
	defer x.hub.leave(page, l)
	header := x.w.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("X-Accel-Buffering", "no") // nginx would keep events back
	x.w.WriteHeader(http.StatusOK)
	if x.r.Method == http.MethodHead {
		return
	}
	control := http.NewResponseController(x.w)
	defer control.SetWriteDeadline(time.Time{}) // the connection may go on
	for event := []byte("retry: 2000\n\n"); ; {
		_ = control.SetWriteDeadline(time.Now().Add(writeTimeout)) // where there is none, the client's own end has to do
		if _, err := x.w.Write(event); err != nil {
			return
		}
		if control.Flush() != nil {
			return
		}
		select {
		case <-x.r.Context().Done():
			return
		case event, ok = <-l.news:
			if !ok {
				return
			}
		}
	}
}
