package peerwire

import (
	"io"
	"net"
)

// A BlockRun is a run of blocks, and any frames between them, that leaves in one system call: the headers from one small
// buffer of its own, the blocks from where the caller holds them, uncopied. The zero value is an empty run. Filled and written
// again and again it stops allocating. It belongs to one goroutine.
type BlockRun struct {
	own    []byte  // control frames and piece headers, in order
	blocks []block // what goes between them
	data   int     // bytes of all blocks
	sent   int     // bytes of blocks that the last WriteTo wrote

	vectors [][]byte    // what one write is made of; kept for its memory
	out     net.Buffers // the part of vectors not yet written; a field, so that writing it allocates nothing
}

// block is a caller's buffer that goes out after own[:after].
type block struct {
	after int
	data  []byte
}

// AddFrames adds whole encoded frames, as the Append functions make them, behind what the run holds; frames is copied.
func (b *BlockRun) AddFrames(frames []byte) { b.own = append(b.own, frames...) }

// Add adds the [Piece] frame of data, the block of piece index at begin. data stays the caller's, who leaves it alone until
// [BlockRun.WriteTo] or [BlockRun.Reset] has returned.
func (b *BlockRun) Add(index, begin uint32, data []byte) {
	b.own = AppendPieceHeader(b.own, index, begin, len(data))
	b.blocks = append(b.blocks, block{after: len(b.own), data: data})
	b.data += len(data)
}

// Blocks returns the number of blocks in the run.
func (b *BlockRun) Blocks() int { return len(b.blocks) }

// Payload returns the bytes of the blocks in the run, headers and other frames left out: what counts as uploaded.
func (b *BlockRun) Payload() int { return b.data }

// Size returns all bytes of the run, as [BlockRun.WriteTo] writes them.
func (b *BlockRun) Size() int { return len(b.own) + b.data }

// WriteTo writes the run to w and empties it, whatever the outcome: the blocks are the caller's again. n counts all bytes
// written; after an error the connection is of no more use, since a frame may have been cut. To a [*net.TCPConn] or another
// connection of package net it is one writev for up to 1024 pieces of memory, about 500 blocks; a wrapper hides that, and
// gets a Write for each.
func (b *BlockRun) WriteTo(w io.Writer) (n int64, err error) {
	b.vectors = b.vectors[:0]
	from := 0
	for _, k := range b.blocks {
		if from < k.after {
			b.vectors = append(b.vectors, b.own[from:k.after])
		}
		from = k.after
		if len(k.data) > 0 {
			b.vectors = append(b.vectors, k.data)
		}
	}
	if from < len(b.own) {
		b.vectors = append(b.vectors, b.own[from:])
	}
	b.out = b.vectors
	n, err = b.out.WriteTo(w)
	b.sent = b.data
	if err != nil {
		b.sent = b.payloadOf(n)
	}
	b.Reset()
	return n, err
}

// Sent returns the bytes of blocks that the last [BlockRun.WriteTo] wrote: all of them, unless it failed.
func (b *BlockRun) Sent() int { return b.sent }

// payloadOf returns how many of the first n bytes of the run are of blocks.
func (b *BlockRun) payloadOf(n int64) (payload int) {
	for _, k := range b.blocks {
		begun := n - int64(k.after) - int64(payload)
		if begun <= 0 {
			break
		}
		payload += int(min(begun, int64(len(k.data))))
	}
	return payload
}

// Reset empties the run without writing it, and lets go of the callers' buffers.
func (b *BlockRun) Reset() {
	clear(b.blocks)
	clear(b.vectors)
	b.own, b.blocks, b.vectors, b.data, b.out = b.own[:0], b.blocks[:0], b.vectors[:0], 0, nil
}
