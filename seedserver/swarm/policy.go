package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/seedserver/choke"
)

// A policy decides what peers are shown of our pieces and who may have which of them, and when. It is the one place where
// plain seeding and any other way of seeding differ; the loop asks it, tells it what happened, and carries out what it decided
// after each event. It is pure, and called from the loop only. Whoever reveals pieces one by one answers showNothing, grants
// what it revealed, and makes decisions of another verb, to send a Have.
type policy interface {
	// join is told of a peer and returns what it sees of us first.
	join(now time.Time, p *peer) showing
	leave(now time.Time, p *peer)
	// interest is told that p.interested changed.
	interest(now time.Time, p *peer)
	// grants reports whether p, unchoked, may have blocks of piece index.
	grants(p *peer, index uint32) bool
	// sent is told of payload bytes that left for p since the last call.
	sent(p *peer, bytes int64)
	// advance is told the time and how the torrent does, at deadline or earlier.
	advance(now time.Time, load choke.Load)
	// deadline returns when advance has something to do at the latest, the zero time for never.
	deadline() time.Time
	pause(now time.Time)
	resume(now time.Time)
	// decisions returns what was decided since the last call, in order; the slice is valid until the next call of any method.
	decisions() []decision
}

// showing is what a peer sees of us when it connects.
type showing uint8

const (
	showNothing showing = iota
	showAll
)

// A decision is one message about one peer's rights.
type decision struct {
	p  *peer
	do verb
}

type verb uint8

const (
	doChoke verb = iota
	doUnchoke
)

// plain is ordinary seeding: everybody sees everything, and slots go round.
type plain struct {
	choker *choke.Choker[*peer]
	made   []decision
}

func newPlain(slots int) *plain {
	return &plain{choker: choke.New[*peer](choke.Config{Slots: slots})}
}

func (s *plain) join(now time.Time, p *peer) showing {
	s.choker.Join(now, p)
	return showAll
}

func (s *plain) leave(now time.Time, p *peer)           { s.choker.Leave(now, p) }
func (s *plain) interest(now time.Time, p *peer)        { s.choker.SetInterested(now, p, p.interested) }
func (s *plain) grants(*peer, uint32) bool              { return true }
func (s *plain) sent(p *peer, bytes int64)              { s.choker.Sent(p, bytes) }
func (s *plain) advance(now time.Time, load choke.Load) { s.choker.Advance(now, load) }
func (s *plain) deadline() time.Time                    { return s.choker.Deadline() }
func (s *plain) pause(now time.Time)                    { s.choker.Pause(now) }
func (s *plain) resume(now time.Time)                   { s.choker.Resume(now) }

func (s *plain) decisions() []decision {
	s.made = s.made[:0]
	for _, c := range s.choker.Drain() {
		do := doChoke
		if c.Unchoke {
			do = doUnchoke
		}
		s.made = append(s.made, decision{p: c.Peer, do: do})
	}
	return s.made
}
