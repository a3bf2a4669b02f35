package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// pulled is what a load brought in the time that counted.
type pulled struct {
	seconds float64
	bytes   float64
	cpu     float64    // seconds of the seed's
	waits   *histogram // from request to block
	least   float64    // what the worst connection got, of a fair share
}

// pull downloads from s over links connections as fast as it goes, with depth requests on the way in each, for a while that does not count
// and then for window.
func pull(ctx context.Context, s *seed, t *metainfo.Torrent, links, depth int, window time.Duration) (*pulled, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		all      []*link
		counting atomic.Bool
		waits    = make([]histogram, links)
		wg       sync.WaitGroup
	)
	defer func() {
		for _, k := range all {
			k.conn.Close()
		}
		wg.Wait()
	}()
	for i := range links {
		k, err := dial(ctx, s.address, i, t, 256<<10)
		if err != nil {
			return nil, fmt.Errorf("connection %d of %d: %w", i+1, links, err)
		}
		all = append(all, k)
		wg.Go(func() {
			if err := k.pull(depth, &counting, &waits[i]); !closed(err) {
				cancel(fmt.Errorf("connection %d of %d: %w", i+1, links, err))
			}
		})
	}
	for begin := time.Now(); !served(all); {
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return nil, err
		}
		if time.Since(begin) > 30*time.Second {
			return nil, errors.New("not every connection was served within half a minute")
		}
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return nil, err
	}
	before, cpu, begin := received(all), s.usage().cpu, time.Now()
	counting.Store(true)
	if err := pause(ctx, window); err != nil {
		return nil, err
	}
	counting.Store(false)
	after, seconds := received(all), time.Since(begin).Seconds()
	res := &pulled{seconds: seconds, cpu: s.usage().cpu - cpu, waits: &histogram{}}
	least := after[0] - before[0]
	for i := range after {
		got := after[i] - before[i]
		res.bytes += float64(got)
		least = min(least, got)
	}
	res.least = float64(least) / (res.bytes / float64(links))
	for _, k := range all {
		k.conn.Close()
	}
	wg.Wait()
	for i := range waits {
		res.waits.merge(&waits[i])
	}
	return res, nil
}

// pull keeps depth requests on their way until the connection is closed, and counts in waits how long each took while counting says so.
func (k *link) pull(depth int, counting *atomic.Bool, waits *histogram) error {
	asked := map[[2]uint32]time.Time{}
	now := time.Now()
	ask := func() {
		i, b := k.request()
		asked[[2]uint32{i, b}] = now
	}
	if err := k.interested(); err != nil {
		return err
	}
	for {
		if !k.whole() {
			if err := k.flush(); err != nil {
				return err
			}
		}
		kind, index, begin, _, err := k.next()
		if err != nil {
			return err
		}
		now = time.Now()
		switch kind {
		case choke: // what was asked for will not come (BEP 3)
			clear(asked)
		case unchoke:
			for len(asked) < depth {
				ask()
			}
		case pieceKind:
			at, ok := asked[[2]uint32{index, begin}]
			if !ok {
				continue
			}
			delete(asked, [2]uint32{index, begin})
			if counting.Load() {
				waits.add(now.Sub(at))
			}
			if k.free.Load() {
				ask()
			}
		}
	}
}

// served says whether all connections received something.
func served(all []*link) bool {
	for _, k := range all {
		if k.bytes.Load() == 0 {
			return false
		}
	}
	return true
}

// received is what each has so far.
func received(all []*link) []int64 {
	n := make([]int64, len(all))
	for i, k := range all {
		n[i] = k.bytes.Load()
	}
	return n
}

// pause waits for d, or until ctx ends, and says why then.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
