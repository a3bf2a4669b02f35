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

// A guest is a peer as the servers for comparison see it.
type guest struct {
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

// A house is what the servers for comparison have in common: peers, and slots that go round.
type house struct {
	env       Env
	guests    []*guest // by number; nil where there is none
	order     []*guest // in the order of coming
	nextRound time.Time
	rounds    int
	lucky     *guest // unchoked last
	orders    []piecepicker.Decision
	avail     []int // of each piece: guests that say they have it
}

func newHouse(e Env) house {
	return house{env: e, guests: make([]*guest, 1), avail: make([]int, e.Pieces)}
}

func (h *house) PeerJoined(now time.Time, _ piecepicker.PeerInfo) piecepicker.Peer {
	g := &guest{have: newBitset(h.env.Pieces), lostAt: now, waits: now}
	if k := slices.Index(h.guests[1:], nil); k >= 0 {
		g.id = piecepicker.Peer(k + 1)
		h.guests[g.id] = g
	} else {
		g.id = piecepicker.Peer(len(h.guests))
		h.guests = append(h.guests, g)
	}
	h.order = append(h.order, g)
	return g.id
}

func (h *house) PeerBitfield(_ time.Time, id piecepicker.Peer, bits []byte) {
	for i := range h.env.Pieces {
		if bits[i>>3]&(0x80>>(i&7)) != 0 {
			h.note(h.guests[id], uint32(i))
		}
	}
}

func (h *house) PeerHaveAll(_ time.Time, id piecepicker.Peer) {
	for i := range h.env.Pieces {
		h.note(h.guests[id], uint32(i))
	}
}

func (h *house) PeerHaveNone(time.Time, piecepicker.Peer) {}

func (h *house) PeerHas(_ time.Time, id piecepicker.Peer, piece uint32) { h.note(h.guests[id], piece) }

func (h *house) note(g *guest, i uint32) {
	if !g.have.has(i) {
		g.have.set(i)
		g.nHave++
		h.avail[i]++
	}
}

func (h *house) PeerInterested(now time.Time, id piecepicker.Peer, interested bool) {
	g := h.guests[id]
	g.interested = interested
	if interested {
		g.waits = now
	} else {
		g.lostAt = now
	}
}

func (h *house) Requested(time.Time, piecepicker.Peer, uint32) (piecepicker.Class, bool) {
	return 0, true
}

func (h *house) BlockSent(_ time.Time, id piecepicker.Peer, _, _ uint32, n int) {
	h.guests[id].sent += int64(n)
}

func (h *house) Audited(time.Time, piecepicker.Peer, bool) {}

func (h *house) PeerLeft(_ time.Time, id piecepicker.Peer) {
	g := h.guests[id]
	g.have.each(func(i uint32) { h.avail[i]-- })
	h.guests[id] = nil
	h.order = slices.Delete(h.order, slices.Index(h.order, g), slices.Index(h.order, g)+1)
}

func (h *house) Rates(time.Time) piecepicker.Rates {
	const u = piecepicker.Unlimited
	return piecepicker.Rates{Total: u, Need: u, Rescue: u, Assist: u}
}

// share gives the slots round: who had its turn makes room for who waited longest, every 10 s, and the lucky one every 30 s;
// a slot without interest is given away at once.
func (h *house) share(now time.Time) {
	var waiting []*guest
	used := 0
	for _, g := range h.order {
		switch {
		case g.interested && g.unchoked:
			used++
		case g.interested:
			waiting = append(waiting, g)
		case g.unchoked:
			h.choke(g, now)
		}
	}
	if !now.Before(h.nextRound) {
		h.nextRound = now.Add(roundEvery)
		h.rounds++
		used -= h.rotate(now, used+len(waiting)-seedSlots)
	}
	slices.SortStableFunc(waiting, func(a, b *guest) int { return a.waits.Compare(b.waits) })
	for _, g := range waiting[:max(0, min(len(waiting), seedSlots-used))] {
		g.unchoked, g.since, g.sent = true, now, 0
		h.lucky = g
		h.tell(piecepicker.Decision{Kind: piecepicker.KindUnchoke, Peer: g.id, Reason: piecepicker.Reason{Code: piecepicker.Served}})
	}
}

// rotate chokes those whose turn is over, at most as many as there are to follow, and returns how many.
func (h *house) rotate(now time.Time, follow int) int {
	n := 0
	for _, g := range h.order {
		over := now.Sub(g.since) >= seedTurn && g.sent >= seedQuota*h.env.PieceLength
		over = over || g == h.lucky && h.rounds%turnRounds == 0
		if g.unchoked && over && n < follow {
			h.choke(g, now)
			n++
		}
	}
	return n
}

func (h *house) choke(g *guest, now time.Time) {
	g.unchoked, g.waits = false, now
	h.tell(piecepicker.Decision{Kind: piecepicker.KindChoke, Peer: g.id, Reason: piecepicker.Reason{Code: piecepicker.Idle}})
}

func (h *house) tell(d piecepicker.Decision) { h.orders = append(h.orders, d) }

func (h *house) offer(g *guest, i uint32) {
	h.tell(piecepicker.Decision{Kind: piecepicker.KindOffer, Peer: g.id, Piece: i})
}

func (h *house) flush(dst []piecepicker.Decision) []piecepicker.Decision {
	dst = append(dst, h.orders...)
	h.orders = h.orders[:0]
	return dst
}

// least returns the piece that g lacks with the smallest cost, at random among equals. A negative cost is none.
func (h *house) least(g *guest, cost func(i uint32) int) (uint32, bool) {
	best, found, equals := 0, uint32(0), 0
	for i := range uint32(h.env.Pieces) {
		if g.have.has(i) {
			continue
		}
		switch c := cost(i); {
		case c < 0:
		case equals == 0 || c < best:
			best, found, equals = c, i, 1
		case c == best:
			if equals++; h.env.Rand.IntN(equals) == 0 {
				found = i
			}
		}
	}
	return found, equals > 0
}
