package piecepicker

import (
	"cmp"
	"slices"
	"time"
)

// A Stage is what the picker is at, as a whole.
type Stage uint8

const (
	// Waiting: no leech is connected.
	Waiting Stage = iota + 1
	// Spreading: pieces are needed, and sent at full rate.
	Spreading
	// Holding: the release gate keeps the last pieces until the swarm can keep itself.
	Holding
	// Assisting: everything is out; the rate follows the throttle.
	Assisting
	// Sleeping: several verified copies are out; nothing is sent until that changes.
	Sleeping
)

// String returns the name of the stage in lower case.
func (s Stage) String() string { return name(stageNames[:], s) }

var stageNames = [...]string{"", "waiting", "spreading", "holding", "assisting", "sleeping"}

// A Trust is what a peer has shown of itself.
type Trust uint8

const (
	// Unproven: no evidence yet. At most two peers of a network are believed without any.
	Unproven Trust = iota + 1
	// Proven: it passed on pieces, or an audit found it to hold our bytes.
	Proven
	// Hoarder: it took pieces and nobody got them from it.
	Hoarder
	// Claimant: it came with all pieces and has not been audited.
	Claimant
	// Liar: it claims pieces that never left us, or failed an audit.
	Liar
)

// String returns the name of the trust in lower case.
func (t Trust) String() string { return name(trustNames[:], t) }

var trustNames = [...]string{"", "unproven", "proven", "hoarder", "claimant", "liar"}

// A Status is the state of a [Picker] at a moment: all of it is a copy.
type Status struct {
	Stage        Stage
	Availability float64 // believed copies: those of the rarest piece, and the share of pieces with more
	Needed       int     // pieces that are to be sent now: unsent, lost or stalled, and not on offer; without those held
	Stalled      int     // of those, how many have holders but do not spread
	Unsent       int     // pieces no copy of which ever left us
	Held         int     // unsent pieces kept back by the release gate
	OnLoan       int     // pieces on offer or being sent
	Awaiting     int     // pieces sent and not yet seen at a second peer
	Leeches      int     // connected peers that lack something
	Complete     int     // connected peers that say they have everything
	Believed     int     // connected peers whose pieces count
	Audits       Audits
	Proven       int
	Hoarders     int
	Liars        int
	Carried      bool          // audited seeds carry it: assistance is at its floor
	InFlight     int64         // bytes on offer and not yet sent
	Window       int64         // bytes that may be on offer at a time
	Sent         int64         // payload bytes since the picker was made
	Copies       float64       // Sent over the length of the torrent
	RelayDelay   time.Duration // from our last byte to a second holder, on average
	Arrivals     float64       // new peers per second, over the last hour
	Rates        Rates
}

// A PeerStatus is the state of one peer.
type PeerStatus struct {
	Trust      Trust
	Pieces     int // it says it has
	Unchoked   bool
	Interested bool
	OnLoan     []uint32 // pieces on offer, oldest first
	Awaiting   int      // pieces sent and not yet seen elsewhere
	Window     int      // how many pieces it may have out before others come first
	Relayed    int      // pieces it is believed to have passed on
	Expired    int      // pieces it took and nobody got in time
	Served     int      // whole pieces sent to it
	Sent       int64    // payload bytes sent to it
	Rate       int64    // bytes per second it takes from us
	Starving   time.Duration
	Audit      AuditStatus
}

// A PieceStatus is the state of one piece.
type PieceStatus struct {
	Holders int  // connected peers believed to have it
	Proven  int  // of those, peers that passed on pieces or were audited
	Lack    int  // connected leeches without it
	Offers  int  // peers it is on offer to
	Sent    int  // whole copies sent in this run; at least one if it ever was sent
	Needed  Code // Unsent, Lost or Stalled; 0 when it is not needed or is on offer
}

// Status returns the state of the whole. It looks at every peer: for pages, not for every block.
func (p *Picker) Status(now time.Time) Status {
	p.at(now)
	s := Status{
		Stage: p.stage(), Availability: p.availability(), Needed: p.needed(), Unsent: p.unsentLeft,
		Held: p.held(), OnLoan: p.loans, InFlight: p.inFlight, Window: p.windowSize(), Sent: p.sent,
		RelayDelay: p.relayDelay, Arrivals: p.arrivals, Carried: p.carried, Rates: p.Rates(now),
	}
	s.Audits.Fetched = p.audits.fetched
	if p.cfg.Length > 0 {
		s.Copies = float64(p.sent) / float64(p.cfg.Length)
	}
	for _, list := range p.need {
		for _, i := range list {
			if p.pieces[i].why() == Stalled {
				s.Stalled++
			}
		}
	}
	for _, q := range p.peers {
		if q != nil {
			s.add(p, q)
		}
	}
	return s
}

