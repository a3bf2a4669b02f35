package choke

import (
	"cmp"
	"slices"
	"time"
)

// SetLeeching says whether we lack something. Then slots are not a matter of fairness: they go to the peers that gave most lately
// (tit for tat), but for one, the optimistic unchoke, that goes round among the others and finds out who would give more (BEP 3).
func (c *Choker[P]) SetLeeching(leeching bool) { c.leeching = leeching }

// Received notes that p sent us bytes that we lacked.
func (c *Choker[P]) Received(p P, bytes int64) {
	if m := c.members[p]; m != nil {
		m.got += bytes
	}
}

// weigh closes a round: what a peer gave counts half as much with each round that goes by.
func (c *Choker[P]) weigh() {
	for _, m := range c.order {
		m.given = m.given/2 + m.got
		m.got = 0
	}
}

// reciprocate chokes those that do not deserve their slot, so that fill can give it to who does.
func (c *Choker[P]) reciprocate(now time.Time, optimistic bool) {
	if c.waiting == 0 {
		return
	}
	deserving := c.deserving()
	if optimistic || c.favourite == nil || c.members[c.favourite.peer] != c.favourite || !c.favourite.interested {
		c.favourite = c.nextFavourite(deserving, now)
	}
	for _, m := range c.order {
		if m.unchoked && m != c.favourite && !slices.Contains(deserving, m) && c.mayFlip(m, now) {
			c.choke(m, now)
		}
	}
}

// deserving returns the interested members that gave most, one less than there are slots.
func (c *Choker[P]) deserving() []*member[P] {
	var givers []*member[P]
	for _, m := range c.order {
		if m.interested && m.given > 0 {
			givers = append(givers, m)
		}
	}
	slices.SortStableFunc(givers, byGiven)
	return givers[:min(len(givers), max(c.slots-1, 0))]
}

func byGiven[P comparable](a, b *member[P]) int { return cmp.Compare(b.given, a.given) }

// nextFavourite returns who has the optimistic unchoke next: of the others, who waits longest.
func (c *Choker[P]) nextFavourite(deserving []*member[P], now time.Time) (next *member[P]) {
	for _, m := range c.order {
		if !m.interested || slices.Contains(deserving, m) || m.unchoked || !c.mayFlip(m, now) {
			continue
		}
		if next == nil || m.since.Before(next.since) {
			next = m
		}
	}
	return next
}

// sooner orders members that may be unchoked while we leech: who gave most, then the favourite, then who waits longest.
func (c *Choker[P]) sooner(a, b *member[P]) int {
	favoured := func(m *member[P]) int {
		if m == c.favourite {
			return 0
		}
		return 1
	}
	return cmp.Or(byGiven(a, b), cmp.Compare(favoured(a), favoured(b)), a.since.Compare(b.since))
}
