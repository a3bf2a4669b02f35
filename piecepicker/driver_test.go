package piecepicker

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// source is where the driver takes its choices from.
type source interface {
	IntN(n int) int
}

// driver makes events, sensible and senseless, and holds what the picker decides to what it promises of each decision.
type driver struct {
	p     *Picker
	rng   source
	now   time.Time
	peers map[Peer]*seen
	order []Peer // the keys of peers
	sent  map[uint32]int

	fetched int64 // by audits

	out []Decision
	err error
}

// seen is what the driver knows of a peer from its own events and the decisions.
type seen struct {
	has      map[uint32]bool
	complete bool
	revealed map[uint32]bool
	flipped  time.Time
	unchoked bool
	dropped  bool

	interest bool // of ours
	chokes   bool // it answers nothing but what it allows
	allows   map[uint32]bool
	asked    *Block
}

func newDriver(cfg Config, seed uint64, rng source) *driver {
	return &driver{p: New(cfg, rand.New(rand.NewPCG(seed, 1))), rng: rng, now: start, peers: map[Peer]*seen{}, sent: map[uint32]int{}}
}

func (d *driver) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// carryOut takes the decisions.
func (d *driver) carryOut() {
	before := map[Peer]bool{}
	d.out = d.p.Tick(d.now, d.out[:0])
	for _, o := range d.out {
		s := d.peers[o.Peer]
		if s == nil {
			d.fail("%v: no such peer", o)
			return
		}
		switch o.Kind {
		case KindOffer:
			d.offered(o, s)
		case KindChoke, KindUnchoke:
			if before[o.Peer] || s.unchoked == (o.Kind == KindUnchoke) {
				d.fail("%v: changes twice, or nothing", o)
			}
			if !s.flipped.IsZero() && d.now.Sub(s.flipped) < 10*time.Second {
				d.fail("%v: %v after the last", o, d.now.Sub(s.flipped))
			}
			before[o.Peer] = true
			s.unchoked, s.flipped = o.Kind == KindUnchoke, d.now
		case KindRemind:
			if !s.unchoked {
				d.fail("%v: it is choked", o)
			}
		case KindDrop:
			s.dropped = true
		case KindInterest, KindDisinterest:
			if s.interest == (o.Kind == KindInterest) {
				d.fail("%v: changes nothing", o)
			}
			s.interest = o.Kind == KindInterest
		case KindAsk:
			d.asked(o, s)
		case KindWithdraw:
			if !s.revealed[o.Piece] && o.Reason.Code != Mixed {
				d.fail("%v: was not revealed", o)
			}
		}
		if o.Reason.Code == 0 || o.String() == "" {
			d.fail("%v: no reason", o)
		}
	}
}

func (d *driver) offered(o Decision, s *seen) {
	if !s.unchoked {
		d.fail("%v: it is choked", o) // "only unchoked peers hold offers"
	}
	if s.complete || s.has[o.Piece] {
		d.fail("%v: it has it", o)
	}
	if s.revealed[o.Piece] && !s.has[o.Piece] {
		d.fail("%v: it was offered before", o)
	}
	s.revealed[o.Piece] = true
	if n := d.p.NumPieces(); len(s.revealed) == n && n > shownMost {
		lacks := 0
		for i := range s.revealed {
			if !s.has[i] {
				lacks++
			}
		}
		if lacks < 2 {
			d.fail("%v: looks complete to who lacks nothing else", o)
		}
	}
	if o.Class == 0 {
		d.fail("%v: no class", o)
	}
	sent := d.p.pieces[o.Piece].sent
	if sent == 0 && !d.p.otherOrigin && o.Class == Assist {
		d.fail("%v: assistance with a piece that is not out", o)
	}
	if sent > 0 && o.Reason.Code == Unsent {
		d.fail("%v: it was sent", o)
	}
}

// asked holds a request to what a leech may ask for, and to what may be spent.
func (d *driver) asked(o Decision, s *seen) {
	b := o.Block
	if s.asked != nil {
		d.fail("%v: another is on its way", o)
	}
	if s.chokes && !s.allows[b.Index] || !s.interest {
		d.fail("%v: it would not answer", o)
	}
	if int(b.Index) >= len(d.p.pieces) || !s.complete && !s.has[b.Index] && !d.p.peers[o.Peer].has(b.Index) {
		d.fail("%v: it does not have that", o)
	}
	if b.Begin%unit != 0 || b.Length == 0 || b.Length > unit || int64(b.Begin)+int64(b.Length) > d.p.size(b.Index) {
		d.fail("%v: not a block", o)
	}
	if (d.fetched+int64(b.Length))*100 > d.p.sent {
		d.fail("%v: more than a hundredth of %d", o, d.p.sent)
	}
	s.asked = &b
}

