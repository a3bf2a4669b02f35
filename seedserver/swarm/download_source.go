package swarm

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// A Source has all of the content and is no peer: a web seed (BEP 19). It is asked for one run of bytes at a time.
type Source interface {
	// ReadAt fills p with the content from byte off on. An error that is a *RetryError says when to ask again; after any other
	// the source is not asked any more. p holds up to 4 MiB of one piece.
	ReadAt(ctx context.Context, p []byte, off int64) error
	// String names the source for people.
	String() string
}

// A RetryError is the error of a Source that has nothing now.
type RetryError struct {
	After time.Duration
	Err   error
}

// Error returns the text of Err.
func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *RetryError) Unwrap() error { return e.Err }

// Bounds of how many blocks a source is asked for at a time, and of how long that should take.
const (
	minDraw  = 4
	maxDraw  = 256
	shortest = time.Second
	longest  = 3 * time.Second
	// drawPause is when a source is asked again that nothing was to be asked of.
	drawPause = 200 * time.Millisecond
)

// A drain is a source in use. Its goroutine has all but what the loop owns.
type drain struct {
	source Source
	asks   chan []piecepicker.Block // what the loop answers; closed when it is not needed any more

	number piecepicker.Peer // the loop's
	gone   bool             // the loop's
}

// open begins to take from the sources.
func (d *download) open(now time.Time) {
	for _, source := range d.cfg.Download.Sources {
		w := &drain{source: source, asks: make(chan []piecepicker.Block, 1), number: d.asker.PeerJoined(now, netip.AddrPort{})}
		d.asker.PeerHasAll(w.number)
		d.drains[w.number] = w
		d.l.spawn(func(ctx context.Context) { w.run(ctx, d.l.swarm) })
	}
}

// run takes from the source until that is of no use any more, or ctx ends.
func (w *drain) run(ctx context.Context, s *Swarm) {
	size := 4 * minDraw
	for {
		var blocks []piecepicker.Block
		ok := s.post(&drainAsks{w, size})
		if ok {
			select {
			case blocks, ok = <-w.asks:
			case <-ctx.Done():
				return
			}
		}
		if !ok {
			return
		}
		if len(blocks) == 0 {
			sleep(ctx, drawPause)
			continue
		}
		began := time.Now()
		err := w.draw(ctx, s, blocks)
		switch elapsed := time.Since(began); {
		case err != nil || elapsed > longest:
			size = max(size/2, minDraw)
		case elapsed < shortest:
			size = min(2*size, maxDraw)
		}
		if retry, ok := errors.AsType[*RetryError](err); ok {
			sleep(ctx, retry.After)
		}
	}
}

// draw fetches blocks, run by run, and gives each to the loop or says that it is not to be had.
func (w *drain) draw(ctx context.Context, s *Swarm, blocks []piecepicker.Block) (err error) {
	length := s.cfg.Info.PieceLength
	for len(blocks) > 0 {
		n, size := 1, int64(blocks[0].Length)
		for n < len(blocks) && blocks[n].Index == blocks[0].Index && int64(blocks[n].Begin) == int64(blocks[0].Begin)+size {
			size += int64(blocks[n].Length)
			n++
		}
		e := &drained{w: w, blocks: blocks[:n]}
		blocks = blocks[n:]
		if err == nil {
			if err = w.pace(ctx, s, e.blocks); err == nil {
				e.data = make([]byte, size)
				err = w.source.ReadAt(ctx, e.data, int64(e.blocks[0].Index)*length+int64(e.blocks[0].Begin))
			}
		}
		if e.err = err; !s.post(e) {
			return err
		}
	}
	return err
}

func (w *drain) pace(ctx context.Context, s *Swarm, blocks []piecepicker.Block) error {
	if s.receive == nil {
		return nil
	}
	for _, b := range blocks {
		if err := s.receive.Wait(ctx, int(b.Length)); err != nil {
			return err
		}
	}
	return nil
}

// drainAsks says that a source may be asked for up to n blocks.
type drainAsks struct {
	w *drain
	n int
}

func (e *drainAsks) apply(l *loop, now time.Time) {
	d := l.policy.(*download)
	if e.w.gone || !d.leeching() {
		close(e.w.asks)
		return
	}
	d.tickAlone(now)
	var blocks []piecepicker.Block
	if !l.paused && !now.Before(d.retry) {
		blocks = d.asker.Ask(now, e.w.number, e.n, nil)
	}
	e.w.asks <- blocks // has room: there is one request at a time
}

// tickAlone takes rates while there is no peer for whom that is done.
func (d *download) tickAlone(now time.Time) {
	if len(d.l.peers) == 0 && now.Sub(d.l.ticked) >= busyTick {
		d.l.tick(now)
	}
}

// drained is a run of blocks that a source gave, or did not.
type drained struct {
	w      *drain
	blocks []piecepicker.Block
	data   []byte
	err    error
}

func (e *drained) apply(l *loop, now time.Time) {
	d := l.policy.(*download)
	if e.err != nil {
		for _, b := range e.blocks {
			d.asker.Rejected(e.w.number, b)
		}
		if _, ok := errors.AsType[*RetryError](e.err); !ok {
			d.shut(e.w, e.err)
		}
		d.feedAll()
		return
	}
	l.busy = true
	l.payloadIn += int64(len(e.data))
	data := e.data
	for _, b := range e.blocks {
		d.take(now, e.w.number, b, data[:b.Length])
		data = data[b.Length:]
	}
}

// take keeps a block if it is lacking, and reports that.
func (d *download) take(now time.Time, from piecepicker.Peer, b piecepicker.Block, data []byte) bool {
	got := d.asker.Received(now, from, b)
	for _, id := range got.Cancel {
		if p := d.peers[id]; p != nil { // a source is not stopped for a block
			d.l.takeBack(now, p, request(b))
		}
	}
	if got.Fate != piecepicker.Useful {
		d.wasted += int64(b.Length)
		return false
	}
	d.keep(b, data, got.Full)
	return true
}

// shut ends with a source.
func (d *download) shut(w *drain, reason error) {
	if w.gone {
		return
	}
	d.l.log.Warn("web seed is not asked any more", "url", w.source, "err", reason)
	w.gone = true
	d.asker.PeerLeft(w.number)
	delete(d.drains, w.number)
}
