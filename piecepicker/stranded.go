package piecepicker

import "time"

// Stranded peers.
//
// libtorrent hangs up on who becomes complete by a piece, if nothing it had before was of interest: all who lack just that piece lose
// the peer that got it first. When the last piece to leave us is slow, and the others have spread meanwhile, a swarm ends like that: a few are
// complete, and the others know nobody who has what they lack. We cannot see who is connected to whom, but that a peer waits for its last
// piece longer than for any other, while only complete peers have it. It gets it from us.

const (
	strandedUsual = 4 // times what it usually waits for a piece, at least
	strandedLeast = time.Second
)

// ending reports whether q lacks one piece, which nobody has who lacks another, and returns it.
func (p *Picker) ending(q *peer) (uint32, bool) {
	if q.nHave != len(p.pieces)-1 || !q.member {
		return 0, false
	}
	i, ok := q.have.missing(0, len(p.pieces), func(uint32) bool { return true }, 1)
	return i, ok && p.pieces[i].live > 0 && int(p.pieces[i].claims) == p.completed
}

// stranded reports whether q was ending for so long that it will not get its last piece of others.
func (p *Picker) stranded(q *peer) bool {
	usual, ok := q.usual()
	if !ok || p.now-q.grew <= max(strandedLeast, strandedUsual*usual) {
		return false
	}
	_, ok = p.ending(q)
	return ok
}
