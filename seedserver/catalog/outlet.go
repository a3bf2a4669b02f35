package catalog

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// outlet carries out orders: it is the one who calls the Publisher and
// Store.Write.
type outlet struct {
	publisher Publisher
	store     Store
	log       *slog.Logger
	known     map[metainfo.InfoHash]bool // what the Publisher has
	answer    func(o order, known bool, err error)
}

const (
	// writeTimeout bounds the last write after Run was told to end.
	writeTimeout = 3 * time.Second
	// batchSize is how many orders are carried out at a time, so that the first
	// of very many files need not wait for the writing of all.
	batchSize = 500
)

// run carries out batches until ctx ends.
func (o *outlet) run(ctx context.Context, batches <-chan []order) {
	for {
		select {
		case <-ctx.Done():
			return
		case orders := <-batches:
			for batch := range slices.Chunk(orders, batchSize) {
				o.write(ctx, batch)
				o.tellAll(ctx, batch)
			}
		}
	}
}

// tellAll carries out the orders for the Publisher until ctx ends.
func (o *outlet) tellAll(ctx context.Context, batch []order) {
	for _, ord := range batch {
		if ctx.Err() != nil {
			return
		}
		o.tell(ord)
	}
}

// write hands the changes of a batch to the Store. Their writing is not cut
// short by the end of Run: what was hashed is to be known at the next start.
func (o *outlet) write(ctx context.Context, batch []order) {
	var changes []Change
	for _, ord := range batch {
		if ord.kind == orderWrite {
			changes = append(changes, ord.change)
		}
	}
	if len(changes) == 0 {
		return
	}
	ctx, cancel := outlive(ctx, writeTimeout)
	defer cancel()
	if err := o.store.Write(ctx, changes); err != nil {
		o.log.Warn("what was hashed cannot be saved", "changes", len(changes), "err", err)
	}
}

// outlive returns a context that ends d after ctx.
func outlive(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return longer, func() { stop(); cancel() }
}

// tell carries out an order for the Publisher. What it never got, because
// publishing failed, is published when it would be resumed, and not mentioned
// else.
func (o *outlet) tell(ord order) {
	known := o.known[ord.hash]
	switch ord.kind {
	case orderPublish, orderResume:
		var err error
		if known {
			err = o.publisher.Resume(ord.version)
		} else {
			err = o.publisher.Publish(ord.version)
			if err == nil {
				o.known[ord.hash] = true
			}
		}
		if err != nil {
			o.log.Warn("torrent cannot be seeded", "infohash", ord.hash, "path", ord.version.Path, "err", err)
		}
		o.answer(ord, o.known[ord.hash], err)
	case orderPause:
		if known {
			o.publisher.Pause(ord.hash)
		}
	case orderRetire:
		if known {
			o.publisher.Retire(ord.hash, ord.reason)
			delete(o.known, ord.hash)
		}
	}
}
