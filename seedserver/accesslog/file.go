package accesslog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"
)

const (
	maxPending = 1 << 20     // bytes of lines that wait
	flushEvery = time.Second // or as soon as half of that waits
	fileMode   = 0o640
)

// File is a log that is written behind the back of who logs: Write returns at
// once. Its methods may be called concurrently.
type File struct {
	path   string
	logger *slog.Logger
	hurry  chan struct{} // much is waiting

	mu      sync.Mutex
	pending []byte // whole lines
	dropped int    // lines there was no room for

	writing sync.Mutex // held while lines are written; taken before mu
	out     io.Writer
	file    *os.File // out, if it is ours to close
	spare   []byte   // the memory of pending before
	failing bool
}

// Open opens the log at path for appending, and makes it, mode 0640, if there
// is none. logger hears of lines that are lost; if nil, nobody does. The caller
// runs Run, and calls Close after that.
func Open(path string, logger *slog.Logger) (*File, error) {
	f := New(nil, logger)
	f.path = path
	if err := f.Reopen(); err != nil {
		return nil, err
	}
	return f, nil
}

// New returns a File that writes to w, such as standard output, and never
// closes it.
func New(w io.Writer, logger *slog.Logger) *File {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	return &File{out: w, logger: logger, hurry: make(chan struct{}, 1)}
}

// Write takes p, one or more whole lines, to be written soon. It keeps nothing
// of p and never fails: when too much is waiting, p is dropped and counted.
func (f *File) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pending)+len(p) > maxPending {
		f.dropped++
		return len(p), nil
	}
	before := len(f.pending)
	f.pending = append(f.pending, p...)
	if before < maxPending/2 && len(f.pending) >= maxPending/2 {
		select {
		case f.hurry <- struct{}{}:
		default: // it is on its way
		}
	}
	return len(p), nil
}

// Run writes what is waiting, every second, until ctx is done, and once more
// then. It returns the cause of ctx.
func (f *File) Run(ctx context.Context) error {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			f.Flush()
			return context.Cause(ctx)
		case <-tick.C:
		case <-f.hurry:
		}
		f.Flush()
	}
}

// Flush writes what is waiting. Lines that cannot be written are lost, and
// the logger told once until it works again.
func (f *File) Flush() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.flush()
}

func (f *File) flush() {
	f.mu.Lock()
	lines, dropped := f.pending, f.dropped
	f.pending, f.dropped = f.spare[:0], 0
	f.mu.Unlock()
	f.spare = lines[:0]
	if dropped > 0 {
		f.logger.Warn("lines of a log were left out: they came faster than they could be written", "log", f.path, "lines", dropped)
	}
	if len(lines) == 0 {
		return
	}
	_, err := f.out.Write(lines)
	if err != nil && !f.failing {
		f.logger.Warn("a log cannot be written", "log", f.path, "err", err)
	}
	f.failing = err != nil
}

// Reopen writes what is waiting and opens the path anew, which may be another
// file by now. If it fails, the log goes on where it was. A File of New stays
// as it is.
func (f *File) Reopen() error {
	if f.path == "" {
		return nil
	}
	file, err := os.OpenFile(f.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, fileMode)
	if err != nil {
		return fmt.Errorf("opening a log: %w", err)
	}
	f.writing.Lock()
	defer f.writing.Unlock()
	if f.file != nil {
		f.flush()
		err = f.file.Close()
	}
	f.file, f.out = file, file
	return err
}

// Close writes what is waiting and closes the file. Lines that come later are
// lost.
func (f *File) Close() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.flush()
	f.out = io.Discard
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}
