package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// crowd is many slow connections.
type crowd struct {
	links []*link
	wg    sync.WaitGroup

	mu      sync.Mutex
	leaving bool
	told    []bool      // who said that it is interested
	asked   []time.Time // zero for who waits for nothing
	waits   histogram
	lost    int
}

// gather opens n connections, some at a time. The crowd is there to be left even with an error.
func gather(ctx context.Context, to string, t *metainfo.Torrent, n int) (*crowd, error) {
	c := &crowd{links: make([]*link, n), told: make([]bool, n), asked: make([]time.Time, n)}
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for w := range errs {
		wg.Go(func() {
			for i := w; i < n && errs[w] == nil; i += len(errs) {
				c.links[i], errs[w] = dial(ctx, to, i, t, block+64)
			}
		})
	}
	wg.Wait()
	for i, k := range c.links {
		if k != nil {
			c.wg.Go(func() { c.read(i, k) })
		}
	}
	return c, errors.Join(errs...)
}

// read takes what comes over link i until it ends.
func (c *crowd) read(i int, k *link) {
	for {
		kind, _, _, _, err := k.next()
		c.mu.Lock()
		if err != nil {
			if !c.leaving {
				c.lost++
			}
			c.mu.Unlock()
			return
		}
		if kind == pieceKind && !c.asked[i].IsZero() {
			c.waits.add(time.Since(c.asked[i]))
		}
		if kind == pieceKind || kind == choke {
			c.asked[i] = time.Time{}
		}
		c.mu.Unlock()
	}
}

// trickle asks for a block over each connection every second, evenly spread, for d.
func (c *crowd) trickle(ctx context.Context, d time.Duration) error {
	const beats = 50 // a second
	ticker := time.NewTicker(time.Second / beats)
	defer ticker.Stop()
	done := 0
	for beat := 1; beat <= int(d.Seconds()*beats); beat++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for ; done < beat*len(c.links)/beats; done++ {
			c.ask(done % len(c.links))
		}
	}
	return nil
}

// ask asks for a block over link i, or says first that it will. An error is seen by who reads it.
func (c *crowd) ask(i int) {
	k := c.links[i]
	c.mu.Lock()
	told := c.told[i]
	c.told[i] = true
	ready := k.free.Load() && c.asked[i].IsZero()
	if ready {
		c.asked[i] = time.Now()
	}
	c.mu.Unlock()
	if !told {
		_ = k.interested()
	}
	if ready {
		k.request()
		_ = k.flush()
	}
}

// forget begins to count anew.
func (c *crowd) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waits = histogram{}
}

// leave closes all connections and returns how long blocks took, and how many connections were lost before.
func (c *crowd) leave() (histogram, int) {
	c.mu.Lock()
	c.leaving = true
	c.mu.Unlock()
	for _, k := range c.links {
		if k != nil {
			k.conn.Close()
		}
	}
	c.wg.Wait()
	return c.waits, c.lost
}
