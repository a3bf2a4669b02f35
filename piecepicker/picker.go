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
func (m Mode) String() string { return name(modeNames[:], m) }

var modeNames = [...]string{"conservative", "balanced", "generous"}

// Config describes one torrent to a [Picker].
type Config struct {
	Length      int64 // bytes of the whole torrent; less than 1 makes a Picker that decides nothing
	PieceLength int64 // bytes of a piece, except perhaps the last; the same
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
	// Spent is the part of the budget that is used up. From 1 only the floor of need is sent, from 1.1 nothing at all.
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
	// Patience is how long the peer's client stays connected to a leech that asks it for nothing. If zero, for ever.
	Patience time.Duration
}

// A Picker decides for one torrent that we seed. It is not safe for concurrent use, and holds no goroutine, clock or lock:
// times given to one Picker must come from one clock; one that goes back is taken for the last.
//
// Events about a peer that is not connected, or a piece that does not exist, are ignored.
type Picker struct {
	cfg    Config
	limits Limits
	rng    *rand.Rand

	// The clock: times are durations since epoch, the time of the first event.
	epoch time.Time
	now   time.Duration
	swept time.Duration

	// Pieces.
	pieces      []piece
	rarity      rarity
	need        [noTier][]uint32 // what is needed, by tier
	everSent    bitset           // pieces a whole copy of which ever left us
	unsentLeft  int              // the others
	otherOrigin bool             // somebody else has pieces that are not from us,
	foreignSeen int              // how many such pieces leeches were seen to get,
	otherServes bool             // and they are enough
	sources     map[uint32]sources
	stallNext   uint32
	claims      int // sum of piece.claims

	// Peers.
	peers          []*peer // by number; nil where there is none
	vacant         []Peer
	entering       []Peer // joined, in order, and some of them not ready
	entered        bool   // somebody became ready since the last Tick
	connected      int
	members        int // those whose pieces are in the claims of pieces,
	completed      int // and those of them that have become complete
	takers         []*peer
	good           int // takers that have shown nothing bad
	barren         int // takers that took nothing, or are liars
	suppliers      int
	groups         map[netip.Prefix]*group
	believedGroups int

	// Those whose word counts: who took a piece or showed more, and the others.
	believedTried, believedUntried int

	records map[home]*record
	audits  auditing

	// Choosing.
	queues    [queues]queue
	knownOnly bool // there is room only without what is on its way to strangers; set by room
	needStuck bool // serveNeed came to stuckAs, and nothing changed since
	stuckAs   outcome
	scanNext  int
	inRow     int           // needed pieces that went to other peers while strangers waited
	lentKnown time.Duration // when others than strangers were lent what was needed, last
	wasted    time.Duration // until when strangers are taken to leave lying what they are lent
	starving  []*peer
	harmed    []*peer // who will be complete late, the last first,
	amends    int64   // and bytes lent to such
	favouring bool    // some peers may have another favour than 1
	ends      bool    // some peers lack little, and are looked after: see ending and nearlyMixed
	gate      gate

	// Rates.
	inFlight      int64 // bytes of open loans that move
	strangeFlight int64 // those of strangers
	lone          *peer // was served alone last, nil if it has left
	loans         int   // open loans
	widening      widening
	credits       [Assist + 1]float64 // bytes each class may offer
	accrued       time.Duration
	faded         time.Duration
	meter         meter
	peak          float64
	median        float64 // of the rates of peers: see slowPace
	sent          int64
	arrivals      float64 // per second
	haves         int     // since the last sweep
	haveRate      float64 // per second
	relayDelay    time.Duration
	starveClock   time.Duration // stands still while the gate is closed
	asleep        bool
	proven        int           // good takers that passed pieces on, as of the last sweep,
	tried         int           // takers that ever took a piece,
	goodTried     int           // and the good ones of these
	unserved      int           // good takers that were offered nothing yet
	heard         time.Duration // when something last came of what was on offer, or nothing was
	crowded       time.Duration // until when liars are taken to be there
	junk          time.Duration // until when peers that send bytes that are not ours are taken to be there
	plentiful     time.Duration // since when there have been copies enough for sleep
	carried       bool          // others carry it: see watchCarriers
	uncarried     time.Duration // when they did not, last
	sweeps        int

	orders []Decision // not yet returned

	// Kept between calls to save allocations.
	seen   []item
	counts []int
	rates  []float64
}

