package piecepicker

import "time"

// Who gets it.
//
// Needed pieces go to the peer that has the least out for what it has shown: (out+1)/window, a little less to those that are
// nearly complete, since they leave. Who has nothing on offer comes before who has. Peers with a full window come next, the
// proven ones first, and hoarders only if there is nobody else. Beyond need, the peer with the fewest pieces is assisted.

const (
	levels    = 16          // of completeness that make a difference
	overdraft = 3           // windows a proven peer may have out
	newcomers = 4           // windows an unproven one may, if nobody else can take more
	aheadTime = time.Second // some clients ask and report twice a second only
)

// Ranks are parts of a key: what is in a lower one comes first, whatever the rest.
const (
	rankFree    = iota // nothing on offer, room in its window
	rankBusy           // room in its window
	rankProven         // proven, beyond its window
	rankNew            // unproven, beyond its window
	rankOthers         // hoarders, and who takes most of all from us
	rankBarren         // they hold what they are offered, and never take it
	rankRefused        // beyond all windows: one piece at a time, while nothing else is on its way
)

func (p *Picker) rank(q *peer) int {
	out, w := float64(q.out()), q.relay.window
	switch {
	case q.barren():
		return rankBarren
	case !q.good:
		return rankOthers
	case out < w && q.open == 0:
		return rankFree
	case out < w:
		return rankBusy
	case q.trust == Proven && out < overdraft*w:
		return rankProven
	case q.trust == Unproven && out < newcomers*w:
		return rankNew
	}
	return rankRefused
}

// needKey orders peers for what is needed.
func (p *Picker) needKey(q *peer, rank int) float64 {
	full := float64(q.nHave*levels/len(p.pieces)) / levels
	return 1e6*float64(rank) + float64(q.out()+1)/q.relay.window*(1+full/2)*q.favour + q.salt
}

// assistKey orders peers for what is left.
func (p *Picker) assistKey(q *peer) float64 {
	return float64(q.nHave*levels/len(p.pieces)) + 100*float64(q.open) + q.salt
}

// touch puts q where it belongs among those who take pieces. It is called whenever something changed that matters to it.
func (p *Picker) touch(q *peer) {
	taker := q.ready && !q.complete && !q.uploadOnly && !q.auditFail && q.shunned <= p.now
	good := taker && q.trust != Hoarder && !q.barren() && !q.milks()
	p.setTaker(q, taker)
	p.setBarren(q, taker && q.barren())
	p.setSupplier(q, q.ready && q.complete && q.weight == all)
	if good != q.good {
		if q.good = good; good {
			p.good++
		} else if p.good--; p.good == 0 {
			p.goodTried = 0 // else the others would wait for the next sweep
		}
		p.needStuck = false
	}
	p.setStranger(q, good && q.trust == Unproven)
	rank := p.rank(q)
	if !taker || !p.free(q) {
		for k := range p.queues {
			p.queues[k].remove(q)
		}
		return
	}
	line, other := &p.queues[needQueue], &p.queues[strangerQueue]
	if q.stranger {
		line, other = other, line
	}
	other.remove(q)
	if line.put(q, p.needKey(q, rank)) {
		p.needStuck = false
	}
	if good {
		p.queues[assistQueue].put(q, p.assistKey(q))
	} else {
		p.queues[assistQueue].remove(q)
	}
}

func (p *Picker) setTaker(q *peer, taker bool) {
	if taker == (q.taker != 0) {
		return
	}
	if taker {
		p.takers = append(p.takers, q)
		q.taker = len(p.takers)
		return
	}
	last := p.takers[len(p.takers)-1]
	p.takers[q.taker-1], last.taker = last, q.taker
	p.takers[len(p.takers)-1] = nil
	p.takers = p.takers[:len(p.takers)-1]
	q.taker = 0
}

// barren reports whether q is a liar, or never took what it was offered and asked for nothing: what it is offered is lost to others
// for a while.
func (q *peer) barren() bool { return q.liar || q.sent == 0 && q.shuns > 0 }

func (p *Picker) setBarren(q *peer, barren bool) {
	if barren == q.isBarren {
		return
	}
	if q.isBarren = barren; barren {
		p.barren++
	} else {
		p.barren--
	}
	p.needStuck = false
}

func (p *Picker) setSupplier(q *peer, supplier bool) {
	if supplier == q.supplier {
		return
	}
	if q.supplier = supplier; supplier {
		p.suppliers++
	} else {
		p.suppliers--
	}
}

// milks reports whether q took much, gave little, and has two thirds of what it has from us.
func (q *peer) milks() bool {
	r := &q.relay
	return r.served > 16+8*r.relayed && 3*r.served >= 2*q.nHave
}

