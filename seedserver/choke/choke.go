package choke

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Config sets a [Choker]. The zero value is the policy a seed should have.
type Config struct {
	// Slots is how many peers are unchoked at a time. If zero, as many as can be served at a useful rate.
	Slots int
	// Round is how often slots change hands, and the least time between two changes of one peer. If zero, 10 s (BEP 3).
	Round time.Duration
	// Turn is how long a peer keeps its slot while others wait. If zero, 60 s.
	Turn time.Duration
	// Quota is how many bytes a peer is sent before it has had its turn, while others wait. If zero, 32 MiB.
	Quota int64
}

func (c Config) round() time.Duration { return cmp.Or(c.Round, 10*time.Second) }
func (c Config) turn() time.Duration  { return cmp.Or(c.Turn, 60*time.Second) }
func (c Config) quota() int64         { return cmp.Or(c.Quota, 32<<20) }

// A Change is one choke or unchoke to send.
type Change[P comparable] struct {
	Peer    P
	Unchoke bool
}

// Load is how the torrent does as a whole: what the automatic number of slots follows.
type Load struct {
	Rate       int64 // bytes per second sent to all peers together
	Backlogged int   // unchoked peers with requests unanswered, but those that are late: those who would take more
}

// A Choker gives out the slots of one torrent. P names a peer: the caller's own pointer or number. All times given to one
// Choker come from one clock and never go back.
type Choker[P comparable] struct {
	cfg     Config
	members map[P]*member[P]
	order   []*member[P] // all members, oldest first: what decisions walk, so that they repeat
	seq     uint64

	slots     int // how many may be unchoked now
	unchoked  int
	waiting   int // interested and choked
	paused    bool
	nextRound time.Time
	rounds    int
	poor      int       // rounds in a row in which what each peer got was of no use
	held      time.Time // when the first of those who may not be unchoked yet, though there is a slot, may; else zero
	changes   []Change[P]

	leeching  bool
	favourite *member[P] // the optimistic unchoke while we leech
}

type member[P comparable] struct {
	peer       P
	seq        uint64
	interested bool
	unchoked   bool
	late       bool      // does not take what it is sent
	served     bool      // was unchoked at least once
	flipped    time.Time // of the last choke or unchoke; zero when there was none
	since      time.Time // when its wait, or its turn, began
	sent       int64     // bytes in this turn
	got, given int64     // bytes it sent us: in this round, and lately
}

// New returns a Choker without peers.
func New[P comparable](cfg Config) *Choker[P] {
	c := &Choker[P]{cfg: cfg, members: map[P]*member[P]{}, slots: cfg.Slots}
	if cfg.Slots <= 0 {
		c.slots = math.MaxInt
	}
	return c
}

// Join adds p, choked and not interested, and unchokes it if a slot is free. A peer that is there already is left alone.
func (c *Choker[P]) Join(now time.Time, p P) {
	if c.members[p] != nil {
		return
	}
	if c.nextRound.IsZero() {
		c.nextRound = now.Add(c.cfg.round())
	}
	c.seq++
	m := &member[P]{peer: p, seq: c.seq, since: now}
	c.members[p] = m
	c.order = append(c.order, m)
	c.fill(now)
}

// Leave removes p; its slot goes to the next at once.
func (c *Choker[P]) Leave(now time.Time, p P) {
	m := c.members[p]
	if m == nil {
		return
	}
	delete(c.members, p)
	i, _ := slices.BinarySearchFunc(c.order, m.seq, func(m *member[P], seq uint64) int { return cmp.Compare(m.seq, seq) })
	c.order = slices.Delete(c.order, i, i+1)
	switch {
	case m.unchoked:
		c.unchoked--
	case m.interested:
		c.waiting--
	}
	c.fill(now)
}

