package piecepicker

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// A Peer names a connected peer. [Picker.PeerJoined] gives numbers from 1 up and uses those of departed peers again, so a
// slice indexed by Peer is enough to find the connection. 0 is no peer.
type Peer uint32

// A Mode is how much speed is given up to save bytes.
type Mode uint8

const (
	// Conservative halves the rate with each further copy believed to be out.
	Conservative Mode = iota
	// Balanced halves it with every four.
	Balanced
	// Generous never slows down.
	Generous
)

// String returns the name of the mode in lower case.
func (m Mode) String() string { return name([]string{"conservative", "balanced", "generous"}, m) }

// Config describes one torrent to a [Picker].
type Config struct {
	Length      int64 // bytes of the whole torrent; at least 1
	PieceLength int64 // bytes of a piece, except perhaps the last; at least 1
	Mode        Mode
	MaxRate     int64 // bytes per second this torrent may send. If zero, unlimited
	// Gate is the share of the pieces kept back at the end of the first copy until the slow leeches have caught up, so that
	// nobody leaves with the whole before the swarm can keep itself. If zero, 2 % in conservative mode and none in the
	// others. If negative, none.
	Gate float64
}

// Limits are what may be spent, as it stands now.
type Limits struct {
	MaxRate int64 // bytes per second. If zero, unlimited
	// Pace is the rate that would use up the rest of a byte budget exactly at its end, in bytes per second. If zero, there
	// is no budget. Need may run at four times the pace, rescue at a half and assist at a fifth of it.
	Pace int64
	// Spent is the part of the budget that is used up. From 1 only the floor of need is sent, from 1.1 nothing at all. It is
	// ignored without a Pace, unless it is 1 or more.
	Spent float64
}

// Rates are what each class may send now, in bytes per second; 0 is nothing, [Unlimited] no limit. Offers are paced by them
// already: a limiter that also keeps to them smooths large pieces.
type Rates struct {
	Total  int64 // of all classes together
	Need   int64
	Rescue int64 // of peers that have not shown that they pass pieces on; those that have may use Total
	Assist int64
}

// Unlimited is a rate without limit.
const Unlimited int64 = 1<<63 - 1

// PeerInfo is what is known of a peer when its handshake is done.
type PeerInfo struct {
	// Addr is the peer's address. What is known of an address (for IPv6, of its /64) outlives the connection by an hour.
	// At most two peers of a /24 or /48 are believed before they have shown something. The zero Addr is known to nobody.
	Addr netip.Addr
	// UploadOnly says that the peer wants nothing (BEP 21).
	UploadOnly bool
}

// A Picker decides for one torrent that we seed. It is not safe for concurrent use, and holds no goroutine, clock or lock:
// times given to one Picker must come from one clock; one that goes back is taken for the last.
//
// Events about a peer that is not connected, or a piece that does not exist, are ignored.
type Picker struct {
	cfg Config
	rng *rand.Rand
}

// New returns a Picker without peers. rng must not be used by anybody else as long as the Picker is.
func New(cfg Config, rng *rand.Rand) *Picker { return &Picker{cfg: cfg, rng: rng} }

// NumPieces returns the number of pieces of the torrent.
func (p *Picker) NumPieces() int { return 0 }

// SetLimits replaces the limits. [New] begins with the MaxRate of its Config and no budget.
func (p *Picker) SetLimits(now time.Time, l Limits) {}

// Tick lets time pass and decides: it appends to dst what is to be done now, and returns it. Call it after every event, or
// after every batch of them, and no later than [Picker.Next]. It costs next to nothing when there is nothing to decide.
func (p *Picker) Tick(now time.Time, dst []Decision) []Decision { return dst }

// Next returns when [Picker.Tick] has something to do if no event comes first: at most a second ahead while a peer is
// connected, the zero time while none is.
func (p *Picker) Next(now time.Time) time.Time { return time.Time{} }

// Allowed reports whether a request of the peer for the piece would be answered. It changes nothing.
func (p *Picker) Allowed(id Peer, piece uint32) bool { return false }

// Rates returns the rates in force.
func (p *Picker) Rates(now time.Time) Rates { return Rates{} }

// Status returns the state of the whole. It looks at every peer: for pages, not for every block.
func (p *Picker) Status(now time.Time) Status { return Status{} }

// PeerStatus returns the state of a peer, and false if it is not connected.
func (p *Picker) PeerStatus(now time.Time, id Peer) (PeerStatus, bool) { return PeerStatus{}, false }

// PieceStatus returns the state of a piece, and false if there is none of that index.
func (p *Picker) PieceStatus(now time.Time, piece uint32) (PieceStatus, bool) {
	return PieceStatus{}, false
}

// Snapshot returns what must survive a restart: which pieces ever left us, and what is known of addresses. It is at most an
// eighth of a byte per piece and 256 KiB long.
func (p *Picker) Snapshot(now time.Time) []byte { return nil }

// Restore takes over what [Picker.Snapshot] of the same torrent returned; b is not kept. Call it before the first peer
// joins. On an error, which is a *[SnapshotError], nothing has changed.
func (p *Picker) Restore(now time.Time, b []byte) error { return nil }
