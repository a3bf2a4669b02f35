package catalog

import (
	"context"
	"log/slog"
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

// writeTimeout bounds the last writes after Run was told to end.
const writeTimeout = 3 * time.Second

// run carries out batches until ctx ends.
func (o *outlet) run(ctx context.Context, batches <-chan []order) {
	for {
		select {
		case <-ctx.Done():
			return
		case batch := <-batches:
			o.write(batch)
			for _, ord := range batch {
				if ctx.Err() != nil {
					return
				}
				o.tell(ord)
			}
		}
	}
}

// write hands the changes of a batch to the Store. Their writing is not cut
// short by the end of Run: what was hashed is to be known at the next start.
func (o *outlet) write(batch []order) {
	var changes []Change
	for _, ord := range batch {
		if ord.kind == orderWrite {
			changes = append(changes, ord.change)
		}
	}
	if len(changes) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTimeout)
	defer cancel()
	if err := o.store.Write(ctx, changes); err != nil {
		o.log.Warn("what was hashed cannot be saved", "changes", len(changes), "err", err)
	}
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
