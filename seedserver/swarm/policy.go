package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/choke"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// A policy decides what peers are shown of our pieces and who may have which of them, and when. It is the one place where
// plain seeding and any other way of seeding differ; the loop asks it, tells it what happened, and carries out what it decided
// after each event. It is pure, and called from the loop only.
type policy interface {
	// join is told of a peer and returns what it sees of us first.
	join(now time.Time, p *peer) showing
	leave(now time.Time, p *peer)
	// interest is told that p.interested changed.
	interest(now time.Time, p *peer)
	// has, hasBits, hasAll, hasNone and uploadOnly are told what p says of itself. bits are those of a bitfield.
	has(now time.Time, p *peer, index uint32)
	hasBits(now time.Time, p *peer, bits []byte)
	hasAll(now time.Time, p *peer)
	hasNone(now time.Time, p *peer)
	uploadOnly(now time.Time, p *peer)
	// grants reports whether p may have the block r while it is unchoked, and what for. It is asked, and blocksSent told, only
	// if Config.Superseed is set.
	grants(now time.Time, p *peer, r peerwire.Request) (Class, bool)
	// cancelled is told that p took back a request before the block left.
	cancelled(now time.Time, p *peer)
	// blocksSent is told of blocks that left for p, and sent of payload bytes since its last call.
	blocksSent(now time.Time, p *peer, r run)
	sent(p *peer, bytes int64)
	// lags is told that p does not take what it is sent, or takes it again.
	lags(now time.Time, p *peer, late bool)
	// advance is told the time and how the torrent does, at deadline or earlier.
	advance(now time.Time, load choke.Load)
	// deadline returns when advance has something to do at the latest, the zero time for never.
	deadline() time.Time
	pause(now time.Time)
	resume(now time.Time)
	setLimits(now time.Time, l piecepicker.Limits)
	// snapshot returns what must survive a restart, nil if nothing must.
	snapshot(now time.Time) []byte
	// keepsSeeds says that peers that want nothing more of anybody stay connected.
	keepsSeeds() bool
	// expendable returns the peer that can best be done without when another wants its place, nil if there is none.
	expendable(now time.Time, peers map[*peer]struct{}) *peer
	// dials returns which candidates are dialled while there is room.
	dials(now time.Time) func(candidates.Candidate) bool
	// decisions returns what is decided by now and was not returned before, in order; the slice is valid until the next call
	// of any method. next returns when there may be more without any event, the zero time for never.
	decisions(now time.Time) []decision
	next(now time.Time) time.Time
}

// showing is what a peer sees of us when it connects.
type showing uint8

const (
	showNothing showing = iota
	showSome            // what opening.have holds
	showAll
)

// A decision is one message about one peer's rights, or the end of its connection.
type decision struct {
	p      *peer
	do     verb
	piece  uint32           // to show
	reason error            // to drop
	block  peerwire.Request // to ask for
	answer answer           // to compare with our bytes
}

type verb uint8

const (
	doChoke verb = iota
	doUnchoke
	doShow
	doDrop
	doInterest
	doDisinterest
	doAsk
	doCompare // and tell the policy, which is a comparer
)

// newPolicy returns the policy that cfg asks for.
func newPolicy(cfg *Config) policy {
	if cfg.Download != nil {
		return newDownload(cfg)
	}
	if cfg.revealsPieces() {
		return newMasquerade(cfg)
	}
	return newPlain(cfg.UploadSlots)
}