// answer makes a peer answer what it was asked for, or not.
func (d *driver) answer(id Peer, s *seen) {
	switch b := s.asked; {
	case b == nil:
	case d.rng.IntN(6) == 0:
		s.asked = nil
		d.p.Unanswered(d.now, id, *b)
	case d.rng.IntN(5) == 0:
		s.asked = nil
		d.p.Refused(d.now, id, *b)
	default:
		s.asked = nil
		d.fetched += int64(b.Length)
		d.p.Answered(d.now, id, *b, d.rng.IntN(20) > 0)
	}
}

// step makes one event.
func (d *driver) step() {
	d.now = d.now.Add([...]time.Duration{0, time.Millisecond, 40 * time.Millisecond, 700 * time.Millisecond, 3 * time.Second}[d.rng.IntN(5)])
	n := len(d.p.pieces)
	piece := uint32(d.rng.IntN(n + n/8 + 1))
	if len(d.order) == 0 || len(d.order) < 40 && d.rng.IntN(40) == 0 {
		d.join()
		d.carryOut()
		return
	}
	id := d.order[d.rng.IntN(len(d.order))]
	s := d.peers[id]
	switch d.rng.IntN(26) {
	case 0:
		d.leave(id)
	case 1:
		d.tell(id, s)
	case 2, 3:
		d.p.PeerInterested(d.now, id, d.rng.IntN(3) > 0)
	case 4, 5, 6, 7:
		d.has(id, s, piece)
	case 8:
		d.request(id, s, piece)
	case 9:
		d.oddBlock(id, piece)
	case 10:
		d.rare(id, s)
	case 11:
		d.answer(id, s)
	case 12:
		s.chokes = d.rng.IntN(3) == 0
		d.p.PeerChoking(d.now, id, s.chokes)
		d.p.PeerLags(d.now, id, d.rng.IntN(3) == 0)
	default:
		d.fetch(id, s)
	}
	d.carryOut()
}

func (d *driver) join() {
	addr := netip.AddrFrom4([4]byte{10, 0, byte(d.rng.IntN(6)), byte(d.rng.IntN(30))})
	if d.rng.IntN(4) == 0 {
		addr = netip.AddrFrom16([16]byte{0x20, 1, 5: byte(d.rng.IntN(3)), 7: byte(d.rng.IntN(9)), 15: 1})
	}
	if d.rng.IntN(20) == 0 {
		addr = netip.Addr{}
	}
	id := d.p.PeerJoined(d.now, PeerInfo{Addr: addr, UploadOnly: d.rng.IntN(50) == 0,
		Patience: time.Duration(d.rng.IntN(3)) * time.Minute})
	d.peers[id] = &seen{has: map[uint32]bool{}, revealed: map[uint32]bool{}, chokes: true, allows: map[uint32]bool{}}
	d.order = append(d.order, id)
}

func (d *driver) leave(id Peer) {
	d.p.PeerLeft(d.now, id)
	delete(d.peers, id)
	for k, o := range d.order {
		if o == id {
			d.order = append(d.order[:k], d.order[k+1:]...)
			return
		}
	}
}

// tell announces the peer's pieces, now and then all of them, or far too late.
func (d *driver) tell(id Peer, s *seen) {
	n := len(d.p.pieces)
	switch d.rng.IntN(10) {
	case 0:
		d.p.PeerHaveAll(d.now, id)
		s.complete = true
	case 1, 2, 3:
		d.p.PeerHaveNone(d.now, id)
	default:
		bits := make([]byte, (n+7)/8+d.rng.IntN(2))
		some := d.rng.IntN(3)
		for i := range n {
			// Rather what was sent than what nobody can have.
			if d.rng.IntN(4) < some && (d.p.everSent.has(uint32(i)) || d.rng.IntN(3*n) == 0) {
				bits[i/8] |= 0x80 >> (i % 8)
				s.has[uint32(i)] = true
			}
		}
		d.p.PeerBitfield(d.now, id, bits)
	}
}

func (d *driver) has(id Peer, s *seen, piece uint32) {
	if int(piece) < len(d.p.pieces) && !d.p.everSent.has(piece) && d.rng.IntN(50) > 0 {
		return
	}
	d.p.PeerHas(d.now, id, piece)
	s.has[piece] = true
}

func (d *driver) request(id Peer, s *seen, piece uint32) {
	if d.rng.IntN(4) == 0 {
		d.takeBack(id, s, piece)
	}
	want := d.p.Allowed(id, piece)
	class, ok := d.p.Requested(d.now, id, piece)
	if ok != want || ok && class == 0 {
		d.fail("request of %d for %d answered %v %t, Allowed %t", id, piece, class, ok, want)
	}
	// "A block is uploaded only for a (peer, piece) revealed to it."
	if ok && (!s.revealed[piece] || !s.unchoked) {
		d.fail("request of %d for %d allowed, revealed %t, unchoked %t", id, piece, s.revealed[piece], s.unchoked)
	}
}

