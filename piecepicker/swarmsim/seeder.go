package swarmsim

import (
	"slices"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

const (
	seedSlots = 8  // one of them goes to another peer every three rounds
	seedQuota = 20 // pieces, after which it is the next peer's turn
	seedTurn  = time.Minute
	offerIdle = 10 * time.Second // without interest: something else is offered
)

// A remote is a peer as the seeds for comparison see it.
type remote struct {
	id         piecepicker.Peer
	have       bitset
	nHave      int
	offers     []uint32 // shown and not yet had
	interested bool
	lostAt     time.Time // when interest ended
	unchoked   bool
	since      time.Time // unchoked
	waits      time.Time // since when it waits for a turn
	sent       int64     // in this turn
}

// A seeder is what the seeds for comparison have in common: peers, and slots that go round.
type seeder struct {
	env       Env
	remotes   []*remote // by number; nil where there is none
	order     []*remote // in the order of coming
	nextRound time.Time
	rounds    int
	lucky     *remote // unchoked last
	orders    []piecepicker.Decision
	avail     []int // of each piece: remotes that say they have it
}

func newSeeder(e Env) seeder {
	return seeder{env: e, remotes: make([]*remote, 1), avail: make([]int, e.Pieces)}
}

func (s *seeder) PeerJoined(now time.Time, _ piecepicker.PeerInfo) piecepicker.Peer {
	g := &remote{have: newBitset(s.env.Pieces), lostAt: now, waits: now}
	if k := slices.Index(s.remotes[1:], nil); k >= 0 {
		g.id = piecepicker.Peer(k + 1)
		s.remotes[g.id] = g
	} else {
		g.id = piecepicker.Peer(len(s.remotes))
		s.remotes = append(s.remotes, g)
	}
	s.order = append(s.order, g)
	return g.id
}

func (s *seeder) PeerBitfield(_ time.Time, id piecepicker.Peer, bits []byte) {
	for i := range s.env.Pieces {
		if bits[i>>3]&(0x80>>(i&7)) != 0 {
			s.note(s.remotes[id], uint32(i))
		}
	}
}

func (s *seeder) PeerHaveAll(_ time.Time, id piecepicker.Peer) {
	for i := range s.env.Pieces {
		s.note(s.remotes[id], uint32(i))
	}
}

func (s *seeder) PeerHaveNone(time.Time, piecepicker.Peer) {}

func (s *seeder) PeerHas(_ time.Time, id piecepicker.Peer, piece uint32) {
	s.note(s.remotes[id], piece)
}

func (s *seeder) note(g *remote, i uint32) {
	if !g.have.has(i) {
		g.have.set(i)
		g.nHave++
		s.avail[i]++
	}
}

func (s *seeder) PeerInterested(now time.Time, id piecepicker.Peer, interested bool) {
	g := s.remotes[id]
	g.interested = interested
	if interested {
		g.waits = now
	} else {
		g.lostAt = now
	}
}

func (s *seeder) Requested(time.Time, piecepicker.Peer, uint32) (piecepicker.Class, bool) {
	return 0, true
}

func (s *seeder) BlockSent(_ time.Time, id piecepicker.Peer, _, _ uint32, n int) {
	s.remotes[id].sent += int64(n)
}

func (s *seeder) PeerChoking(time.Time, piecepicker.Peer, bool) {}

func (s *seeder) Answered(time.Time, piecepicker.Peer, piecepicker.Block, bool) {}

func (s *seeder) PeerLeft(_ time.Time, id piecepicker.Peer) {
	g := s.remotes[id]
	g.have.each(func(i uint32) { s.avail[i]-- })
	s.remotes[id] = nil
	s.order = slices.Delete(s.order, slices.Index(s.order, g), slices.Index(s.order, g)+1)
}

func (s *seeder) Rates(time.Time) piecepicker.Rates {
	const u = piecepicker.Unlimited
	return piecepicker.Rates{Total: u, Need: u, Rescue: u, Assist: u}
}

// share gives the slots round: who had its turn makes room for who waited longest, every 10 s, and the lucky one every 30 s;
// a slot without interest is given away at once.
func (s *seeder) share(now time.Time) {
	var waiting []*remote
	used := 0
	for _, g := range s.order {
		switch {
		case g.interested && g.unchoked:
			used++
		case g.interested:
			waiting = append(waiting, g)
		case g.unchoked:
			s.choke(g, now)
		}
	}
	if !now.Before(s.nextRound) {
		s.nextRound = now.Add(roundEvery)
		s.rounds++
		used -= s.rotate(now, used+len(waiting)-seedSlots)
	}
	slices.SortStableFunc(waiting, func(a, b *remote) int { return a.waits.Compare(b.waits) })
	for _, g := range waiting[:max(0, min(len(waiting), seedSlots-used))] {
		g.unchoked, g.since, g.sent = true, now, 0
		s.lucky = g
		s.tell(piecepicker.Decision{Kind: piecepicker.KindUnchoke, Peer: g.id, Reason: piecepicker.Reason{Code: piecepicker.Served}})
	}
}

// rotate chokes those whose turn is over, at most as many as there are to follow, and returns how many.
func (s *seeder) rotate(now time.Time, follow int) int {
	n := 0
	for _, g := range s.order {
		over := now.Sub(g.since) >= seedTurn && g.sent >= seedQuota*s.env.PieceLength
		over = over || g == s.lucky && s.rounds%turnRounds == 0
		if g.unchoked && over && n < follow {
			s.choke(g, now)
			n++
		}
	}
	return n
}

func (s *seeder) choke(g *remote, now time.Time) {
	g.unchoked, g.waits = false, now
	s.tell(piecepicker.Decision{Kind: piecepicker.KindChoke, Peer: g.id, Reason: piecepicker.Reason{Code: piecepicker.Idle}})
}

func (s *seeder) tell(d piecepicker.Decision) { s.orders = append(s.orders, d) }

func (s *seeder) offer(g *remote, i uint32) {
	s.tell(piecepicker.Decision{Kind: piecepicker.KindOffer, Peer: g.id, Piece: i})
}

func (s *seeder) flush(dst []piecepicker.Decision) []piecepicker.Decision {
	dst = append(dst, s.orders...)
	s.orders = s.orders[:0]
	return dst
}

// least returns the piece that g lacks with the smallest cost, at random among equals. A negative cost is none.
func (s *seeder) least(g *remote, cost func(i uint32) int) (uint32, bool) {
	best, found, equals := 0, uint32(0), 0
	for i := range uint32(s.env.Pieces) {
		if g.have.has(i) {
			continue
		}
		switch c := cost(i); {
		case c < 0:
		case equals == 0 || c < best:
			best, found, equals = c, i, 1
		case c == best:
			if equals++; s.env.Rand.IntN(equals) == 0 {
				found = i
			}
		}
	}
	return found, equals > 0
}
