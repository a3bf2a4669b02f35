package piecepicker

import "time"

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
	Proven       int
	Hoarders     int
	Liars        int
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
}

// A PieceStatus is the state of one piece.
type PieceStatus struct {
	Holders int  // connected peers believed to have it
	Proven  int  // of those, peers that passed on pieces
	Lack    int  // connected leeches without it
	Offers  int  // peers it is on offer to
	Sent    int  // whole copies sent in this run; at least one if it ever was sent
	Needed  Code // Unsent, Lost or Stalled; 0 when it is not needed or is on offer
}
