package piecepicker

import (
	"slices"
	"time"
)

// Who passes on what we give.
//
// When a peer says that it has a piece that we did not give it, those who were given the piece while nobody else held it have
// passed it on: that is the only evidence there is. A piece that nobody passes on in time counts against its holder, unless
// nobody wants it.

// relay is what a peer has shown.
type relay struct {
	window  float64 // how many pieces it may have out before others come first
	relayed int
	expired int
	served  int       // whole pieces we sent it
	waiting []waiting // pieces it has of us and nobody has been seen to get, oldest first
	late    int       // how many of those are overdue
}

// waiting is a piece that was given and not yet seen at a second peer.
type waiting struct {
	piece uint32
	at    time.Duration
	late  bool
}

// sources are the peers a piece was given to while nobody else held it.
type sources struct {
	n   int
	ids [4]Peer
}

const (
	windowFirst = 2
	windowFloor = 1
	windowMost  = 32
	delayLeast  = 30 * time.Second // between these and six times the usual delay a piece is in time
	delayMost   = 300 * time.Second
	delayFirst  = 20 * time.Second
	lateKept    = 15 * time.Minute
)

// out returns how many pieces are on offer to q, or sent to it, and not overdue to be seen elsewhere.
func (q *peer) out() int { return q.open + len(q.relay.waiting) - q.relay.late }

// onlyOurs reports whether all holders of piece i were given it by us while there were no others.
func (p *Picker) onlyOurs(i uint32) bool {
	pc := &p.pieces[i]
	if pc.stalled {
		return true
	}
	src, counted := p.sources[i], 0
	for _, id := range src.ids[:src.n] {
		if p.peers[id].weight != nothing {
			counted++
		}
	}
	return int(pc.live) == counted
}

// await expects q to pass on piece i, which it was given. A piece that nobody else wants is not expected anywhere.
func (p *Picker) await(q *peer, i uint32) {
	src := p.sources[i]
	if p.lack(&p.pieces[i]) <= 0 || !p.othersThan(q) || src.n == len(src.ids) {
		return
	}
	src.ids[src.n] = q.id
	src.n++
	p.sources[i] = src
	p.pieces[i].watched = true
	q.relay.waiting = append(q.relay.waiting, waiting{piece: i, at: p.now})
	p.touch(q)
}

// othersThan reports whether anybody but q takes pieces.
func (p *Picker) othersThan(q *peer) bool {
	return len(p.takers) > 1 || len(p.takers) == 1 && p.takers[0] != q
}

// passedOn credits the sources of piece i, which a peer got that we did not give it to. Of several, those that are overdue get
// nothing: the piece was given to the others because they did not pass it on.
func (p *Picker) passedOn(i uint32) {
	src := p.sources[i]
	p.unwatch(i)
	for _, id := range src.ids[:src.n] {
		p.credit(p.peers[id], i, src.n == 1)
	}
}

// unwatch forgets the sources of piece i.
func (p *Picker) unwatch(i uint32) {
	delete(p.sources, i)
	p.pieces[i].watched = false
}

// credit takes piece i off what s is expected to pass on: it did, unless it is late and not the only one who can have.
func (p *Picker) credit(s *peer, i uint32, only bool) {
	r := &s.relay
	k := slices.IndexFunc(r.waiting, func(w waiting) bool { return w.piece == i })
	if k < 0 {
		return
	}
	w := r.waiting[k]
	r.waiting = slices.Delete(r.waiting, k, k+1)
	if w.late {
		r.late--
		if !only {
			p.touch(s)
			return
		}
		r.expired = max(0, r.expired-1)
	}
	p.relayDelay += (p.now - w.at - p.relayDelay) / 8
	r.relayed++
	r.window = min(r.window+1, windowMost)
	s.trust = Proven
	p.judge(s)
	p.touch(s)
}

// overdue counts what q did not pass on in time against it, and forgets what is too old to matter.
func (p *Picker) overdue(q *peer) {
	r := &q.relay
	due := clamp(6*p.relayDelay, delayLeast, delayMost)
	changed := false
	kept := r.waiting[:0]
	for _, w := range r.waiting {
		age := p.now - w.at
		wanted := p.lack(&p.pieces[w.piece]) > 0 && p.othersThan(q)
		switch {
		case w.late && age > due+lateKept, age > due && !wanted:
			if w.late {
				r.late--
			}
			p.dropSource(w.piece, q.id)
			changed = true
			continue
		case !w.late && age > due:
			w.late, changed = true, true
			r.late++
			r.expired++
			r.window = max(windowFloor, r.window/2)
		}
		kept = append(kept, w)
	}
	r.waiting = kept
	if !changed {
		return
	}
	if r.expired >= 2 && r.expired > 4*r.relayed {
		q.trust = Hoarder
	}
	p.judge(q)
	p.touch(q)
}

func (p *Picker) dropSource(i uint32, id Peer) {
	src := p.sources[i]
	for k, s := range src.ids[:src.n] {
		if s == id {
			src.n--
			src.ids[k] = src.ids[src.n]
			p.sources[i] = src
			break
		}
	}
	if src.n == 0 {
		p.unwatch(i)
	}
}

// stopWaiting expects nothing more of q.
func (p *Picker) stopWaiting(q *peer) {
	for _, w := range q.relay.waiting {
		p.dropSource(w.piece, q.id)
	}
	q.relay.waiting, q.relay.late = nil, 0
}
