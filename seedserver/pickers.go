package seedserver

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/seedserver/ledger"
)

// pickersEvery is how often what the pickers know is written down. kill -9 loses so much of it: pieces are taken for never sent
// then, and sent once more.
const pickersEvery = time.Minute

// pickers keeps in the ledger what the piece pickers have to know after a restart.
type pickers struct {
	ledger *ledger.Ledger
	log    *slog.Logger

	mu     sync.Mutex
	loaded map[metainfo.InfoHash][]byte // and not taken yet
}

func newPickers(l *ledger.Ledger, log *slog.Logger) *pickers {
	return &pickers{ledger: l, log: log, loaded: map[metainfo.InfoHash][]byte{}}
}

// load reads the states of the live torrents, and forgets the others.
func (p *pickers) load(ctx context.Context, live map[metainfo.InfoHash]bool) error {
	all, err := p.ledger.Pickers(ctx)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.loaded = map[metainfo.InfoHash][]byte{}
	var orphans []ledger.Picker
	for _, s := range all {
		if live[s.InfoHash] {
			p.loaded[s.InfoHash] = s.State
		} else {
			orphans = append(orphans, ledger.Picker{InfoHash: s.InfoHash})
		}
	}
	p.mu.Unlock()
	if len(orphans) == 0 {
		return nil
	}
	return p.ledger.SavePickers(ctx, orphans)
}

// take returns the state of a torrent that was loaded or put, nil if there is none.
func (p *pickers) take(h metainfo.InfoHash) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.loaded[h]
	delete(p.loaded, h)
	return state
}

// put keeps the state of a torrent that falls asleep, for take. It is saved already.
func (p *pickers) put(h metainfo.InfoHash, state []byte) {
	if len(state) == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.loaded[h] = state
}

// keepPickers writes the states that changed, every minute until ctx ends, and puts torrents to sleep. The last ones are for savePickers, when the swarms have
// ended.
func (ts *torrents) keepPickers(ctx context.Context) {
	ticker := time.NewTicker(pickersEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			ts.savePickers(ctx)
			ts.lullAlone(time.Now())
		}
	}
}

// kept is what a torrent was like when its picker's state was saved last.
type kept struct {
	peers    bool
	uploaded int64
	sum      uint64 // stands for the state
}

// stateSeed is of the hashes that stand for states.
var stateSeed = maphash.MakeSeed()

// savePickers writes the states that changed. A failure is not the end: the next time tries again.
func (ts *torrents) savePickers(ctx context.Context) {
	var changed []ledger.Picker
	var marks []func()
	for _, t := range ts.all() {
		s := t.awake.Load()
		if s == nil {
			continue
		}
		stats := s.swarm.Stats()
		now := kept{peers: stats.Peers > 0, uploaded: stats.Uploaded}
		if !now.peers && now.uploaded == s.kept.uploaded && !s.kept.peers {
			continue // nobody was here since it was saved
		}
		state := s.swarm.Snapshot()
		now.sum = maphash.Bytes(stateSeed, state)
		if len(state) > 0 && now.sum != s.kept.sum {
			changed = append(changed, ledger.Picker{InfoHash: t.infohash(), State: state})
		}
		marks = append(marks, func() { s.kept = now })
	}
	if len(changed) > 0 {
		err := ts.pickers.ledger.SavePickers(ctx, changed)
		ts.troubles.warn(troublePickers, "what the pickers know cannot be saved, trying again", "what the pickers know is saved again", err)
		if err != nil {
			return
		}
	}
	for _, mark := range marks {
		mark()
	}
}

// forget removes the state of a torrent that is gone.
func (p *pickers) forget(h metainfo.InfoHash) {
	p.mu.Lock()
	delete(p.loaded, h)
	p.mu.Unlock()
	if err := p.ledger.SavePickers(context.Background(), []ledger.Picker{{InfoHash: h}}); err != nil {
		p.log.Warn("the state of a picker cannot be removed", "infohash", h, "err", err)
	}
}
