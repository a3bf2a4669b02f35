package storage

import (
	"context"
	"crypto/sha1"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Check reads the pieces that the files hold already and returns those that have their hash, as the bytes of a BITFIELD: the
// first in the highest bit of the first byte (BEP 3). pieceLength and pieces are those of the info dict. Pieces of which
// known says that it knows are not read; it may be nil. Pieces of files that are not there cost nothing.
//
// progress, if not nil, is called from the calling goroutine with the bytes seen so far and the total, at most 20 times a
// second, and a last time. It fails with the cause of ctx when that is done, and for a number of hashes that does not fit.
func (t *Target) Check(ctx context.Context, pieceLength int64, pieces []byte, known func(piece int) (good, known bool),
	progress func(done, total int64)) ([]byte, error) {
	if err := (&Content{length: t.length}).checkPieces(pieceLength, pieces); err != nil {
		return nil, err
	}
	c := &check{target: t, pieceLength: pieceLength, pieces: pieces, known: known}
	n := len(pieces) / sha1.Size
	c.good = make([]atomic.Bool, n)
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		workers.Go(func() { c.work(ctx) })
	}
	finished := make(chan struct{})
	go func() {
		workers.Wait()
		close(finished)
	}()
	c.report(finished, progress)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	bits := make([]byte, (n+7)/8)
	for i := range n {
		if c.good[i].Load() {
			bits[i/8] |= 0x80 >> (i % 8)
		}
	}
	return bits, nil
}

// check is one run of Check, shared by its workers.
type check struct {
	target      *Target
	pieceLength int64
	pieces      []byte
	known       func(int) (good, known bool)
	good        []atomic.Bool
	next, done  atomic.Int64 // the piece to take next; bytes
}

func (c *check) work(ctx context.Context) {
	buffer := make([]byte, min(verifyBuffer, c.pieceLength))
	for ctx.Err() == nil {
		i := c.next.Add(1) - 1
		if i >= int64(len(c.good)) {
			return
		}
		size := min(c.pieceLength, c.target.length-i*c.pieceLength)
		good, known := false, false
		if c.known != nil {
			good, known = c.known(int(i))
		}
		if !known {
			good = c.piece(ctx, i, size, buffer)
		}
		c.good[i].Store(good)
		c.done.Add(size)
	}
}

// piece reports whether one piece has its hash.
func (c *check) piece(ctx context.Context, index, size int64, buffer []byte) bool {
	hash := sha1.New()
	for off, end := index*c.pieceLength, index*c.pieceLength+size; off < end; {
		run := buffer[:min(end-off, int64(len(buffer)))]
		if ctx.Err() != nil || c.target.ReadAt(run, off) != nil {
			return false
		}
		hash.Write(run)
		off += int64(len(run))
	}
	var sum [sha1.Size]byte
	return string(hash.Sum(sum[:0])) == string(c.pieces[index*sha1.Size:][:sha1.Size])
}

func (c *check) report(finished <-chan struct{}, progress func(done, total int64)) {
	if progress == nil {
		<-finished
		return
	}
	ticker := time.NewTicker(progressPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			progress(c.done.Load(), c.target.length)
			return
		case <-ticker.C:
			progress(c.done.Load(), c.target.length)
		}
	}
}
