package storage

// Bounds of reads that have to wait for the disk. A read that waits holds a thread, of which Go has 10,000 at most.
const (
	slowReads     = 64  // of one content at once: one whose disk hangs does not stop the others
	slowPoolReads = 512 // of all contents of a pool
)

// hintsAfterMiss is how many hints are passed on after a read that found its bytes not in memory. Contents that are in memory cost
// no hints that way, and where reads come from the disk there is always one that was missed lately.
const hintsAfterMiss = 64

// Scatter says that reads come from many places at once, each for another reader, as those of a swarm do. From then on the system
// reads nothing ahead but what [Content.ReadAhead] names: its guesses, made for one reader, cost twice the bytes here and drive out
// what others are about to read. It is called before the first read.
func (c *Content) Scatter() {
	c.slots = make(chan struct{}, slowReads)
	for i := range c.files {
		c.files[i].apart = true
	}
}

// ReadAhead says that n bytes from offset off are going to be read soon, so that the disk works meanwhile. It is a hint: it does not
// wait for the bytes, and does nothing while reads find what they want in memory, where the content was not scattered, for files
// that are not open yet, or where the system knows no such thing.
func (c *Content) ReadAhead(off, n int64) {
	if c.hints.Load() <= 0 || off < 0 || off >= c.length {
		return
	}
	c.hints.Add(-1)
	end := min(n, c.length-off) + off
	for i := c.find(off); i < len(c.files) && off < end; i++ {
		f := &c.files[i]
		part := min(end, f.offset+f.Length) - off
		if d := f.open.Load(); part > 0 && d != nil && d != closed && d.tryAcquire() {
			d.handle.prefetch(off-f.offset, part)
			d.release()
		}
		off += part
	}
}

// read fills p from an open file. What is not in memory waits for one of the places of those who wait.
func (c *Content) read(h handle, p []byte, off int64) (n int, err error) {
	if c.slots == nil {
		return h.readAt(p, off)
	}
	if n = h.readCached(p, off); n == len(p) {
		return n, nil
	}
	c.hints.Store(hintsAfterMiss)
	c.slots <- struct{}{}
	c.pool.slots <- struct{}{}
	more, err := h.readAt(p[n:], off+int64(n))
	<-c.pool.slots
	<-c.slots
	return n + more, err
}
