package metainfo

import (
	"context"
	"crypto/sha1"
	"hash"
	"runtime"
	"sort"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readSize           = 256 << 10 // bytes in one read: stays in the processor's cache until it is hashed
	progressInterval   = 50 * time.Millisecond
	checkpointInterval = 5 * time.Second
)

// hasher hashes the pieces of a Build. Workers draw piece numbers from next and
// each streams its piece through one small buffer, so that neither the piece
// length nor the number of pieces costs memory. A worker's results go to slots
// of their own; only finished and leading are shared, under mu.
type hasher struct {
	cfg         *BuildConfig
	sources     []*source // files that have bytes, in order
	empty       []*source // files that must have none
	total       int64
	pieceLength int64

	next   atomic.Int64 // the next piece to hash
	hashed atomic.Int64 // bytes
	pieces []byte

	mu       sync.Mutex
	finished []bool
	leading  int // pieces before the first unfinished one
}

func newHasher(cfg *BuildConfig, files []Input, total, pieceLength int64, n int) *hasher {
	done := len(cfg.Done) / sha1.Size
	h := &hasher{
		cfg:         cfg,
		total:       total,
		pieceLength: pieceLength,
		pieces:      make([]byte, n*sha1.Size),
		finished:    make([]bool, n),
		leading:     done,
	}
	copy(h.pieces, cfg.Done)
	start := min(int64(done)*pieceLength, total)
	h.next.Store(int64(done))
	h.hashed.Store(start)
	offset := int64(0)
	for _, f := range files {
		s := newSource(cfg.Name, f, offset, start)
		if f.Length == 0 {
			h.empty = append(h.empty, s)
		} else {
			h.sources = append(h.sources, s)
		}
		offset += f.Length
	}
	return h
}

// run hashes all pieces, reporting as it goes.
func (h *hasher) run(parent context.Context) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	var workers sync.WaitGroup
	start := func(work func(context.Context) error) {
		workers.Go(func() {
			h.around(func() {
				if err := work(ctx); err != nil {
					cancel(err)
				}
			})
		})
	}
	start(h.checkEmpty)
	for range h.workers() {
		start(h.work)
	}
	finished := make(chan struct{})
	go func() {
		workers.Wait()
		close(finished)
	}()
	h.report(finished)
	for _, s := range h.sources {
		s.abandon()
	}
	if ctx.Err() == nil {
		return nil
	}
	if h.cfg.Checkpoint != nil {
		h.cfg.Checkpoint(h.checkpoint())
	}
	return context.Cause(ctx)
}

// workers returns how many there are: never more than pieces to hash.
func (h *hasher) workers() int {
	n := h.cfg.Workers
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return min(n, len(h.finished)-h.leading)
}

func (h *hasher) around(work func()) {
	if h.cfg.Around == nil {
		work()
		return
	}
	h.cfg.Around(work)
}

// report calls Progress and Checkpoint until finished is closed.
func (h *hasher) report(finished <-chan struct{}) {
	progress := time.NewTicker(progressInterval)
	defer progress.Stop()
	checkpoint := time.NewTicker(checkpointInterval)
	defer checkpoint.Stop()
	shown, kept := int64(-1), len(h.cfg.Done)
	show := func() {
		if now := h.hashed.Load(); h.cfg.Progress != nil && now != shown {
			h.cfg.Progress(now, h.total)
			shown = now
		}
	}
	for show(); ; {
		select {
		case <-finished:
			show()
			return
		case <-progress.C:
			show()
		case <-checkpoint.C:
			if h.cfg.Checkpoint == nil {
				continue
			}
			if leading := h.checkpoint(); len(leading) > kept {
				h.cfg.Checkpoint(leading)
				kept = len(leading)
			}
		}
	}
}

// checkpoint returns a copy of the hashes before the first unfinished piece.
func (h *hasher) checkpoint() []byte {
	h.mu.Lock()
	leading := h.leading
	h.mu.Unlock()
	return append([]byte(nil), h.pieces[:leading*sha1.Size]...)
}

// work hashes pieces until there are no more.
func (h *hasher) work(ctx context.Context) error {
	sum := sha1.New()
	buf := make([]byte, min(readSize, h.pieceLength, h.total))
	for {
		index := int(h.next.Add(1)) - 1
		if index >= len(h.finished) {
			return nil
		}
		sum.Reset()
		if err := h.piece(ctx, index, sum, buf); err != nil {
			return err
		}
		slot := index * sha1.Size
		sum.Sum(h.pieces[slot:slot])
		h.finish(index)
	}
}

// piece feeds the bytes of one piece to sum.
func (h *hasher) piece(ctx context.Context, index int, sum hash.Hash, buf []byte) error {
	off := int64(index) * h.pieceLength
	end := min(off+h.pieceLength, h.total)
	// the first file that ends after off
	file := sort.Search(len(h.sources), func(i int) bool { return h.sources[i].end() > off })
	for off < end {
		s := h.sources[file]
		n := min(int64(len(buf)), end-off, s.end()-off)
		if h.cfg.Wait != nil {
			if err := h.cfg.Wait(ctx, int(n)); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.read(ctx, buf[:n], off-s.offset); err != nil {
			return err
		}
		sum.Write(buf[:n])
		h.hashed.Add(n)
		if off += n; off == s.end() {
			file++
		}
	}
	return nil
}

// finish marks a piece as hashed.
func (h *hasher) finish(index int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.finished[index] = true
	for h.leading < len(h.finished) && h.finished[h.leading] {
		h.leading++
	}
}

// checkEmpty looks whether the files of no bytes still have none.
func (h *hasher) checkEmpty(ctx context.Context) error {
	for _, s := range h.empty {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := s.open(ctx); err != nil {
			return err
		}
		if err := s.close(); err != nil {
			return err
		}
	}
	return nil
}
