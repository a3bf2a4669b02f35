package piecepicker

import (
	"cmp"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tinySwarm is a swarm in virtual time, in steps of tickLength: leeches that trade pieces whole, rarest first, with slots given
// to those who give most, and a seed that does what a Picker says. It is enough to see whether the rules work together.
type tinySwarm struct {
	cfg     Config
	p       *Picker
	rng     *rand.Rand
	now     time.Time
	rate    float64 // of the seed, bytes per second
	leeches []*leech
	avail   []int // leeches that have each piece
	sent    float64
	copies  []int // whole copies sent of each piece
	firstAt time.Duration
	first   float64 // copies sent when every piece was out
	allAt   time.Duration
	idle    time.Duration // in which nothing was sent before every piece was out
	offers  map[Code]int
	out     []Decision
}

type leech struct {
	id       Peer
	up, down float64
	joins    time.Duration
	addr     netip.Addr
	ignores  bool // requests nothing
	fake     bool // says it has everything, and requests nothing
	silent   bool // sends no HAVE
	leaves   bool // as soon as it is complete
	isolated bool // trades with nobody: behind a NAT, or a free rider
	greedy   bool // takes from all and gives nobody
	gone     bool
	open     bool // unchoked by us
	have     bitset
	busy     bitset // pieces it fetches
	n        int
	offered  []uint32
	got      float64 // of offered[0]
	fetch    map[*leech]*fetching
	gives    map[*leech]float64 // bytes to us in this round
	slots    []*leech
	fresh    []uint32 // pieces got in this step
	firstBit time.Duration
}

type fetching struct {
	piece uint32
	got   float64
}

const tickLength = 40 * time.Millisecond

func newTinySwarm(cfg Config, seed uint64, leeches ...*leech) *tinySwarm {
	w := &tinySwarm{cfg: cfg, p: New(cfg, rand.New(rand.NewPCG(seed, 1))), rng: rand.New(rand.NewPCG(seed, 2)), now: start,
		rate: float64(cfg.MaxRate), leeches: leeches, offers: map[Code]int{}}
	w.avail, w.copies = make([]int, w.p.NumPieces()), make([]int, w.p.NumPieces())
	for k, l := range leeches {
		l.have, l.busy = newBitset(w.p.NumPieces()), newBitset(w.p.NumPieces())
		l.fetch, l.gives = map[*leech]*fetching{}, map[*leech]float64{}
		if !l.addr.IsValid() {
			l.addr = netip.AddrFrom4([4]byte{10, byte(k >> 8), byte(k), 1})
		}
	}
	return w
}

func alike(n int, l leech) []*leech {
	list := make([]*leech, n)
	for k := range list {
		c := l
		list[k] = &c
	}
	return list
}

// run lets the swarm live until done says so or the time is over.
func (w *tinySwarm) run(most time.Duration, done func() bool) time.Duration {
	for t := time.Duration(0); t < most; t += tickLength {
		w.step(t)
		if done() {
			return t
		}
	}
	return most
}

func (w *tinySwarm) step(t time.Duration) {
	w.now = start.Add(t)
	for _, l := range w.leeches {
		if l.joins <= t && l.id == 0 && !l.gone {
			l.id = w.p.PeerJoined(w.now, PeerInfo{Addr: l.addr})
			if l.fake {
				w.p.PeerHaveAll(w.now, l.id)
			} else {
				w.p.PeerHaveNone(w.now, l.id)
			}
		}
	}
	w.decide()
	w.seed(t)
	if t%(10*time.Second) == 0 {
		w.rechoke()
	}
	w.trade()
	for _, l := range w.leeches {
		w.tell(l, t)
	}
	if w.firstAt == 0 && !slices.Contains(w.avail, 0) {
		w.firstAt, w.first = t, w.sent/float64(w.cfg.Length)
	}
	if w.allAt == 0 && !slices.ContainsFunc(w.leeches, func(l *leech) bool { return l.n < len(w.avail) && !l.ignores && !l.fake }) {
		w.allAt = t
	}
}

func (w *tinySwarm) byID(id Peer) *leech {
	return w.leeches[slices.IndexFunc(w.leeches, func(l *leech) bool { return l.id == id && !l.gone })]
}

func (w *tinySwarm) decide() {
	w.out = w.p.Tick(w.now, w.out[:0])
	for _, d := range w.out {
		l := w.byID(d.Peer)
		switch d.Kind {
		case KindOffer:
			w.offers[d.Reason.Code]++
			l.offered = append(l.offered, d.Piece)
		case KindUnchoke, KindChoke:
			l.open = d.Kind == KindUnchoke
		}
	}
}

// seed shares the rate of a step between all who want something of the seed.
func (w *tinySwarm) seed(t time.Duration) {
	var active []*leech
	for _, l := range w.leeches {
		l.offered = slices.DeleteFunc(l.offered, func(i uint32) bool { return l.have.has(i) })
		if len(l.offered) > 0 && l.open && !l.ignores && !l.fake && !l.gone {
			active = append(active, l)
		}
	}
	budget := w.rate * tickLength.Seconds()
	if len(active) == 0 && w.firstAt == 0 {
		w.idle += tickLength
	}
	slices.SortStableFunc(active, func(a, b *leech) int { return cmp.Compare(a.down, b.down) })
	for k, l := range active {
		share := min(budget/float64(len(active)-k), l.down*tickLength.Seconds())
		budget -= w.give(l, share, t)
	}
}

func (w *tinySwarm) give(l *leech, share float64, t time.Duration) (given float64) {
	for share > 0 && len(l.offered) > 0 {
		i := l.offered[0]
		if _, ok := w.p.Requested(w.now, l.id, i); !ok {
			l.offered, l.got = l.offered[1:], 0
			continue
		}
		size := float64(w.p.size(i))
		n := min(share, size-l.got)
		from, to := int64(l.got)/unit, int64(l.got+n)/unit
		l.got += n
		if l.got >= size {
			to = (int64(size) + unit - 1) / unit
		}
		for u := from; u < to; u++ {
			w.p.BlockSent(w.now, l.id, i, uint32(u*unit), int(min(unit, int64(size)-u*unit)))
			if l.firstBit == 0 {
				l.firstBit = t + tickLength
			}
		}
		share, given = share-n, given+n
		if l.got >= size {
			w.copies[i]++
			l.offered, l.got = l.offered[1:], 0
			l.take(i)
		}
	}
	w.sent += given
	return given
}

func (l *leech) take(i uint32) {
	if !l.have.has(i) {
		l.have.set(i)
		l.n++
		l.fresh = append(l.fresh, i)
	}
}

// rechoke gives the slots of each leech to those who gave it most, and one at random.
func (w *tinySwarm) rechoke() {
	for _, l := range w.leeches {
		others := slices.Clone(w.leeches)
		w.rng.Shuffle(len(others), func(a, b int) { others[a], others[b] = others[b], others[a] })
		slices.SortStableFunc(others, func(a, b *leech) int { return cmp.Compare(l.gives[b], l.gives[a]) })
		l.slots = nil
		for _, o := range others {
			if len(l.slots) < 7 && o != l && w.wants(o, l) {
				l.slots = append(l.slots, o)
			}
		}
		clear(l.gives)
	}
}

// wants reports whether u has something that d wants and fetches from nobody else.
func (w *tinySwarm) wants(d, u *leech) bool {
	if d.gone || u.gone || d.id == 0 || d.isolated || u.isolated || u.greedy || d.ignores || d.fake {
		return false
	}
	for k, word := range u.have {
		if word&^(d.have[k]|d.busy[k]) != 0 {
			return true
		}
	}
	return d.fetch[u] != nil
}

// trade moves the bytes of a step between leeches.
func (w *tinySwarm) trade() {
	for _, u := range w.leeches {
		u.slots = slices.DeleteFunc(u.slots, func(d *leech) bool { return !w.wants(d, u) })
		for range 3 {
			if d := w.leeches[w.rng.IntN(len(w.leeches))]; len(u.slots) < 8 && d != u && w.wants(d, u) && !slices.Contains(u.slots, d) {
				u.slots = append(u.slots, d)
			}
		}
		var busy []*leech
		for _, d := range u.slots {
			if w.choose(d, u) {
				busy = append(busy, d)
			}
		}
		for _, d := range busy {
			w.move(d, u, u.up*tickLength.Seconds()/float64(len(busy)))
		}
	}
}

func (w *tinySwarm) move(d, u *leech, n float64) {
	for n > 0 && w.choose(d, u) {
		f := d.fetch[u]
		part := min(n, float64(w.p.size(f.piece))-f.got)
		f.got += part
		n -= part
		d.gives[u] += part
		if f.got >= float64(w.p.size(f.piece)) {
			delete(d.fetch, u)
			d.busy.clear(f.piece)
			d.take(f.piece)
		}
	}
}

// choose finds what d fetches from u: what it fetches already, else the rarest piece that it fetches from nobody.
func (w *tinySwarm) choose(d, u *leech) bool {
	if f := d.fetch[u]; f != nil {
		if !d.have.has(f.piece) {
			return true
		}
		delete(d.fetch, u)
		d.busy.clear(f.piece)
	}
	best, n := -1, 0
	for k, word := range u.have {
		for rest := word &^ (d.have[k] | d.busy[k]); rest != 0; rest &= rest - 1 {
			i := k<<6 + bits.TrailingZeros64(rest)
			switch {
			case best < 0 || w.avail[i] < w.avail[best]:
				best, n = i, 1
			case w.avail[i] == w.avail[best]:
				if n++; w.rng.IntN(n) == 0 {
					best = i
				}
			}
		}
	}
	if best < 0 || slices.Contains(u.fresh, uint32(best)) {
		return false
	}
	d.fetch[u] = &fetching{piece: uint32(best)}
	d.busy.set(uint32(best))
	return true
}

// tell lets the picker know what l got in this step.
func (w *tinySwarm) tell(l *leech, t time.Duration) {
	for _, i := range l.fresh {
		w.avail[i]++
		if !l.silent {
			w.p.PeerHas(w.now, l.id, i)
		}
	}
	l.fresh = l.fresh[:0]
	if l.leaves && l.n == len(w.avail) && !l.gone {
		l.gone = true
		w.p.PeerLeft(w.now, l.id)
		for i := range w.avail {
			w.avail[i]--
		}
		for _, d := range w.leeches {
			if f := d.fetch[l]; f != nil {
				d.busy.clear(f.piece)
				delete(d.fetch, l)
			}
		}
	}
}

const mib = 1 << 20

// whole is 64 MiB in pieces of 256 KiB, at 2 MiB/s: half a minute for a copy.
var whole = Config{Length: 64 * mib, PieceLength: 256 << 10, MaxRate: 2 * mib}

func (w *tinySwarm) complete() bool { return w.allAt > 0 }

func (w *tinySwarm) total() float64 { return w.sent / float64(w.cfg.Length) }

func TestSwarmOfEqualPeers(t *testing.T) {
	for _, tc := range []struct {
		n      int
		copies float64
		most   time.Duration
	}{{1, 1, 33 * time.Second}, {2, 1.02, 34 * time.Second}, {4, 1.04, 36 * time.Second}, {10, 1.04, 38 * time.Second}, {20, 1.04, 40 * time.Second}} {
		for _, leaves := range []bool{false, true} {
			t.Run(fmt.Sprintf("n=%d/leave=%t", tc.n, leaves), func(t *testing.T) {
				w := newTinySwarm(whole, 1, alike(tc.n, leech{up: 2 * mib, down: 50 * mib, leaves: leaves})...)
				w.run(2*time.Minute, w.complete)
				t.Logf("first copy: %.3f copies, %v; all complete: %.3f copies, %v; offers %v", w.first, w.firstAt, w.total(), w.allAt, w.offers)
				require.True(t, w.complete())
				require.LessOrEqual(t, w.first, 1.01)
				require.LessOrEqual(t, w.total(), tc.copies+1e-9)
				require.LessOrEqual(t, w.allAt, tc.most)
				for _, l := range w.leeches {
					require.LessOrEqual(t, l.firstBit, 2500*time.Millisecond) // a piece for each of 20 takes as long
				}
			})
		}
	}
}

func TestSwarmsOfAllKinds(t *testing.T) {
	honest := leech{up: 2 * mib, down: 50 * mib}
	for _, tc := range []struct {
		name    string
		leeches []*leech
		first   time.Duration // when the first copy is out, at most
		all     time.Duration // when the honest are complete, at most
		copies  float64       // by then, at most
	}{
		{"half greedy", append(alike(10, honest), alike(10, leech{greedy: true, down: 50 * mib})...), 40 * time.Second, 4 * time.Minute, 4},
		{"half idle", append(alike(10, honest), alike(10, leech{ignores: true})...), 40 * time.Second, 60 * time.Second, 1.1},
		{"nine of ten idle", append(alike(10, honest), alike(90, leech{ignores: true})...), 50 * time.Second, 70 * time.Second, 1.1},
		{"nine of ten fake seeds", append(alike(90, leech{fake: true}), alike(10, honest)...), 34 * time.Second, 38 * time.Second, 1.04},
		{"silent", alike(10, leech{up: 2 * mib, down: 50 * mib, silent: true}), 2 * time.Minute, 2 * time.Minute, 1.1},
		{"half silent", append(alike(5, honest), alike(5, leech{up: 2 * mib, down: 50 * mib, silent: true})...), 40 * time.Second, 2 * time.Minute, 2},
		{"nobody reaches anybody", alike(4, leech{down: 50 * mib, isolated: true}), 70 * time.Second, 4 * time.Minute, 4.1},
		{"half reach nobody", append(alike(5, honest), alike(5, leech{down: 50 * mib, isolated: true})...), 60 * time.Second, 20 * time.Minute, 6.1},
		{"one is slow", append(alike(9, honest), &leech{up: mib / 50, down: mib / 10}), 40 * time.Second, 12 * time.Minute, 1.2},
		{"one network", oneNetwork(alike(20, honest)), 35 * time.Second, 40 * time.Second, 1.04},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newTinySwarm(whole, 1, tc.leeches...)
			w.run(30*time.Minute, func() bool {
				return !slices.ContainsFunc(w.leeches, func(l *leech) bool { return l.n < len(w.avail) && !l.ignores && !l.fake && !l.greedy })
			})
			require.NoError(t, w.p.check())
			at := w.now.Sub(start)
			t.Logf("first copy: %.3f copies, %v; all complete: %.3f copies, %v; offers %v", w.first, w.firstAt, w.total(), at, w.offers)
			require.LessOrEqual(t, w.firstAt, tc.first)
			require.NotZero(t, w.firstAt)
			require.LessOrEqual(t, at, tc.all)
			require.LessOrEqual(t, w.total(), tc.copies)
		})
	}
}

func oneNetwork(leeches []*leech) []*leech {
	for k, l := range leeches {
		l.addr = netip.AddrFrom4([4]byte{198, 18, 0, byte(k + 1)})
	}
	return leeches
}