func (s *Status) add(p *Picker, q *peer) {
	s.Awaiting += len(q.relay.waiting)
	switch {
	case q.complete:
		s.Complete++
	case q.ready:
		s.Leeches++
	}
	if q.weight == all || q.weight == given && q.gave != nil {
		s.Believed++
	}
	s.Audits.add(p, q)
	switch p.trustOf(q) {
	case Proven:
		s.Proven++
	case Hoarder:
		s.Hoarders++
	case Liar:
		s.Liars++
	}
}

func (p *Picker) stage() Stage {
	switch {
	case len(p.takers) == 0:
		return Waiting
	case p.gate.closed:
		return Holding
	case p.asleep:
		return Sleeping
	case p.needed() > 0 || p.availability() < 1:
		return Spreading
	}
	return Assisting
}

// InFlight returns the bytes on offer that are not yet sent, without those that were not asked for within a second.
func (p *Picker) InFlight() int64 { return p.inFlight }

// Rates returns the rates in force.
func (p *Picker) Rates(now time.Time) Rates {
	p.at(now)
	of := func(c Class) int64 {
		rate, limited := p.rate(c)
		if !limited && p.limits.MaxRate <= 0 {
			return Unlimited
		}
		return int64(rate)
	}
	r := Rates{Total: Unlimited, Need: of(Need), Rescue: of(Rescue), Assist: of(Assist)}
	switch {
	case p.limits.over():
		r.Total = r.Need
	case p.limits.MaxRate > 0:
		r.Total = p.limits.MaxRate
	}
	return r
}

// PeerStatus returns the state of a peer, and false if it is not connected.
func (p *Picker) PeerStatus(now time.Time, id Peer) (PeerStatus, bool) {
	q := p.peerAt(now, id)
	if q == nil {
		return PeerStatus{}, false
	}
	r := &q.relay
	s := PeerStatus{
		Trust: p.trustOf(q), Pieces: q.nHave, Unchoked: q.unchoked, Interested: q.interested,
		Awaiting: len(r.waiting), Window: int(r.window), Relayed: r.relayed, Expired: r.expired, Served: r.served,
		Sent: q.sent, Rate: int64(q.meter.rate),
	}
	if q.taker != 0 {
		s.Starving = p.starveClock - q.fed
	}
	s.Audit = p.auditStatus(q)
	loans := slices.Clone(q.loans)
	slices.SortStableFunc(loans, func(a, b loan) int {
		return cmp.Or(cmp.Compare(a.made, b.made), cmp.Compare(a.piece, b.piece))
	})
	for _, ln := range loans {
		if !ln.withdrawn {
			s.OnLoan = append(s.OnLoan, ln.piece)
		}
	}
	return s, true
}

// TrustOf returns what the peer has shown of itself, 0 if it is not connected: a part of its PeerStatus that costs little.
func (p *Picker) TrustOf(id Peer) Trust {
	if q := p.peer(id); q != nil {
		return p.trustOf(q)
	}
	return 0
}

// Partner reports whether the peer took a whole piece of us and says that it has it, and has shown nothing bad.
// It costs little.
func (p *Picker) Partner(id Peer) bool {
	q := p.peer(id)
	return q != nil && q.ready && q.relay.served > 0 && q.nHave > 0 && !q.claimed && !q.liar && q.trust != Hoarder && !q.milks()
}

// PieceStatus returns the state of a piece, and false if there is none of that index.
func (p *Picker) PieceStatus(now time.Time, piece uint32) (PieceStatus, bool) {
	p.at(now)
	if int64(piece) >= int64(len(p.pieces)) {
		return PieceStatus{}, false
	}
	pc := &p.pieces[piece]
	return PieceStatus{
		Holders: int(pc.live), Proven: int(pc.proven), Lack: p.lack(pc), Offers: int(pc.offers), Sent: int(pc.sent),
		Needed: pc.why(),
	}, true
}
