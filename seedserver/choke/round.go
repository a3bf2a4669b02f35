package choke

import (
	"cmp"
	"slices"
	"time"
)

// The automatic number of slots keeps what a peer gets between these, bytes per second. A block of 16 KiB at less than
// minRate takes long enough for clients to give up on it and ask elsewhere.
const (
	minRate  = 8 << 10
	goodRate = 16 << 10
	minSlots = 8 // fewer are never made of an automatic number
)

// poorRounds is how many rounds in a row must be poor to take slots away: many peers that begin at once look poor for one.
const poorRounds = 2

// optimisticRounds is how many rounds go by until the newest peer is tried in a slot, out of turn: 30 s (BEP 3).
const optimisticRounds = 3

// resize follows the load with the number of slots, unless it is configured.
func (c *Choker[P]) resize(load Load) {
	if c.cfg.Slots > 0 {
		return
	}
	each := int64(goodRate)
	if load.Backlogged > 0 {
		each = load.Rate / int64(load.Backlogged)
	}
	if load.Backlogged > minSlots && each < minRate {
		c.poor++
	} else {
		c.poor = 0
	}
	switch {
	case c.poor >= poorRounds:
		// At most a quarter less in one round: one bad minute is no reason to choke a whole swarm.
		c.slots = max(minSlots, int(load.Rate/goodRate), c.unchoked*3/4)
	case c.waiting > 0 && c.unchoked >= c.slots && each >= goodRate:
		c.slots += c.slots/2 + 1
	}
}

// shrink chokes who is unchoked beyond the number of slots: the idle first, then the longest served.
func (c *Choker[P]) shrink(now time.Time) {
	for c.unchoked > c.slots {
		if !c.displaceIdle(now) && !c.displaceLongest(now) {
			return
		}
	}
}

// rotate ends turns, as many as there are peers waiting for one that may be unchoked now. An optimistic round makes room for
// a newcomer even when nobody has had his full turn.
func (c *Choker[P]) rotate(now time.Time, optimistic bool) {
	want := c.unchoked - c.slots
	for _, m := range c.order {
		if m.interested && !m.unchoked && c.mayFlip(m, now) {
			want++
		}
	}
	for want > 0 && c.displaceIdle(now) {
		want--
	}
	over := c.turnsOver(now)
	for _, m := range over[:max(0, min(want, len(over)))] {
		c.choke(m, now)
	}
	if optimistic && c.unchoked >= c.slots && c.newest(now) != nil {
		c.displaceLongest(now)
	}
}

// turnsOver returns the members whose turn is over and who may be choked, those with the most bytes of it first.
func (c *Choker[P]) turnsOver(now time.Time) []*member[P] {
	var over []*member[P]
	for _, m := range c.order {
		if m.unchoked && c.mayFlip(m, now) && (m.sent >= c.cfg.quota() || now.Sub(m.since) >= c.cfg.turn()) {
			over = append(over, m)
		}
	}
	slices.SortStableFunc(over, func(a, b *member[P]) int { return cmp.Compare(b.sent, a.sent) })
	return over
}

// displaceIdle chokes the peer that has sat longest on a slot without interest, or without taking anything, and reports whether
// there was one.
func (c *Choker[P]) displaceIdle(now time.Time) bool {
	return c.displace(now, func(m *member[P]) bool { return !m.interested || m.late })
}

// displaceLongest chokes the peer whose turn has lasted longest.
func (c *Choker[P]) displaceLongest(now time.Time) bool {
	return c.displace(now, func(*member[P]) bool { return true })
}

func (c *Choker[P]) displace(now time.Time, eligible func(*member[P]) bool) bool {
	var longest *member[P]
	for _, m := range c.order {
		if m.unchoked && c.mayFlip(m, now) && eligible(m) && (longest == nil || m.since.Before(longest.since)) {
			longest = m
		}
	}
	if longest == nil {
		return false
	}
	c.choke(longest, now)
	return true
}

// fill gives free slots out: to who waits longest, and what remains to peers that are not interested yet.
func (c *Choker[P]) fill(now time.Time) {
	c.held = time.Time{}
	if c.paused || c.unchoked >= c.slots || c.unchoked == len(c.order) {
		return
	}
	var ready []*member[P]
	for _, m := range c.order {
		switch due := m.flipped.Add(c.cfg.round()); {
		case m.unchoked:
		case c.mayFlip(m, now):
			ready = append(ready, m)
		case c.held.IsZero() || due.Before(c.held):
			c.held = due
		}
	}
	slices.SortStableFunc(ready, func(a, b *member[P]) int {
		if c.leeching && a.interested && b.interested {
			return c.sooner(a, b)
		}
		if a.interested != b.interested {
			if a.interested {
				return -1
			}
			return 1
		}
		return a.since.Compare(b.since)
	})
	for _, m := range ready[:min(len(ready), c.slots-c.unchoked)] {
		c.unchoke(m, now)
	}
}

// tryNewest gives a free slot to the newest peer that was never served, if there is one.
func (c *Choker[P]) tryNewest(now time.Time) {
	if m := c.newest(now); m != nil && c.unchoked < c.slots {
		c.unchoke(m, now)
	}
}

// newest returns the interested peer that came last and was never unchoked, or nil.
func (c *Choker[P]) newest(now time.Time) *member[P] {
	for _, m := range slices.Backward(c.order) {
		if m.interested && !m.unchoked && !m.served && c.mayFlip(m, now) {
			return m
		}
	}
	return nil
}
