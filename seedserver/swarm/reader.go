package swarm

import (
	"sync"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Bounds of what one event carries.
const (
	maxBatchOps      = 512
	maxBatchRequests = 4096
	maxExtended      = 64 << 10 // bytes of an extended frame: handshakes and metadata requests are far below
)

// A batch is what one read of a connection delivered: its messages in order. It is an event, and goes back to the pool when
// the loop has applied it.
type batch struct {
	p        *peer
	ops      []op
	requests []peerwire.Request // of all ops that are runs of requests
	err      error              // the connection is over; nothing follows
}

// An op is one message, or several requests in a row.
type op struct {
	message  peerwire.Message // nil for requests; its bytes are a copy
	requests int              // how many of batch.requests are next
}

var batches = sync.Pool{New: func() any { return new(batch) }}

// read hands over what the peer sends until the connection ends or the loop does.
func (p *peer) read() {
	d := peerwire.NewDecoder(p.conn, peerwire.DecoderConfig{
		NumPieces:  p.swarm.numPieces,
		MaxMessage: maxExtended,
		MaxBlock:   -1, // we ask nobody for blocks
	})
	for {
		err := d.Await()
		b := batches.Get().(*batch)
		b.p, b.err = p, err
		if err == nil {
			b.fill(d)
		}
		over := b.err != nil
		if !p.swarm.post(b) || over {
			return
		}
	}
}

// fill takes the messages that d holds already.
func (b *batch) fill(d *peerwire.Decoder) {
	for len(b.ops) < maxBatchOps && len(b.requests) < maxBatchRequests {
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
		b.ops = append(b.ops, op{message: detached(m)})
	}
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
	p, requests := b.p, b.requests
	p.heard = now
	for _, o := range b.ops {
		if p.gone {
			break
		}
		if o.message == nil {
			l.requested(now, p, requests[:o.requests])
			requests = requests[o.requests:]
			continue
		}
		l.received(now, p, o.message)
	}
	if b.err != nil {
		l.drop(now, p, b.err)
	}
	clear(b.ops)
	*b = batch{ops: b.ops[:0], requests: b.requests[:0]}
	batches.Put(b)
}
