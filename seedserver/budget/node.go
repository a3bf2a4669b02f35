package budget

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	burstsPerSecond = 20               // a bucket holds the bytes of 1/20 s
	minTurn         = 16 << 10         // bytes passed before another child's turn: one block (BEP 3)
	minSleep        = time.Millisecond // the bucket makes up for what is slept too long
)

// Node is one limit in a tree of limits. The zero value and nil are nodes
// without limit and parent. Any number of goroutines may use a node.
type Node struct {
	parent *Node
	rate   atomic.Int64 // bytes per second; 0: unlimited
	weight atomic.Int64 // of what waits at this node; 0 is 1
	queue  queue        // who draws from the bucket next

	upward flow // the node's share of its parent; guarded by the parent's queue
	direct flow // the share of those who wait at this node itself; guarded by queue

	mu     sync.Mutex
	bucket *rate.Limiter // nil until a limit is set
	credit int           // bytes given back by who did not send them
}

// New returns a node below parent, which may be nil, that lets bytesPerSecond
// pass. If bytesPerSecond is zero or negative, the node itself does not limit;
// the nodes above it still do.
func New(parent *Node, bytesPerSecond int64) *Node {
	n := &Node{parent: parent}
	n.SetRate(bytesPerSecond)
	return n
}

// Rate returns bytes per second, 0 if the node does not limit.
func (n *Node) Rate() int64 {
	if n == nil {
		return 0
	}
	return n.rate.Load()
}

// SetRate changes the limit. If bytesPerSecond is zero or negative, the node
// does not limit any more. Those who wait already are held to the new rate
// within a twentieth of a second, or the time of one byte at the old rate if
// that is longer.
func (n *Node) SetRate(bytesPerSecond int64) {
	bytesPerSecond = max(bytesPerSecond, 0)
	n.mu.Lock()
	defer n.mu.Unlock()
	if bytesPerSecond > 0 {
		limit, burst := rate.Limit(bytesPerSecond), burstOf(bytesPerSecond)
		if n.bucket == nil {
			n.bucket = rate.NewLimiter(limit, burst)
		} else {
			n.bucket.SetLimit(limit)
			n.bucket.SetBurst(burst)
		}
	}
	n.rate.Store(bytesPerSecond)
}

// SetWeight makes a byte that waits at n itself count for a weight-th of one where it competes, at n and at all nodes above: one that
// others wait for too gives n so many times as much as a node of weight 1, if there are always more who wait at n. A new node has weight 1; zero and less are 1.
func (n *Node) SetWeight(weight int) { n.weight.Store(int64(weight)) }

// burstOf returns how many bytes the bucket of a rate holds.
func burstOf(bytesPerSecond int64) int {
	return int(min(max(bytesPerSecond/burstsPerSecond, 1), math.MaxInt32))
}

// Wait blocks until n and all nodes above it have let the given number of bytes
// pass, or ctx is done; then it returns the cause of ctx, and what was let pass
// so far is given back. Many bytes are split, so that others get their turn in
// between. Wait returns nil at once if bytes is zero or negative; where nothing
// limits, it does so without looking at ctx.
func (n *Node) Wait(ctx context.Context, bytes int) error {
	if bytes <= 0 || n == nil {
		return nil
	}
	share, weight := &n.direct, max(1, int(n.weight.Load()))
	for at := n; at != nil; share, at = &at.upward, at.parent {
		if at.rate.Load() == 0 {
			continue
		}
		if err := at.pass(ctx, share, bytes, weight); err != nil {
			for below := n; below != at; below = below.parent {
				below.giveBack(bytes)
			}
			return err
		}
	}
	return nil
}

// pass lets bytes of a weight through this node alone, turn by turn.
func (n *Node) pass(ctx context.Context, share *flow, bytes, weight int) error {
	for passed := 0; passed < bytes; {
		turn := min(bytes-passed, max(burstOf(n.rate.Load()), minTurn))
		err := n.queue.enter(ctx, share, (turn+weight-1)/weight)
		if err == nil {
			err = n.draw(ctx, turn)
			n.queue.leave()
		}
		if err != nil {
			n.giveBack(passed)
			return err
		}
		passed += turn
	}
	return nil
}

// draw takes bytes out of the bucket, sleeping until they are there. Only whose
// turn it is draws, so a reservation that is cancelled is the last one made and
// goes back whole.
func (n *Node) draw(ctx context.Context, bytes int) error {
	for drawn := n.takeCredit(bytes); drawn < bytes && n.rate.Load() > 0; {
		now := time.Now()
		part := min(bytes-drawn, n.bucket.Burst())
		reservation := n.bucket.ReserveN(now, part)
		if !reservation.OK() {
			continue // SetRate has just made the bucket smaller
		}
		if err := sleep(ctx, reservation.DelayFrom(now)); err != nil {
			reservation.Cancel()
			n.giveBack(drawn)
			return err
		}
		drawn += part
	}
	return nil
}

// giveBack keeps bytes that were drawn and not sent for whoever draws next, as
// many as pass in one turn.
func (n *Node) giveBack(bytes int) {
	limit := n.rate.Load()
	if limit == 0 {
		return
	}
	n.mu.Lock()
	n.credit = min(n.credit+bytes, max(burstOf(limit), minTurn))
	n.mu.Unlock()
}

// takeCredit returns how many of bytes were given back before.
func (n *Node) takeCredit(bytes int) int {
	n.mu.Lock()
	taken := min(bytes, n.credit)
	n.credit -= taken
	n.mu.Unlock()
	return taken
}

// sleep waits for d, or fails with the cause of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(max(d, minSleep))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
