package piecepicker

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"time"
)

// BlockSize is how many bytes an [Asker] asks for at a time, except at the end of a piece (BEP 3: "All current implementations
// use 2^14").
const BlockSize = 16 << 10

// A Block is a part of a piece that one request asks for.
type Block struct {
	Index  uint32 // of the piece
	Begin  uint32 // bytes from its beginning
	Length uint32 // bytes
}

// AskerConfig describes one torrent to an [Asker]. Length and PieceLength are needed.
type AskerConfig struct {
	Length      int64 // bytes of the whole torrent
	PieceLength int64 // bytes of a piece, except perhaps the last
	// Have is what we have already: a BITFIELD's bytes (BEP 3). If nil, nothing. It is not kept.
	Have []byte
	// MaxStarted is how many bytes of pieces may be begun and not yet verified: what the caller must be ready to hold in
	// memory. Two pieces may always be. If zero, 64 MiB.
	MaxStarted int64
	// Snub is how long a peer may owe us blocks without sending any until others are asked for them. If zero, one minute. For the first block of a peer it is ten
	// seconds at most.
	Snub time.Duration
}

func (c *AskerConfig) maxStarted() int64   { return cmp.Or(c.MaxStarted, 64<<20) }
func (c *AskerConfig) snub() time.Duration { return cmp.Or(c.Snub, time.Minute) }

// An Asker decides for one torrent that we download which block is asked of whom. A block is free, then requested, then
// received; when all of its piece are, the piece is hashed by the caller and is verified, or its blocks are free again.
//
// It is not safe for concurrent use, and holds no goroutine, clock or lock: times given to one Asker must come from one clock
// and not go back. Events about peers that are not there, or pieces that do not exist, are ignored.
type Asker struct {
	cfg       AskerConfig
	rng       *rand.Rand
	numPieces int

	have    bitset
	missing int // pieces not verified
	scarce  scarcity
	seeds   int // peers that have everything

	parts   []*begun // begun and not verified, oldest first
	byIndex map[uint32]*begun
	volume  int64 // bytes of all parts
	free    int   // blocks of parts that are free

	peers   map[Peer]*supplier
	list    []*supplier // the same, to walk
	last    Peer
	gone    []Culprit           // peers that left, the last ones
	failed  map[uint32]*failure // pieces that failed and are not verified since
	stats   AskerStats
	others  []Peer  // scratch: what Receipt.Cancel is made of
	scratch []place // scratch
}

// AskerStats counts what was asked for. All are bytes.
type AskerStats struct {
	Received  int64 // blocks that were of use
	Duplicate int64 // blocks that came twice, since two peers were asked
	Corrupt   int64 // pieces that did not have their hash
}

// NewAsker returns an Asker without peers. rng breaks ties.
func NewAsker(cfg AskerConfig, rng *rand.Rand) *Asker {
	n := 0
	if cfg.PieceLength > 0 && cfg.Length > 0 {
		n = int((cfg.Length + cfg.PieceLength - 1) / cfg.PieceLength)
	}
	have := newBitset(n)
	if n > 0 {
		have = fromWire(cfg.Have, n)
	}
	if len(have) < len(newBitset(n)) {
		have = append(have, newBitset(n)[len(have):]...)
	}
	cfg.Have = nil
	return &Asker{
		cfg:       cfg,
		rng:       rng,
		numPieces: n,
		have:      have,
		missing:   n - have.count(),
		scarce:    newScarcity(n, have, rng),
		byIndex:   map[uint32]*begun{},
		peers:     map[Peer]*supplier{},
		failed:    map[uint32]*failure{},
	}
}

// A supplier is a peer that may be asked.
type supplier struct {
	id       Peer
	at       int // in Asker.list
	addr     netip.AddrPort
	have     bitset // nil is nothing
	held     int    // pieces in have
	complete bool   // has everything; have is nil then
	useful   int    // pieces it has and we lack, unless complete

	asked   backlog
	late    []place // blocks taken from it that may still come
	current *begun  // what it was asked for last
	snubbed bool
	proven  bool      // sent a block once
	heard   time.Time // when it sent a block last, or was asked while it owed nothing
}

func (q *supplier) has(i uint32) bool { return q.complete || q.have.has(i) }

// Done reports whether every piece is verified.
func (a *Asker) Done() bool { return a.missing == 0 }

// Missing returns how many pieces are not verified.
func (a *Asker) Missing() int { return a.missing }

// Has reports whether piece i is verified.
func (a *Asker) Has(i uint32) bool { return a.have.has(i) }

// AppendBitfield appends what is verified, as a BITFIELD (BEP 3).
func (a *Asker) AppendBitfield(dst []byte) []byte { return a.have.appendWire(dst, a.numPieces) }

// Stats returns the counts so far.
func (a *Asker) Stats() AskerStats { return a.stats }

// Endgame reports whether every block that is missing was asked for.
func (a *Asker) Endgame() bool { return a.missing > 0 && a.free == 0 && len(a.scarce.order) == 0 }

// Wants reports whether the peer has a piece that we lack: whether we are interested in it (BEP 3).
func (a *Asker) Wants(id Peer) bool {
	q := a.peers[id]
	return q != nil && (q.useful > 0 || q.complete && a.missing > 0)
}

// Owes returns how many blocks the peer was asked for and did not send.
func (a *Asker) Owes(id Peer) int {
	if q := a.peers[id]; q != nil {
		return q.asked.len()
	}
	return 0
}

// Snubbed reports whether the peer owes us blocks for too long. It is asked for one at a time until it sends one.
func (a *Asker) Snubbed(id Peer) bool {
	q := a.peers[id]
	return q != nil && q.snubbed
}

// Copies returns how many copies of the torrent the connected peers hold together: whole ones, and the share of the pieces of
// which there is one more. It looks at every piece: for people.
func (a *Asker) Copies() float64 {
	if a.numPieces == 0 {
		return 0
	}
	least, above := a.scarce.count[0], 0
	for _, v := range a.scarce.count {
		least = min(least, v)
	}
	for _, v := range a.scarce.count {
		if v > least {
			above++
		}
	}
	return float64(a.seeds) + float64(least) + float64(above)/float64(a.numPieces)
}

func (a *Asker) pieceSize(i uint32) int64 {
	return min(a.cfg.PieceLength, a.cfg.Length-int64(i)*a.cfg.PieceLength)
}
