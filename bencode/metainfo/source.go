package metainfo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
)

// source is a file that Build reads. It is opened when its first byte is
// wanted and closed after its last.
type source struct {
	input  Input
	name   string // for errors
	offset int64  // in the torrent
	skip   int64  // bytes of the file that Done covers
	left   atomic.Int64

	once   sync.Once
	err    error // of opening
	reader io.ReadCloser
	at     io.ReaderAt // nil if reader is none
	turns  turns
	closed bool
}

// newSource returns a file at offset; bytes before start are not read.
func newSource(name string, f Input, offset, start int64) *source {
	s := &source{
		input:  f,
		name:   strings.Join(append([]string{name}, f.Path...), "/"),
		offset: offset,
		skip:   min(max(start-offset, 0), f.Length),
	}
	s.left.Store(f.Length - s.skip)
	s.turns.position = s.skip
	return s
}

// end is the position in the torrent after the last byte.
func (s *source) end() int64 { return s.offset + s.input.Length }

// read fills p from position off of the file, and closes the file if these
// were the last bytes that anyone wants.
func (s *source) read(ctx context.Context, p []byte, off int64) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	var n int
	var err error
	if s.at != nil {
		n, err = s.at.ReadAt(p, off)
	} else if err = s.turns.await(ctx, off); err == nil {
		n, err = io.ReadFull(s.reader, p)
	}
	if n < len(p) {
		return s.readError(err)
	}
	if s.at == nil {
		s.turns.advance(off + int64(n))
	}
	if s.left.Add(int64(-n)) == 0 {
		return s.close()
	}
	return nil
}

// open opens the file if that has not been tried yet.
func (s *source) open(ctx context.Context) error {
	s.once.Do(func() {
		reader, err := s.input.Open()
		if err != nil {
			s.err = fmt.Errorf("metainfo: opening %s: %w", s.name, err)
			return
		}
		s.reader = reader
		var ok bool
		if s.at, ok = s.reader.(io.ReaderAt); !ok {
			s.err = s.discard(ctx, s.skip)
		}
	})
	return s.err
}

// discard reads over the first n bytes.
func (s *source) discard(ctx context.Context, n int64) error {
	for done := int64(0); done < n; {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		copied, err := io.CopyN(io.Discard, s.reader, min(readSize, n-done))
		done += copied
		if err != nil {
			return s.readError(err)
		}
	}
	return nil
}

// close closes the file after a look whether it goes on after its length.
func (s *source) close() error {
	var one [1]byte
	var n int
	var err error
	if s.at != nil {
		n, err = s.at.ReadAt(one[:], s.input.Length)
	} else {
		n, err = io.ReadFull(s.reader, one[:])
	}
	s.closed = true
	closeErr := s.reader.Close()
	switch {
	case n > 0:
		return &SizeError{Path: s.name, Want: s.input.Length, Longer: true}
	case err != nil && err != io.EOF:
		return s.readError(err)
	case closeErr != nil:
		return fmt.Errorf("metainfo: closing %s: %w", s.name, closeErr)
	}
	return nil
}

// abandon closes the file if it is open. No worker runs any more, and Build
// fails already: an error has no one to go to.
func (s *source) abandon() {
	if s.reader != nil && !s.closed {
		s.reader.Close()
	}
}

// readError returns the error of a read that did not get all it should.
func (s *source) readError(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &SizeError{Path: s.name, Want: s.input.Length}
	}
	return fmt.Errorf("metainfo: reading %s: %w", s.name, err)
}

// turns lets the workers read from a plain reader in the order of the bytes.
// The one with the lowest piece never waits, so the others' turns come.
type turns struct {
	mu       sync.Mutex
	position int64
	waiting  map[int64]chan struct{} // by the position waited for
}

// await blocks until the reader is at position off.
func (t *turns) await(ctx context.Context, off int64) error {
	t.mu.Lock()
	if t.position == off {
		t.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	if t.waiting == nil {
		t.waiting = make(map[int64]chan struct{})
	}
	t.waiting[off] = turn
	t.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// advance says that the reader is at position off now.
func (t *turns) advance(off int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.position = off
	if turn, ok := t.waiting[off]; ok {
		close(turn)
		delete(t.waiting, off)
	}
}
