package piecepicker

import "time"

// What is normal for a peer.
//
// How long it may get nothing before something is wrong depends on how fast it was before: a peer that got ten pieces a second
// and gets none for five has lost its partners, or waits for blocks that others promised it, while one on a slow line waits half
// a minute for its next piece. A lull is a time in which a peer usually gets twenty pieces.

const (
	lullPieces = 20
	lullLeast  = 5 * time.Second
	lullMost   = 30 * time.Second
	lullStuck  = 10
)

// lull returns how long a lull of q is, at most, as long as it got too little to tell.
func (q *peer) lull() time.Duration {
	usual, ok := q.usual()
	if !ok {
		return lullMost
	}
	return clamp(lullPieces*usual, lullLeast, lullMost)
}

// usual returns how long it usually takes q to get a piece, and false if it got too few to tell.
func (q *peer) usual() (each time.Duration, ok bool) {
	gained := q.nHave - q.came
	if gained < lullPieces {
		return 0, false
	}
	return (q.grew - q.joined) / time.Duration(gained), true
}

// observe notes whether q is stuck: whether it got nothing for a lull, or less in one than a tenth of what it usually gets.
func (p *Picker) observe(q *peer) {
	lull := q.lull()
	if dt := p.now - q.lapse.since; dt >= lull {
		usual := float64(q.nHave-q.came) * float64(dt) / float64(max(1, q.grew-q.joined))
		q.stuck = float64(q.nHave-q.lapse.had) < usual/lullStuck
		q.lapse = lapse{since: p.now, had: q.nHave}
	}
	q.stuck = q.stuck || p.now-q.grew >= lull
}

// lapse is what a peer had when it was observed last.
type lapse struct {
	since time.Duration
	had   int
}