// SetInterested notes whether p wants anything. Interest in a full house takes the slot of a peer without any; the end of
// interest frees nothing by itself, since it is often followed by interest again.
func (c *Choker[P]) SetInterested(now time.Time, p P, interested bool) {
	m := c.members[p]
	if m == nil || m.interested == interested {
		return
	}
	m.interested = interested
	if m.unchoked {
		return
	}
	m.since = now
	if !interested {
		c.waiting--
		return
	}
	c.waiting++
	c.fill(now)
	if !m.unchoked && c.mayFlip(m, now) && c.displaceIdle(now) {
		c.unchoke(m, now)
	}
}

// Sent notes that p was sent bytes.
func (c *Choker[P]) Sent(p P, bytes int64) {
	if m := c.members[p]; m != nil {
		m.sent += bytes
	}
}

// SetLate notes whether p does not take what it is sent. Such a peer is not worth a slot that another waits for; the caller leaves it
// out of [Load.Backlogged].
func (c *Choker[P]) SetLate(p P, late bool) {
	if m := c.members[p]; m != nil {
		m.late = late
	}
}

// Unchoked reports whether p has a slot.
func (c *Choker[P]) Unchoked(p P) bool {
	m := c.members[p]
	return m != nil && m.unchoked
}

// Slots returns how many peers may be unchoked now; math.MaxInt when that is all of them.
func (c *Choker[P]) Slots() int { return c.slots }

// Pause chokes everybody, at once, and keeps it so until [Choker.Resume].
func (c *Choker[P]) Pause(now time.Time) {
	c.paused = true
	for _, m := range c.order {
		if m.unchoked {
			c.choke(m, now)
		}
	}
}

// Resume gives the slots out again. Who was choked less than a round ago waits for the rest of it.
func (c *Choker[P]) Resume(now time.Time) {
	c.paused = false
	c.fill(now)
}

// Deadline returns when [Choker.Advance] has something to do, if nothing else happens; the zero time when nothing waits for
// the clock.
func (c *Choker[P]) Deadline() time.Time {
	if c.paused {
		return time.Time{}
	}
	first := c.held
	if (c.waiting > 0 || c.unchoked > c.slots) && (first.IsZero() || c.nextRound.Before(first)) {
		first = c.nextRound
	}
	return first
}

// Advance plays the round when it is due, and gives free slots to those who had to wait for the clock. It may be called at
// any time; load is of the time since the last call, roughly.
func (c *Choker[P]) Advance(now time.Time, load Load) {
	if c.paused {
		return
	}
	c.fill(now)
	if now.Before(c.nextRound) {
		return
	}
	c.nextRound = now.Add(c.cfg.round())
	c.rounds++
	optimistic := c.rounds%optimisticRounds == 0
	c.resize(load)
	c.shrink(now)
	c.weigh()
	if c.leeching {
		c.reciprocate(now, optimistic)
	} else {
		c.rotate(now, optimistic)
	}
	if optimistic && !c.leeching {
		c.tryNewest(now)
	}
	c.fill(now)
}

// Drain returns the changes since the last call, in the order they were made. The slice is valid until the next call of any
// method.
func (c *Choker[P]) Drain() []Change[P] {
	changes := c.changes
	c.changes = c.changes[:0]
	return changes
}

func (c *Choker[P]) mayFlip(m *member[P], now time.Time) bool {
	return m.flipped.IsZero() || now.Sub(m.flipped) >= c.cfg.round()
}

func (c *Choker[P]) choke(m *member[P], now time.Time) {
	m.unchoked, m.flipped, m.since, m.sent = false, now, now, 0
	c.unchoked--
	if m.interested {
		c.waiting++
	}
	c.changes = append(c.changes, Change[P]{Peer: m.peer})
}

func (c *Choker[P]) unchoke(m *member[P], now time.Time) {
	m.unchoked, m.served, m.flipped, m.since, m.sent = true, true, now, now, 0
	c.unchoked++
	if m.interested {
		c.waiting--
	}
	c.changes = append(c.changes, Change[P]{Peer: m.peer, Unchoke: true})
}
