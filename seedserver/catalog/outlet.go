package catalog

import (
	"cmp"
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
	saved     func(err error) // nil: nobody is told
	log       *slog.Logger
	known     map[metainfo.InfoHash]bool // what the Publisher has
	answer    func(o order, known bool, err error)

	unsaved []Change // that the Store did not take yet, in order
	failing bool     // the last Store.Write: the next one is the timer's
}

const (
	// writeTimeout bounds the last write after Run was told to end.
	writeTimeout = 3 * time.Second
	// batchSize is how many orders are carried out at a time, so that the first
	// of very many files need not wait for the writing of all.
	batchSize = 500
	// saveAgain is when what the Store did not take is tried again.
	saveAgain = 5 * time.Second
	// maxUnsaved bounds what waits for a Store that takes nothing. What is beyond
	// is not known at the next start: files are looked at, or hashed, again.
	maxUnsaved = 100_000
	// maxTries bounds the writes of one attempt.
	maxTries = 16
)

// run carries out batches until ctx ends.
func (o *outlet) run(ctx context.Context, batches <-chan []order) {
	again := time.NewTicker(saveAgain)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-again.C:
			if o.failing {
				o.save(ctx)
			}
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

// write hands the changes of a batch to the Store. While that fails they wait:
// everything else goes on.
func (o *outlet) write(ctx context.Context, batch []order) {
	for _, ord := range batch {
		if ord.kind == orderWrite {
			o.unsaved = append(o.unsaved, ord.change)
		}
	}
	if !o.failing {
		o.save(ctx)
	}
}

// finish hands over the changes of a last batch and all that still waits.
func (o *outlet) finish(ctx context.Context, batch []order) {
	o.failing = false
	o.write(ctx, batch)
}

// save hands the Store what it has not taken. That is not cut short by the end of
// Run: what was hashed is to be known at the next start. It says once that it
// fails, and once that it does no more.
func (o *outlet) save(ctx context.Context) {
	if len(o.unsaved) == 0 {
		o.failing = false
		return
	}
	ctx, cancel := outlive(ctx, writeTimeout)
	defer cancel()
	before, tries := o.failing, 1
	if before {
		tries = maxTries // it may be one change that the Store does not like
	}
	left, err := o.saveParts(ctx, o.unsaved, &tries)
	if o.saved != nil {
		o.saved(err)
	}
	switch {
	case err == nil && before:
		o.log.Info("what was hashed is saved again", "changes", len(o.unsaved))
	case err != nil && !before:
		o.log.Warn("what was hashed cannot be saved, trying again", "changes", len(left), "err", err)
	}
	o.unsaved, o.failing = slices.Clone(left[max(0, len(left)-maxUnsaved):]), err != nil
}

// saveParts saves changes together or, while there are tries left, in halves. It
// returns those that the Store did not take, and why.
func (o *outlet) saveParts(ctx context.Context, changes []Change, tries *int) ([]Change, error) {
	*tries--
	err := o.store.Write(ctx, changes)
	if err == nil {
		return nil, nil
	}
	if len(changes) == 1 || *tries <= 0 {
		return changes, err
	}
	half := len(changes) / 2
	left, err := o.saveParts(ctx, changes[:half], tries)
	rest, err2 := o.saveParts(ctx, changes[half:], tries)
	return slices.Concat(left, rest), cmp.Or(err, err2)
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