// takeBack asks for any block of the piece as one does who understands that pieces are taken back.
func (d *driver) takeBack(id Peer, s *seen, piece uint32) {
	b := Block{piece, uint32(d.rng.IntN(4)) * unit, uint32(1 + d.rng.IntN(unit))}
	for range 2 { // that piece, and the one it asked for before
		back, ok := d.p.TakeBack(d.now, id, b)
		if !ok {
			return
		}
		if !s.revealed[back] || d.p.peers[id].loan(back) != nil {
			d.fail("%d is taken back from %d, revealed %t", back, id, s.revealed[back])
		}
		delete(s.revealed, back)
	}
	if back, ok := d.p.TakeBack(d.now, id, b); ok {
		d.fail("%d is taken back from %d, too", back, id)
	}
}

// oddBlock is a block whose sending was not asked for, or with senseless figures.
func (d *driver) oddBlock(id Peer, piece uint32) {
	if d.p.peers[id].loan(piece) == nil {
		d.p.BlockSent(d.now, id, piece, uint32(d.rng.IntN(1<<20)), d.rng.IntN(1<<20)-5)
	}
}

func (d *driver) rare(id Peer, s *seen) {
	switch d.rng.IntN(12) {
	case 0:
		d.p.Audited(d.now, id, true)
	case 1:
		d.p.Audited(d.now, id, false)
	case 2:
		d.p.PeerUploadOnly(d.now, id, d.rng.IntN(2) == 0)
	case 3:
		d.now = d.now.Add(time.Duration(d.rng.IntN(600)) * time.Second)
	case 4:
		d.p.SetLimits(d.now, Limits{MaxRate: int64(d.rng.IntN(3)) << 20, Pace: int64(d.rng.IntN(2)) << 18, Spent: float64(d.rng.IntN(13)) / 10})
	case 5:
		d.p.SetLimits(d.now, Limits{})
	case 6:
		piece := uint32(d.rng.IntN(len(d.p.pieces)))
		d.p.PeerAllows(d.now, id, piece)
		s.allows[piece] = true
	}
}

// fetch makes a peer take what it was offered: some of it, or all, with or without a word.
func (d *driver) fetch(id Peer, s *seen) {
	q := d.p.peers[id]
	if len(q.loans) == 0 {
		return
	}
	ln := q.loans[d.rng.IntN(len(q.loans))]
	d.request(id, s, ln.piece)
	if !s.unchoked || q.loan(ln.piece) == nil {
		return
	}
	size := d.p.size(ln.piece)
	step := int64(1 + d.rng.IntN(3*unit))
	for at := int64(0); at < size; at += step {
		d.p.BlockSent(d.now, id, ln.piece, uint32(at), int(min(step, size-at)))
		if d.rng.IntN(12) == 0 {
			return
		}
	}
	switch d.rng.IntN(4) {
	case 0:
		d.p.PeerInterested(d.now, id, true)
		d.p.PeerInterested(d.now, id, false)
	case 1: // says nothing
		return
	default:
		d.p.PeerHas(d.now, id, ln.piece)
	}
	s.has[ln.piece] = true
}

func TestRandomEventsKeepTheCounts(t *testing.T) {
	events := 1_000_000
	if testing.Short() || raceEnabled {
		events = 60_000
	}
	for _, mode := range []Mode{Conservative, Balanced, Generous} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			seed := uint64(mode) + 7
			rng := rand.New(rand.NewPCG(seed, 2))
			d := newDriver(Config{Length: 97*(48<<10) - 5, PieceLength: 48 << 10, Mode: mode}, seed, rng)
			for n := range events / 3 {
				d.step()
				require.NoError(t, d.err, "event %d", n)
				if n%1000 == 0 {
					require.NoError(t, d.p.check(), "event %d", n)
				}
			}
			for len(d.order) > 0 {
				d.leave(d.order[0])
			}
			require.NoError(t, d.p.check())
			for i, pc := range d.p.pieces {
				require.Zero(t, pc.live+pc.offers+pc.claims, "piece %d after all have left", i)
			}
			require.Zero(t, d.p.inFlight)
		})
	}
}

// drawn takes the choices from rapid, so that a failure shrinks.
type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

func TestAnyEventsKeepTheCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.Int64Range(1, 12).Draw(t, "pieces")
		d := newDriver(Config{Length: pieces*unit - 7, PieceLength: unit}, 1, drawn{t})
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			d.step()
			if d.err == nil {
				d.err = d.p.check()
			}
			if d.err != nil {
				t.Fatal(d.err)
			}
		}
	})
}
