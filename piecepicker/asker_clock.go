package piecepicker

import (
	"slices"
	"time"
)

// Advance takes blocks back from peers that owed them for too long without sending any, and returns those peers, in the order
// of their numbers: others are asked. Call it at [Asker.Deadline], or every few seconds.
func (a *Asker) Advance(now time.Time) (snubbed []Peer) {
	for id, q := range a.peers {
		if q.asked.len() > 0 && now.Sub(q.heard) >= a.patience(q) {
			a.takeBack(q, true)
			q.snubbed = true
			q.heard = now
			snubbed = append(snubbed, id)
		}
	}
	slices.Sort(snubbed)
	return snubbed
}

// Deadline returns when [Asker.Advance] has something to do if nothing is heard until then, the zero time for never.
func (a *Asker) Deadline() (first time.Time) {
	for _, q := range a.peers {
		if q.asked.len() == 0 {
			continue
		}
		if due := q.heard.Add(a.patience(q)); first.IsZero() || due.Before(first) {
			first = due
		}
	}
	return first
}

// firstBlock is how long a peer that never sent a block may take for one.
const firstBlock = 10 * time.Second

// patience returns for how long q may owe blocks without sending any.
func (a *Asker) patience(q *supplier) time.Duration {
	if !q.proven {
		return min(firstBlock, a.cfg.snub())
	}
	return a.cfg.snub()
}
