package swarm

import (
	"context"
	"sync/atomic"
)

// peersPerHand is for how many peers one goroutine is kept.
const peersPerHand = 32

// A crew keeps some of the goroutines that wrote for a peer, for the next one: a new one would have to grow its stack first, which is
// a fifteenth of all that it costs to send a block to a slow peer. Those who wait hold one small stack each; a torrent that has
// nothing to send dismisses them.
type crew struct {
	jobs chan *peer   // not buffered; nil dismisses one, and closing it all of them
	idle atomic.Int32 // who waits, or is about to
}

// startWriter has somebody write for p, who has its writer's role already. It never blocks.
func (l *loop) startWriter(p *peer) {
	select {
	case l.swarm.crew.jobs <- p:
	default: // nobody waits for one
		l.spawn(func(ctx context.Context) { l.swarm.writeFor(ctx, p) })
	}
}

// dismissWriters ends those who wait.
func (l *loop) dismissWriters() {
	for {
		select {
		case l.swarm.crew.jobs <- nil:
		default:
			return
		}
	}
}

// writeFor writes for p, and then for others as long as it is kept.
func (s *Swarm) writeFor(ctx context.Context, p *peer) {
	for p != nil {
		p.write(ctx)
		if s.crew.idle.Add(1) > (s.counters.peers.Load()+peersPerHand-1)/peersPerHand {
			p = nil
		} else {
			p = <-s.crew.jobs
		}
		s.crew.idle.Add(-1)
	}
}
