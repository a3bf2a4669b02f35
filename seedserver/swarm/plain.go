package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/choke"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// plain is ordinary seeding: everybody sees everything, and slots go round.
type plain struct {
	indifferent
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

func (s *plain) leave(now time.Time, p *peer)                            { s.choker.Leave(now, p) }
func (s *plain) interest(now time.Time, p *peer)                         { s.choker.SetInterested(now, p, p.interested) }
func (s *plain) grants(time.Time, *peer, peerwire.Request) (Class, bool) { return Plain, true }
func (s *plain) sent(p *peer, bytes int64)                               { s.choker.Sent(p, bytes) }
func (s *plain) lags(_ time.Time, p *peer, late bool)                    { s.choker.SetLate(p, late) }
func (s *plain) advance(now time.Time, load choke.Load)                  { s.choker.Advance(now, load) }
func (s *plain) deadline() time.Time                                     { return s.choker.Deadline() }
func (s *plain) pause(now time.Time)                                     { s.choker.Pause(now) }
func (s *plain) resume(now time.Time)                                    { s.choker.Resume(now) }

// expendable returns the peer that has gone longest without wanting anything.
func (s *plain) expendable(now time.Time, peers map[*peer]struct{}) *peer {
	var least *peer
	for p := range peers {
		if !p.interested && now.Sub(p.connected) >= staleTimeout && (least == nil || p.connected.Before(least.connected)) {
			least = p
		}
	}
	return least
}

// dials leaves seeds alone: they have nothing to give each other, and most close at once.
func (s *plain) dials(time.Time) func(candidates.Candidate) bool { return leechesOnly }

func leechesOnly(c candidates.Candidate) bool { return !c.Seed }

func (s *plain) decisions(time.Time) []decision {
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

func (s *plain) next(time.Time) time.Time { return time.Time{} }

// indifferent is the part of a policy that does not care what peers have or which blocks they are sent.
type indifferent struct{}

func (indifferent) has(time.Time, *peer, uint32)     {}
func (indifferent) hasBits(time.Time, *peer, []byte) {}
func (indifferent) hasAll(time.Time, *peer)          {}
func (indifferent) hasNone(time.Time, *peer)         {}
func (indifferent) uploadOnly(time.Time, *peer)      {}
func (indifferent) cancelled(time.Time, *peer)       {}
func (indifferent) blocksSent(time.Time, *peer, run) {}
func (indifferent) keepsSeeds() bool                 { return false }

func (indifferent) snapshot(time.Time) []byte { return nil }

func (indifferent) setLimits(time.Time, piecepicker.Limits) {}
