package swarm

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// drainTimeout is how long one write may take, and at most drainSlack longer. A peer that reads 16 KiB in this time stays. The deadline is
// that of many writes: moving it is a walk through the runtime's timers each time.
const (
	drainTimeout = 60 * time.Second
	drainSlack   = 10 * time.Second
)

// A writer is the scratch memory of one writer goroutine. Idle peers have none: it comes from a pool.
type writer struct {
	frames   []byte
	metadata []metadataAnswer
	runs     []run         // all of one class
	parts    []run         // runs, while they are sent one by one
	next     []run         // of the same peer, to be sent after runs
	class    Class         // of runs, or of what to ask the Limiter for
	need     int           // bytes to ask the Limiter for
	sent     []run         // those of runs that could be read
	took     time.Duration // how long the last chunk took to leave
	taken    int           // bytes of blocks that the peer was sent before
	unsent   int           // bytes that may wait for it in the kernel
	early    preload       // of next
	out      peerwire.BlockRun
}

var writers = sync.Pool{New: func() any { return new(writer) }}

// write sends what the peer's outbox holds, until there is nothing more to do. It has the writer's role when it starts.
func (p *peer) write(ctx context.Context) {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	defer w.early.end()
	for {
		w.taken = int(p.uploaded.Load())
		switch p.out.take(w, p.swarm.paused.Load(), p.swarm.limited) {
		case taskDone:
			return
		case taskPace:
			granted := p.waitFor(ctx, w)
			if ctx.Err() != nil {
				p.hangUp()
				return
			}
			if !p.out.paid(w.class, granted) {
				return
			}
		case taskSend:
			if p.swarm.tells {
				p.out.leaves(w.runs)
			}
			if err := p.sendParts(w); err != nil {
				p.hangUp()
				p.out.resign()
				return
			}
		}
	}
}

// waitFor waits for the Limiter, and returns how many bytes it granted: none if ctx was done before, or the outbox relented.
func (p *peer) waitFor(ctx context.Context, w *writer) int {
	start := time.Now()
	wait, stop := context.WithCancel(ctx)
	defer stop()
	p.out.waits(stop)
	if p.swarm.pace(wait, w.class, p.stranger(), int64(w.taken), w.need) != nil {
		return 0
	}
	w.took = time.Since(start)
	p.paid.Store(true)
	return w.need
}

// hangUp ends the connection from the writer's side. The reader notices, and the loop hears of it from there.
func (p *peer) hangUp() {
	p.out.close()
	p.conn.Close()
}

// sendParts sends what w was given: to who is new, if it is lent pieces, block by block. A write returns when the kernel has all of
// it, which is no sign that anybody reads; the kernel has not all of a second or third block before somebody does.
func (p *peer) sendParts(w *writer) error {
	if !p.swarm.tells || w.taken >= provenTaking || len(w.runs) == 0 {
		return p.send(w)
	}
	w.parts = append(w.parts[:0], w.runs...)
	for _, r := range w.parts {
		for i := range r.n {
			block := r
			block.begin, block.n = r.begin+i*r.length, 1
			w.runs = append(w.runs[:0], block)
			if err := p.send(w); err != nil {
				return err
			}
			w.frames, w.metadata = w.frames[:0], w.metadata[:0]
		}
	}
	return nil
}

// send reads the blocks that w was given and writes all of it in one call.
func (p *peer) send(w *writer) error {
	w.out.AddFrames(w.frames)
	metadata := 0
	for _, a := range w.metadata {
		w.frames = a.appendTo(w.frames[:0])
		w.out.AddFrames(w.frames)
		metadata += len(a.message.Data)
	}
	if len(w.runs) == 0 {
		_, _, err := p.flush(w)
		if err == nil {
			p.swarm.metadata.Add(int64(metadata))
		}
		return err
	}
	p.boundUnsent(w.unsent)
	rushes := w.unsent == fastUnsent // the chunk is of the largest size, and so is the next
	if rushes {
		p.swarm.rushing.Add(1)
		defer p.swarm.rushing.Add(-1)
	}
	if p.swarm.ahead != nil {
		p.readAhead(w.next)
	}
	buf := p.load(w)
	defer giveBack(buf)
	if rushes {
		w.early.begin(p, w.next)
	}
	payload, took, err := p.flush(w)
	p.uploaded.Add(payload)
	p.swarm.uploaded[w.class].Add(payload)
	if err == nil {
		w.took = took
		p.swarm.metadata.Add(int64(metadata))
		if p.swarm.tells && len(w.sent) > 0 {
			p.swarm.post(&blocksSent{p: p, runs: slices.Clone(w.sent)})
		}
	}
	return err
}

