package storage

import (
	"context"
	"crypto/sha1"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	verifyBuffer   = 256 << 10             // bytes read at a time by one worker
	progressPeriod = 50 * time.Millisecond // between two reports
)

// Verify reads the whole content and compares it with the piece hashes of an
// info dict: pieces is one 20-byte SHA-1 after the other, one for each
// pieceLength bytes (BEP 3). It returns nil if every piece matches and every
// file, empty ones included, has its stamp.
//
// progress, if not nil, is called from the calling goroutine with the bytes
// verified so far and the total, at most 20 times a second, and a last time when
// all is verified. As many workers as GOMAXPROCS read and hash.
//
// It fails with a [CorruptError] for a piece that does not match (some such
// piece, not always the first), with the errors of [Content.ReadAt], and with
// the cause of ctx when that is done.
func (c *Content) Verify(ctx context.Context, pieceLength int64, pieces []byte, progress func(done, total int64)) error {
	if err := c.checkPieces(pieceLength, pieces); err != nil {
		return err
	}
	if err := c.checkEmpty(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	v := &verification{content: c, pieceLength: pieceLength, pieces: pieces}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(pieces)/sha1.Size) {
		workers.Go(func() {
			if err := v.work(ctx); err != nil {
				cancel(err)
			}
		})
	}
	finished := make(chan struct{})
	go func() {
		workers.Wait()
		close(finished)
	}()
	v.report(finished, progress)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if progress != nil {
		progress(c.length, c.length)
	}
	return nil
}

// checkPieces compares the number of hashes with the number of pieces.
func (c *Content) checkPieces(pieceLength int64, pieces []byte) error {
	if pieceLength <= 0 {
		return fmt.Errorf("verifying with a piece length of %d", pieceLength)
	}
	want := c.length / pieceLength
	if c.length%pieceLength > 0 {
		want++
	}
	if len(pieces)%sha1.Size != 0 || int64(len(pieces)/sha1.Size) != want {
		return fmt.Errorf("verifying %d pieces with %d bytes of hashes", want, len(pieces))
	}
	return nil
}

// checkEmpty examines the files that no piece touches.
func (c *Content) checkEmpty() error {
	for i := range c.files {
		f := &c.files[i]
		if f.Length > 0 || f.Pad {
			continue
		}
		if err := c.readFile(f, nil, 0); err != nil {
			return err
		}
	}
	return nil
}

// verification is one run of Verify, shared by its workers.
type verification struct {
	content     *Content
	pieceLength int64
	pieces      []byte
	next        atomic.Int64 // the piece to take next
	done        atomic.Int64 // bytes
}

// work verifies pieces until none is left.
func (v *verification) work(ctx context.Context) error {
	buffer := make([]byte, min(verifyBuffer, v.pieceLength))
	for {
		index := v.next.Add(1) - 1
		if index >= int64(len(v.pieces)/sha1.Size) {
			return nil
		}
		if err := v.piece(ctx, index, buffer); err != nil {
			return err
		}
	}
}

// piece verifies one piece.
func (v *verification) piece(ctx context.Context, index int64, buffer []byte) error {
	hash := sha1.New()
	begin := index * v.pieceLength
	left := min(v.pieceLength, v.content.length-begin)
	for left > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		run := buffer[:min(left, int64(len(buffer)))]
		if err := v.content.ReadAt(run, begin); err != nil {
			return err
		}
		hash.Write(run)
		begin += int64(len(run))
		left -= int64(len(run))
		v.done.Add(int64(len(run)))
	}
	var sum [sha1.Size]byte
	if string(hash.Sum(sum[:0])) != string(v.pieces[index*sha1.Size:][:sha1.Size]) {
		return &CorruptError{Piece: int(index)}
	}
	return nil
}

// report tells progress until finished.
func (v *verification) report(finished <-chan struct{}, progress func(done, total int64)) {
	if progress == nil {
		<-finished
		return
	}
	ticker := time.NewTicker(progressPeriod)
	defer ticker.Stop()
	for {
		select {
		case <-finished:
			return
		case <-ticker.C:
			progress(v.done.Load(), v.content.length)
		}
	}
}