// free reports whether q can be offered one more piece: it reads what it is sent, may be unchoked, and has less on offer than it can take
// in aheadTime, or than two pieces.
func (p *Picker) free(q *peer) bool {
	return !q.lags && !q.behind && p.flippable(q) && q.remaining+p.cfg.PieceLength <= p.lookAhead(q)
}

// lookAhead returns how many bytes q may have on offer beside others.
func (p *Picker) lookAhead(q *peer) int64 {
	return max(2*p.cfg.PieceLength, int64(aheadTime.Seconds()*q.meter.rate))
}

// serveNeed offers the most urgent piece to the first in the queue who lacks one.
func (p *Picker) serveNeed() outcome {
	p.closeGate()
	if p.needed() == 0 {
		return none
	}
	if p.needStuck {
		return p.stuckAs
	}
	if !p.affords(Need, nil) {
		return later
	}
	seen, made := p.seen[:0], false
	for len(seen) < needTries {
		h := p.nextLine()
		if len(h.items) == 0 || !p.admissible(h.items[0]) {
			break
		}
		it := h.items[0]
		if made = p.serve(it.q); made {
			p.inRow++
			if it.q.stranger {
				p.inRow = 0
			} else {
				p.lentKnown = p.now
			}
			break
		}
		h.remove(it.q)
		seen = append(seen, it)
	}
	for _, it := range seen {
		p.touch(it.q)
	}
	p.seen = seen
	if made || p.serveAny() {
		return served
	}
	p.needStuck, p.stuckAs = true, none
	if p.strangersWait() || len(seen) == 0 && p.good > 0 {
		p.stuckAs = later
	}
	return p.stuckAs
}

// needTries is how many peers are tried for a needed piece in the order of the queue, and scanTries how many more in any.
const (
	needTries = 16
	scanTries = 48
)

// admissible reports whether the peer of it may be given needed pieces as things stand: others than good peers only if there
// are no good ones that ever took a piece, barren ones only if there is nobody else, and those beyond all windows only if nothing is on its way.
func (p *Picker) admissible(it item) bool {
	switch {
	case it.key >= 1e6*rankRefused:
		return p.inFlight <= 0
	case it.q.isBarren:
		return p.barren == len(p.takers)
	}
	return it.q.good || p.goodTried == 0
}

// serveAny tries some peers whatever their place in the queue: when few lack what is needed, they are seldom its first.
func (p *Picker) serveAny() bool {
	known, strange := p.queues[needQueue].items, p.queues[strangerQueue].items
	if p.strangersWait() {
		strange = nil
	}
	all := len(known) + len(strange)
	for range min(scanTries, all) {
		if p.scanNext++; p.scanNext >= all {
			p.scanNext = 0
		}
		it := item{}
		if p.scanNext < len(known) {
			it = known[p.scanNext]
		} else {
			it = strange[p.scanNext-len(known)]
		}
		if p.admissible(it) && p.serve(it.q) {
			return true
		}
	}
	return false
}

// serve offers q the most urgent piece it lacks.
func (p *Picker) serve(q *peer) bool {
	for len(q.again) > 0 {
		i := q.again[len(q.again)-1]
		q.again = q.again[:len(q.again)-1]
		if p.pieces[i].tier != noTier && p.offerable(q, i) {
			p.lend(q, i, Need, Again)
			return true
		}
	}
	i, ok := p.neededBy(q)
	if !ok {
		return false
	}
	p.lend(q, i, Need, p.pieces[i].why())
	p.serveLast(q)
	return true
}

// serveLast offers q the last piece that was never sent, too, if that makes it complete. libtorrent says that it is before it shows its
// last piece, and is left at once by those who see nothing in it that they lack: so nobody should lack just that.
func (p *Picker) serveLast(q *peer) {
	last := p.need[unsent]
	if len(last) == 1 && !p.gate.closed && q.trust == Proven && q.nHave+q.open == len(p.pieces)-1 && p.offerable(q, last[0]) {
		p.lend(q, last[0], Need, Unsent)
	}
}

// assist offers the rarest piece to the peer with the fewest, if the throttle leaves that much.
func (p *Picker) assist() bool {
	if !p.copyOut() || !p.affords(Assist, nil) {
		return false
	}
	q := p.queues[assistQueue].top()
	if q == nil {
		return false
	}
	if _, last := p.ending(q); last {
		return false // it has that in a moment; if not, it shall not wait for what little assistance is left
	}
	i, ok := p.rarest(q)
	if ok {
		p.lend(q, i, Assist, Behind)
	}
	return ok
}
