package swarm

import (
	"context"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Bounds of what one event carries.
const (
	maxBatchOps      = 512
	maxBatchRequests = 4096
	maxBatchBlocks   = 16       // 256 KiB at most
	maxExtended      = 64 << 10 // bytes of an extended frame: handshakes and metadata requests are far below
)

// floodPause is how long nothing more is read of a peer that asks for what it may not have, or has asked for, again and again: its
// connection fills up, and others are heard meanwhile.
const floodPause = 250 * time.Millisecond

// A batch is what one read of a connection delivered: its messages in order. It is an event, and goes back to the pool when
// the loop has applied it.
type batch struct {
	p        *peer
	ops      []op
	requests []peerwire.Request // of all ops that are runs of requests
	blocks   []answer           // of all ops that are runs of blocks
	err      error              // the connection is over; nothing follows
}

// An op is one message, or several requests or blocks in a row.
type op struct {
	message  peerwire.Message // nil for requests and blocks; its bytes are a copy
	requests int              // how many of batch.requests are next
	blocks   int              // how many of batch.blocks are next
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// read hands over what the peer sends until the connection ends or the loop does.
func (p *peer) read(ctx context.Context) {
	d := peerwire.NewDecoder(p.conn, p.swarm.decoding())
	for {
		err := d.Await()
		b := batches.Get().(*batch)
		b.p, b.err = p, err
		if err == nil {
			b.fill(d)
		}
		over := b.err != nil
		if len(b.blocks) > 0 && p.swarm.receive != nil && !b.pace(ctx, p.swarm.receive) {
			b.err, over = context.Cause(ctx), true
		}
		if !p.swarm.post(b) || over {
			return
		}
		if p.floods.Load() {
			select {
			case <-time.After(floodPause):
			case <-ctx.Done():
			}
		}
	}
}

// decoding bounds what peers may send.
func (s *Swarm) decoding() peerwire.DecoderConfig {
	c := peerwire.DecoderConfig{NumPieces: s.numPieces, MaxMessage: maxExtended, MaxBlock: -1}
	if s.asks {
		c.MaxBlock = blockSize
	}
	return c
}

// fill takes the messages that d holds already.
func (b *batch) fill(d *peerwire.Decoder) {
	blocks := maxBatchBlocks
	if b.p.swarm.receive != nil {
		blocks = 1 // they wait for the limiter together, and nothing is heard of the peer meanwhile
	}
	for len(b.ops) < maxBatchOps && len(b.requests) < maxBatchRequests && len(b.blocks) < blocks {
		before := len(b.requests)
		b.requests = d.Requests(b.requests)
		if n := len(b.requests) - before; n > 0 {
			b.ops = append(b.ops, op{requests: n})
		}
		if !d.Buffered() {
			return
		}
		m, err := d.Next()
		if err != nil {
			b.err = err
			return
		}
		if block, ok := m.(peerwire.Piece); ok {
			if !b.takeIn(block) {
				b.err = errUnrequested
				return
			}
			continue
		}
		b.ops = append(b.ops, op{message: detached(m)})
	}
}

// takeIn copies a block into a buffer of the pool, or reports false: the peer owes none.
func (b *batch) takeIn(m peerwire.Piece) bool {
	if b.p.asking.owed.Add(-1) < 0 {
		return false
	}
	buf := borrow(len(m.Data))
	copy(*buf, m.Data)
	r := peerwire.Request{Index: m.Index, Begin: m.Begin, Length: uint32(len(m.Data))}
	b.blocks = append(b.blocks, answer{Request: r, buf: buf})
	if n := len(b.ops); n > 0 && b.ops[n-1].blocks > 0 {
		b.ops[n-1].blocks++
	} else {
		b.ops = append(b.ops, op{blocks: 1})
	}
	return true
}

// detached returns m with bytes of its own, and without those nobody looks at.
func detached(m peerwire.Message) peerwire.Message {
	switch m := m.(type) {
	case peerwire.BitfieldMessage:
		m.Bits = append([]byte(nil), m.Bits...)
		return m
	case peerwire.Extended:
		m.Payload = append([]byte(nil), m.Payload...)
		return m
	case peerwire.Unknown:
		m.Payload = nil
		return m
	}
	return m
}

func (b *batch) apply(l *loop, now time.Time) {
	p, requests, blocks := b.p, b.requests, b.blocks
	p.heard = now
	for _, o := range b.ops {
		if p.gone {
			break
		}
		switch {
		case o.requests > 0:
			l.requested(now, p, requests[:o.requests])
			requests = requests[o.requests:]
		case o.blocks > 0:
			for range o.blocks {
				if !p.gone {
					l.blockReceived(now, p, blocks[0])
					blocks = blocks[1:]
				}
			}
		default:
			l.received(now, p, o.message)
		}
	}
	for _, block := range blocks {
		giveBack(block.buf) // nobody is there to take it
	}
	if b.err != nil {
		l.drop(now, p, b.err)
	}
	clear(b.ops)
	clear(b.blocks)
	*b = batch{ops: b.ops[:0], requests: b.requests[:0], blocks: b.blocks[:0]}
	batches.Put(b)
}

// pace waits until the blocks may have come, and reports false if ctx ends before.
func (b *batch) pace(ctx context.Context, limiter Limiter) bool {
	total := 0
	for i := range b.blocks {
		total += int(b.blocks[i].Length)
	}
	return limiter.Wait(ctx, total) == nil
}