// boundUnsent follows how fast the peer takes what it is sent.
func (p *peer) boundUnsent(bytes int) {
	if p.unsent != bytes {
		p.unsent = bytes
		limitUnsent(p.conn, bytes)
	}
}

// flush writes w.out, and returns how many bytes of blocks left, and how long that took.
func (p *peer) flush(w *writer) (payload int64, took time.Duration, err error) {
	if w.out.Size() == 0 {
		return 0, 0, nil
	}
	start := time.Now()
	since := start.Sub(p.swarm.epoch)
	if by := int64(since + drainTimeout); by > p.drainBy {
		p.conn.SetWriteDeadline(start.Add(drainTimeout + drainSlack))
		p.drainBy = by + int64(drainSlack)
	}
	p.writing.Store(int64(since))
	_, err = w.out.WriteTo(p.conn)
	p.writing.Store(0)
	end := time.Now()
	p.wrote.Store(int64(end.Sub(p.swarm.epoch)))
	return int64(w.out.Sent()), end.Sub(start), err
}

// load adds the blocks of w.runs to w.out, from a buffer that the caller gives back. Runs that follow each other in the content are
// one read. What cannot be read is refused.
func (p *peer) load(w *writer) *[]byte {
	s := p.swarm
	if early := w.early.take(w.runs); early != nil {
		w.sent = append(w.sent[:0], w.runs...)
		addBlocks(&w.out, w.runs, *early)
		return early
	}
	w.sent = w.sent[:0]
	total := bytesOf(w.runs)
	buf := borrow(total)
	rest := (*buf)[:total]
	for runs := w.runs; len(runs) > 0; {
		off, size, n := s.adjoining(runs)
		data := rest[:size:size]
		if err := s.cfg.Content.ReadAt(data, off); err != nil {
			p.unreadable(runs[:n], err)
		} else {
			addBlocks(&w.out, runs[:n], data)
			w.sent = append(w.sent, runs[:n]...)
		}
		rest, runs = rest[size:], runs[n:]
	}
	return buf
}

// readAhead tells the content of runs that are sent next.
func (p *peer) readAhead(runs []run) {
	for len(runs) > 0 {
		off, size, n := p.swarm.adjoining(runs)
		p.swarm.ahead.ReadAhead(off, int64(size))
		runs = runs[n:]
	}
}

// adjoining returns how many of runs, one at least, follow each other in the content, where they begin, and their bytes.
func (s *Swarm) adjoining(runs []run) (off int64, size, n int) {
	off, size, n = s.offset(runs[0]), runs[0].bytes(), 1
	for n < len(runs) && s.offset(runs[n]) == off+int64(size) {
		size += runs[n].bytes()
		n++
	}
	return off, size, n
}

func addBlocks(out *peerwire.BlockRun, runs []run, data []byte) {
	for _, r := range runs {
		for i := range r.n {
			out.Add(r.index, r.begin+i*r.length, data[:r.length])
			data = data[r.length:]
		}
	}
}

// unreadable answers the requests of runs, whose blocks the content did not give, and tells who has to know.
func (p *peer) unreadable(runs []run, err error) {
	if p.fast {
		p.out.refuse(runs)
	}
	if errors.Is(err, storage.ErrChanged) {
		p.swarm.contentChanged(err)
		return
	}
	p.swarm.post(&readFailed{p: p, piece: runs[0].index, err: err})
}

// Block buffers are of four sizes, so that a peer that takes one block at a time holds no more than that.
var (
	bufferSizes = [...]int{minChunk, 64 << 10, 256 << 10, maxChunk}
	buffers     [len(bufferSizes)]sync.Pool
)

// borrow returns a buffer of at least n bytes, at most maxChunk, to be given back by the caller.
func borrow(n int) *[]byte {
	for i, size := range bufferSizes {
		if n > size {
			continue
		}
		if b, ok := buffers[i].Get().(*[]byte); ok {
			return b
		}
		b := make([]byte, size)
		return &b
	}
	b := make([]byte, n)
	return &b
}

func giveBack(b *[]byte) {
	for i, size := range bufferSizes {
		if cap(*b) == size {
			buffers[i].Put(b)
		}
	}
}