// New returns a Picker without peers. rng must not be used by anybody else as long as the Picker is.
func New(cfg Config, rng *rand.Rand) *Picker {
	n := 0
	if cfg.Length > 0 && cfg.PieceLength > 0 {
		n = int((cfg.Length-1)/cfg.PieceLength) + 1
	}
	p := &Picker{
		cfg: cfg, limits: Limits{MaxRate: cfg.MaxRate}, rng: rng,
		pieces: make([]piece, n), rarity: newRarity(n), everSent: newBitset(n), unsentLeft: n, sources: map[uint32]sources{},
		peers: make([]*peer, 1), groups: map[netip.Prefix]*group{}, records: map[home]*record{},
		relayDelay: delayFirst, widening: widening{factor: 1},
	}
	for i := range p.pieces {
		p.pieces[i].rank = uint32(i)
		p.pieces[i].tier = noTier
		p.reclass(uint32(i))
	}
	for k := range p.queues {
		p.queues[k].slot = k
	}
	return p
}

// NumPieces returns the number of pieces of the torrent.
func (p *Picker) NumPieces() int { return len(p.pieces) }

// SetLimits replaces the limits. [New] begins with the MaxRate of its Config and no budget.
func (p *Picker) SetLimits(now time.Time, l Limits) {
	p.at(now)
	p.accrue()
	p.limits = l
	p.needStuck = false
}

// Tick lets time pass and decides: it appends to dst what is to be done now, and returns it. Call it after every event, or
// after every batch of them, and no later than [Picker.Next]. It costs next to nothing when there is nothing to decide.
func (p *Picker) Tick(now time.Time, dst []Decision) []Decision {
	p.at(now)
	if p.connected > 0 {
		p.accrue()
		for len(p.entering) > 0 {
			q := p.peers[p.entering[0]]
			if !q.ready && p.now-q.joined < readyAfter {
				break
			}
			p.entering = p.entering[1:]
			if !q.ready {
				p.enter(q, nil)
			}
		}
		if p.now-p.swept >= p.sweepStep() {
			p.sweep()
		}
		if len(p.pieces) > 0 {
			p.fill()
			if p.entered {
				p.keep()
			}
		}
		p.entered = false
	}
	dst = append(dst, p.orders...)
	p.orders = p.orders[:0]
	return dst
}

func (p *Picker) sweepStep() time.Duration {
	switch {
	case p.stalls():
		return stallEvery
	case p.gate.closed || p.ends:
		return gateEvery
	}
	return sweepEvery
}

// Next returns when [Picker.Tick] has something to do if no event comes first: at most a second ahead while a peer is
// connected, the zero time while none is.
func (p *Picker) Next(now time.Time) time.Time {
	p.at(now)
	if p.connected == 0 {
		return time.Time{}
	}
	next := p.swept + p.sweepStep()
	if len(p.entering) > 0 {
		next = min(next, p.peers[p.entering[0]].joined+readyAfter)
	}
	for c := Need; c <= Assist; c++ {
		if t, ok := p.affordable(c); ok {
			next = min(next, t)
		}
	}
	return p.epoch.Add(max(next, p.now))
}

// Allowed reports whether a request of the peer for the piece would be answered. It changes nothing.
func (p *Picker) Allowed(id Peer, piece uint32) bool {
	q := p.peer(id)
	return q != nil && q.unchoked && q.loan(piece) != nil
}

// at moves the clock.
func (p *Picker) at(now time.Time) {
	if p.epoch.IsZero() {
		p.epoch = now
	}
	p.now = max(p.now, now.Sub(p.epoch))
}

// peerAt moves the clock and returns the peer, or nil.
func (p *Picker) peerAt(now time.Time, id Peer) *peer {
	p.at(now)
	return p.peer(id)
}

// wake begins to let time pass after nobody was there.
func (p *Picker) wake() {
	p.swept, p.accrued = p.now, p.now
	p.plentiful, p.uncarried, p.heard = p.now, p.now, p.now
	p.asleep, p.carried = false, false
}

// number returns a number for a new peer.
func (p *Picker) number() (Peer, bool) {
	if n := len(p.vacant); n > 0 {
		id := p.vacant[n-1]
		p.vacant = p.vacant[:n-1]
		return id, true
	}
	if len(p.peers) > maxPeers {
		return 0, false
	}
	p.peers = append(p.peers, nil)
	return Peer(len(p.peers) - 1), true
}

func (p *Picker) tell(d Decision) { p.orders = append(p.orders, d) }

func clamp(d, least, most time.Duration) time.Duration { return min(max(d, least), most) }

// seconds turns a number of seconds, however large, into a duration.
func seconds(s float64) time.Duration {
	const most = 1 << 30
	return time.Duration(min(s, most) * float64(time.Second))
}
