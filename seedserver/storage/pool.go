package storage

import (
	"os"
	"sync"
	"sync/atomic"
)

// Bounds of the default number of descriptors; see [NewPool].
const (
	minDescriptors = 8
	maxDescriptors = 16 << 10
)

// Pool holds the open descriptors of all contents and bounds their number. When
// it is full, a descriptor that was not used lately is closed to make room
// (second chance, an approximation of least recently used). One that is being
// read is never closed under its reader: if all are, the bound is exceeded by at
// most the number of reads under way.
//
// Any number of goroutines may use it. Reading through an open descriptor takes
// no lock.
type Pool struct {
	limit int
	slots chan struct{} // reads that wait for the disk

	mu   sync.Mutex
	ring []*descriptor
	hand int // where the next search for an idle descriptor starts
}

// NewPool returns a pool of at most limit descriptors. If limit is zero or
// negative, it is half of the process's limit of open files, at least 8 and at
// most 16,384.
func NewPool(limit int) *Pool {
	if limit <= 0 {
		limit = min(max(openFileLimit()/2, minDescriptors), maxDescriptors)
	}
	return &Pool{limit: limit, slots: make(chan struct{}, slowPoolReads)}
}

// Limit returns the number of descriptors the pool keeps at most.
func (p *Pool) Limit() int { return p.limit }

// NumOpen returns the number of descriptors open or being opened.
func (p *Pool) NumOpen() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.ring)
}

// descriptor is an open file shared by its readers. It lives as long as refs is
// above zero: one reference is the pool's, one each reader's. Once refs is zero
// it stays zero, and whoever made it so closes the handle.
type descriptor struct {
	handle handle
	refs   atomic.Int32
	used   atomic.Bool // again, since it was opened or the hand last passed
	owner  *file
	index  int // in Pool.ring, guarded by Pool.mu
}

// closed stands in file.open once the content is closed.
var closed = new(descriptor)

// tryAcquire takes a reference unless the descriptor is closed.
func (d *descriptor) tryAcquire() bool {
	for {
		n := d.refs.Load()
		if n == 0 {
			return false
		}
		if d.refs.CompareAndSwap(n, n+1) {
			break
		}
	}
	if !d.used.Load() {
		d.used.Store(true)
	}
	return true
}

// release gives a reference back.
func (d *descriptor) release() {
	if d.refs.Add(-1) == 0 {
		d.handle.close()
	}
}

// acquire returns f's descriptor, opening it if need be. The caller releases it.
func (p *Pool) acquire(root *os.Root, f *file) (*descriptor, error) {
	for {
		d := f.open.Load()
		if d != nil && d.tryAcquire() {
			return d, nil
		}
		if d == closed {
			return nil, ErrClosed
		}
		fresh, err := p.open(root, f)
		if err != nil {
			return nil, err
		}
		if f.open.CompareAndSwap(d, fresh) {
			return fresh, nil
		}
		// Another reader was faster, or the content was closed.
		p.drop(fresh)
		fresh.release()
	}
}

// open returns a new descriptor of f with two references: the pool's and the
// caller's. It is counted before it is opened, so that the bound holds.
func (p *Pool) open(root *os.Root, f *file) (*descriptor, error) {
	d := &descriptor{owner: f}
	d.refs.Store(2)
	p.add(d)
	for {
		h, got, err := f.openIn(root)
		if err != nil {
			// Somebody else's descriptors fill the process: give up ours.
			if isTooMany(err) && p.evict() {
				continue
			}
			p.remove(d)
			return nil, f.fails("opening", err)
		}
		d.handle = h
		if err := f.differs(got); err != nil {
			p.drop(d)
			d.release()
			return nil, err
		}
		return d, nil
	}
}

// add enters d, closing idle descriptors while the pool is full.
func (p *Pool) add(d *descriptor) {
	p.mu.Lock()
	for len(p.ring) >= p.limit {
		idle := p.takeIdle()
		if idle == nil {
			break
		}
		p.mu.Unlock()
		idle.discard()
		p.mu.Lock()
	}
	d.index = len(p.ring)
	p.ring = append(p.ring, d)
	p.mu.Unlock()
}

// evict closes one idle descriptor, or reports that there is none.
func (p *Pool) evict() bool {
	p.mu.Lock()
	d := p.takeIdle()
	p.mu.Unlock()
	if d == nil {
		return false
	}
	d.discard()
	return true
}

// takeIdle removes and returns a descriptor without readers, of which nobody can
// become a reader any more: one not used since the hand last passed if there is
// one. It returns nil if all are being read. Called with mu held.
func (p *Pool) takeIdle() *descriptor {
	for range 2 * len(p.ring) {
		p.hand = (p.hand + 1) % len(p.ring)
		d := p.ring[p.hand]
		if !d.used.Swap(false) && d.refs.CompareAndSwap(1, 0) {
			p.unlink(d)
			return d
		}
	}
	return nil
}

// discard closes a descriptor that takeIdle returned.
func (d *descriptor) discard() {
	d.owner.open.CompareAndSwap(d, nil)
	d.handle.close()
}

// remove takes d out of the ring if it is still there.
func (p *Pool) remove(d *descriptor) (found bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if d.index >= len(p.ring) || p.ring[d.index] != d {
		return false
	}
	p.unlink(d)
	return true
}

// drop gives up the pool's reference, if an eviction has not done so already.
func (p *Pool) drop(d *descriptor) {
	if p.remove(d) {
		d.release()
	}
}

// unlink fills d's place in the ring with the last entry. Called with mu held.
func (p *Pool) unlink(d *descriptor) {
	last := len(p.ring) - 1
	moved := p.ring[last]
	p.ring[d.index] = moved
	moved.index = d.index
	p.ring[last] = nil
	p.ring = p.ring[:last]
}
