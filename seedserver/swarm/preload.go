package swarm

import "slices"

// A preload reads the next chunk of a peer while the one before it leaves. Reading and sending are both copies of the same bytes,
// so a writer that does them in turn is no faster than one processor, and with few peers the others have nothing to do. With many
// they have, and it would only take the place of other bytes in their caches.
//
// Nothing is taken out of the outbox for it: what a peer cancels meanwhile was read for nothing. It belongs to one writer. The zero
// value holds nothing.
type preload struct {
	runs []run
	buf  *[]byte    // nil while there is nothing
	done chan error // gets the outcome of reading runs into buf
}

// begin has another goroutine read runs of p, if a processor is likely to be free for it. They are one chunk of the largest size:
// less is not worth it, and may become more before its turn.
func (e *preload) begin(p *peer, runs []run) {
	s := p.swarm
	if bytesOf(runs) != maxChunk || s.rushing.Load() > s.spare {
		return
	}
	if e.done == nil {
		e.done = make(chan error, 1)
	}
	e.runs, e.buf = append(e.runs[:0], runs...), borrow(maxChunk)
	done, mine, data := e.done, e.runs, (*e.buf)[:maxChunk]
	go func() { done <- s.readRuns(mine, data) }()
}

// take returns the blocks of runs in a buffer that is the caller's from now on, or nil if they are not what was read. It waits for
// the goroutine that begin started.
func (e *preload) take(runs []run) *[]byte {
	if e.buf == nil {
		return nil
	}
	err, buf := <-e.done, e.buf
	e.buf = nil
	if err == nil && slices.Equal(e.runs, runs) {
		return buf
	}
	giveBack(buf) // an error is met again by who reads it in its turn
	return nil
}

// end gives up what was read.
func (e *preload) end() { e.take(nil) }

// readRuns reads the blocks of runs into buf, which is as long as all of them.
func (s *Swarm) readRuns(runs []run, buf []byte) error {
	for len(runs) > 0 {
		off, size, n := s.adjoining(runs)
		if err := s.cfg.Content.ReadAt(buf[:size:size], off); err != nil {
			return err
		}
		buf, runs = buf[size:], runs[n:]
	}
	return nil
}
