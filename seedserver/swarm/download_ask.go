package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
)

// Bounds of how many blocks a peer is asked for before it sends them.
const (
	minPipe = 16
	maxPipe = 500
	// pipeTime is for how long what a peer was asked for should last at its rate: a round trip of any line, and the time
	// that a busy client takes to look at requests.
	pipeTime = 2 * time.Second
	// askTimeout is when a request is given up for good; who is slow is found out long before.
	askTimeout = 5 * time.Minute
)

// A pipe is how much is asked of one peer in advance: the bandwidth-delay product of its line. Like a new TCP connection it doubles
// as long as that makes blocks come faster.
type pipe struct {
	size    int   // blocks
	steady  bool  // doubling helps no more
	fastest int64 // bytes per second
}

// depth returns how many blocks may be pending.
func (b *pipe) depth() int { return min(max(b.size, minPipe), maxPipe) }

// grow notes a block that came.
func (b *pipe) grow() {
	if !b.steady {
		b.size = min(max(b.size, minPipe)+1, maxPipe)
	}
}

// adapt takes the rate of the peer, once a second.
func (b *pipe) adapt(rate int64) {
	if rate == 0 {
		*b = pipe{}
		return
	}
	b.steady = b.size >= maxPipe || b.fastest > 0 && rate < b.fastest+b.fastest/8
	b.fastest = max(b.fastest-b.fastest/16, rate)
	if b.steady {
		b.size = int(rate * int64(pipeTime/time.Millisecond) / 1000 / blockSize)
	}
}

// askFor asks p for as much as should be on its way. Requests go out in runs: one at a time they would each cost a packet.
func (d *download) askFor(now time.Time, p *peer) {
	if p.gone || p.asking.choked || d.l.paused || !d.leeching() || now.Before(d.retry) {
		return
	}
	depth := min(p.pipe.depth(), p.mayQueue())
	room := depth - len(p.asking.pending)
	if room <= 0 || room < depth/8 && len(p.asking.pending) > 0 {
		return
	}
	d.blocks = d.asker.Ask(now, p.number, room, d.blocks[:0])
	if len(d.blocks) == 0 {
		return
	}
	d.requests = d.requests[:0]
	for _, b := range d.blocks {
		d.requests = append(d.requests, request(b))
	}
	sent := d.l.ask(now, p, d.requests, askTimeout)
	for _, b := range d.blocks[sent:] {
		d.asker.Rejected(p.number, b)
	}
}

func request(b piecepicker.Block) peerwire.Request {
	return peerwire.Request{Index: b.Index, Begin: b.Begin, Length: b.Length}
}

// choking is told that p began or ceased to choke us.
func (d *download) choking(_ time.Time, p *peer) {
	p.pipe = pipe{}
	if p.asking.choked {
		if !p.fast {
			d.asker.PeerChoked(p.number)
		}
		return
	}
	d.feed(p)
}

// allowed is of no use to us: what may be asked for while choked is little, and the choke ends soon or never.
func (d *download) allowed(time.Time, *peer, uint32) {}

// answered takes a block, or its loss.
func (d *download) answered(now time.Time, p *peer, a answer) {
	b := piecepicker.Block{Index: a.Index, Begin: a.Begin, Length: a.Length}
	if a.buf == nil {
		if a.how != blockChoked { // which the asker knows, and that the block may still come
			d.asker.Rejected(p.number, b)
		}
		if a.how == blockRejected {
			p.rejects++ // one that refuses everything is asked again when the others are
		}
		if p.rejects < maxRejects {
			d.feed(p)
		}
		d.feedAll()
		return
	}
	p.rejects = 0
	p.pipe.grow()
	if d.take(now, p.number, b, a.data()) {
		d.choker.Received(p, int64(a.Length))
	}
	giveBack(a.buf)
	d.feed(p)
}

// maxRejects is how many requests in a row a peer may refuse before it is asked less eagerly: once a second.
const maxRejects = 32
