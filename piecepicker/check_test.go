package piecepicker

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// check recounts everything the slow way and compares. It is called after steps of the tests.
func (p *Picker) check() error {
	for _, f := range []func() error{p.checkPieces, p.checkOrder, p.checkPeers, p.checkQueues, p.checkSources, p.checkGroups, p.checkAudits} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

// believes reports whether p counts q as a holder of piece i, by the words of the rule.
func believes(p *Picker, q *peer, i uint32) bool {
	switch {
	case !q.ready || q.liar || q.trust == Hoarder:
		return false
	case q.weight == all:
		return q.has(i)
	case q.weight == given:
		return q.gave.has(i)
	}
	return false
}

func (p *Picker) checkPieces() error {
	claims := 0
	for i := range p.pieces {
		pc, want := p.pieces[i], piece{}
		for _, q := range p.peers {
			if q == nil {
				continue
			}
			if q.member && q.has(uint32(i)) {
				want.claims++
			}
			if believes(p, q, uint32(i)) {
				want.live++
				if q.asProven {
					want.proven++
				}
			}
			if ln := q.loan(uint32(i)); ln != nil && !ln.withdrawn {
				want.offers++
			}
		}
		if pc.live != want.live || pc.proven != want.proven || pc.claims != want.claims || pc.offers != want.offers {
			return fmt.Errorf("piece %d counts live %d, proven %d, claims %d, offers %d; want %d, %d, %d, %d", i,
				pc.live, pc.proven, pc.claims, pc.offers, want.live, want.proven, want.claims, want.offers)
		}
		claims += int(want.claims)
		if want := p.tierOf(uint32(i), &pc); pc.tier != want {
			return fmt.Errorf("piece %d is in tier %d, want %d", i, pc.tier, want)
		}
		if pc.tier != noTier && p.need[pc.tier][pc.place] != uint32(i) {
			return fmt.Errorf("piece %d is not where it says in its tier", i)
		}
		if (pc.sent > 0) != p.everSent.has(uint32(i)) {
			return fmt.Errorf("piece %d was sent %d times, ever: %t", i, pc.sent, p.everSent.has(uint32(i)))
		}
		if _, watched := p.sources[uint32(i)]; watched != pc.watched {
			return fmt.Errorf("piece %d watched %t, want %t", i, pc.watched, watched)
		}
	}
	if n := len(p.pieces) - p.everSent.count(); n != p.unsentLeft {
		return fmt.Errorf("%d pieces are unsent, want %d", p.unsentLeft, n)
	}
	if claims != p.claims {
		return fmt.Errorf("sum of claims is %d, want %d", p.claims, claims)
	}
	return nil
}

func (p *Picker) checkOrder() error {
	last := uint16(0)
	for at, i := range p.rarity.order {
		pc := p.pieces[i]
		if int(pc.rank) != at || pc.live < last {
			return fmt.Errorf("piece %d at %d in the order of rarity: rank %d, live %d after %d", i, at, pc.rank, pc.live, last)
		}
		last = pc.live
	}
	for v := range p.rarity.first {
		n := 0
		for i := range p.pieces {
			if int(p.pieces[i].live) < v {
				n++
			}
		}
		if int(p.rarity.first[v]) != n {
			return fmt.Errorf("bucket %d begins at %d, want %d", v, p.rarity.first[v], n)
		}
	}
	n := 0
	for t := range p.need {
		n += len(p.need[t])
		for at, i := range p.need[t] {
			if p.pieces[i].tier != tier(t) || int(p.pieces[i].place) != at {
				return fmt.Errorf("piece %d is listed in tier %d at %d", i, t, at)
			}
		}
	}
	return nil
}

func (p *Picker) checkPeers() error {
	var members, completed, good, barren, suppliers, takers, loans, connected int
	var inFlight, strangeFlight int64
	for id, q := range p.peers {
		if q == nil {
			continue
		}
		connected++
		if int(q.id) != id {
			return fmt.Errorf("peer %d says it is %d", id, q.id)
		}
		if q.member {
			if q.complete {
				completed++
			}
			members++
		}
		if q.good {
			good++
		}
		if q.supplier != (q.ready && q.complete && q.weight == all) {
			return fmt.Errorf("peer %d supplier %t", id, q.supplier)
		}
		if q.supplier {
			suppliers++
		}
		if q.isBarren != (q.taker != 0 && q.barren()) {
			return fmt.Errorf("peer %d barren %t", id, q.isBarren)
		}
		if q.isBarren {
			barren++
		}
		if want := q.ready && !q.complete && !q.uploadOnly && !q.auditFail && q.shunned <= p.now; q.taker != 0 && !want {
			return fmt.Errorf("peer %d is a taker", id)
		}
		if q.taker != 0 {
			takers++
			if p.takers[q.taker-1] != q {
				return fmt.Errorf("peer %d is not where it says among the takers", id)
			}
		}
		if want := p.weightOf(q); q.weight != want && q.audited == 0 {
			return fmt.Errorf("peer %d weighs %d, want %d", id, q.weight, want)
		}
		if n := q.have.count(); !q.complete && n != q.nHave || q.complete && q.nHave != len(p.pieces) {
			return fmt.Errorf("peer %d has %d pieces, counts %d", id, n, q.nHave)
		}
		n, err := p.checkLoans(q)
		if err != nil {
			return err
		}
		loans += q.open
		inFlight += n
		if q.stranger {
			strangeFlight += n
		}
	}
	if members != p.members || completed != p.completed || good != p.good || barren != p.barren || suppliers != p.suppliers || takers != len(p.takers) || loans != p.loans ||
		inFlight != p.inFlight || strangeFlight != p.strangeFlight || connected != p.connected {
		return fmt.Errorf("members %d completed %d good %d barren %d suppliers %d takers %d loans %d in flight %d connected %d; want %d %d %d %d %d %d %d %d %d",
			p.members, p.completed, p.good, p.barren, p.suppliers, len(p.takers), p.loans, p.inFlight, p.connected,
			members, completed, good, barren, suppliers, takers, loans, inFlight, connected)
	}
	return nil
}

func (p *Picker) checkLoans(q *peer) (inFlight int64, err error) {
	open, remaining, mixed := 0, int64(0), 0
	for k, ln := range q.loans {
		if at, ok := q.index[ln.piece]; !ok || at != k {
			return 0, fmt.Errorf("loan of piece %d to peer %d is not indexed", ln.piece, q.id)
		}
		if ln.mixed {
			mixed++
		}
		if q.has(ln.piece) {
			return 0, fmt.Errorf("peer %d has piece %d, which is on loan to it", q.id, ln.piece)
		}
		left := p.size(ln.piece)
		for u := range int((left + unit - 1) / unit) {
			if ln.units.has(uint32(u)) {
				left -= min(unit, p.size(ln.piece)-int64(u)*unit)
			}
		}
		if ln.left != left && !ln.done || ln.done != (ln.left == 0) {
			return 0, fmt.Errorf("loan of piece %d to peer %d has %d left, want %d, done %t", ln.piece, q.id, ln.left, left, ln.done)
		}
		if ln.withdrawn {
			continue
		}
		open++
		remaining += ln.left
		if !ln.cold {
			inFlight += ln.left
		}
	}
	if m := &q.mixing; mixed != m.out || !q.complete && m.lacks != m.pieces.count() || m.points < pointsLeast || m.points > pointsMost {
		return 0, fmt.Errorf("peer %d has %d mixed loans, want %d; lacks %d of the %d taken back; %d points", q.id, m.out, mixed, m.lacks, m.pieces.count(), m.points)
	}
	if open != q.open || remaining != q.remaining || inFlight != q.inFlight || len(q.index) != len(q.loans) {
		return 0, fmt.Errorf("peer %d has %d loans open, %d remaining, %d in flight; want %d, %d, %d",
			q.id, q.open, q.remaining, q.inFlight, open, remaining, inFlight)
	}
	if open > 0 && !q.unchoked {
		return 0, fmt.Errorf("peer %d is choked and has something on offer", q.id)
	}
	return inFlight, nil
}

func (p *Picker) checkQueues() error {
	for k := range p.queues {
		h := &p.queues[k]
		for at, it := range h.items {
			if int(it.q.at[k]) != at+1 || p.peers[it.q.id] != it.q || it.q.taker == 0 {
				return fmt.Errorf("queue %d: peer %d at %d is not where it says", k, it.q.id, at)
			}
			if at > 0 && h.items[(at-1)/2].key > it.key || math.IsNaN(it.key) {
				return fmt.Errorf("queue %d is no heap at %d", k, at)
			}
		}
	}
	for _, it := range slices.Concat(p.queues[needQueue].items, p.queues[strangerQueue].items) {
		if want := p.needKey(it.q, p.rank(it.q)); it.key != want {
			return fmt.Errorf("peer %d has key %v, want %v", it.q.id, it.key, want)
		}
	}
	for _, q := range p.takers {
		if p.queuedForNeed(q) != p.free(q) && q.unchoked && q.meter.rate < float64(p.cfg.PieceLength) {
			return fmt.Errorf("peer %d in the queue %t, want %t", q.id, p.queuedForNeed(q), p.free(q))
		}
	}
	return nil
}

func (p *Picker) checkSources() error {
	n := 0
	for i, src := range p.sources {
		if src.n == 0 {
			return fmt.Errorf("piece %d is watched without sources", i)
		}
		for _, id := range src.ids[:src.n] {
			q, found := p.peers[id], false
			for _, w := range q.relay.waiting {
				found = found || w.piece == i
			}
			if !found || !q.has(i) {
				return fmt.Errorf("peer %d is a source of piece %d and does not know", id, i)
			}
			n++
		}
	}
	waiting, late := 0, 0
	for _, q := range p.peers {
		if q == nil {
			continue
		}
		late = 0
		waiting += len(q.relay.waiting)
		for _, w := range q.relay.waiting {
			if w.late {
				late++
			}
		}
		if late != q.relay.late {
			return fmt.Errorf("peer %d has %d late, counts %d", q.id, late, q.relay.late)
		}
	}
	if waiting != n {
		return fmt.Errorf("%d pieces are awaited, of %d sources", waiting, n)
	}
	return nil
}

func (p *Picker) checkAudits() error {
	var reserved, strange int64
	leeches := 0
	for id, q := range p.peers {
		if q == nil {
			continue
		}
		a, n := q.audit, int64(0)
		if a.asked {
			reserved += int64(a.block.Length)
			if a.strange {
				strange += int64(a.block.Length)
			}
		}
		if a.leech {
			leeches++
		}
		for _, s := range a.spent {
			if p.now-s.at < time.Hour {
				n += int64(s.bytes)
			}
		}
		if n > auditPerHour {
			return fmt.Errorf("peer %d was asked for %d bytes in an hour", id, n)
		}
		if a.leech && !a.interested || len(a.right) > auditPieces || len(a.allowed) > auditAllowed {
			return fmt.Errorf("peer %d: audit %+v", id, *a)
		}
	}
	if reserved != p.audits.reserved || strange != p.audits.strange || leeches != p.audits.leeches || leeches > leechAudits {
		return fmt.Errorf("audits %+v, want %d reserved and %d leeches", p.audits, reserved, leeches)
	}
	return nil
}

func (p *Picker) checkGroups() error {
	groups := 0
	want := map[*group]group{}
	for _, q := range p.peers {
		if q == nil {
			continue
		}
		g := want[q.group]
		g.key = q.group.key
		g.peers++
		g.failed = q.group.failed
		if q.admitted {
			g.admitted++
		}
		if q.weight == all {
			g.believed++
		}
		want[q.group] = g
	}
	keyed := 0
	for g, w := range want {
		if *g != w || g.admitted > perGroup {
			return fmt.Errorf("group %v is %+v, want %+v", g.key, *g, w)
		}
		if w.believed > 0 {
			groups++
		}
		if g.key.IsValid() {
			keyed++
		}
	}
	if groups != p.believedGroups || keyed != len(p.groups) {
		return fmt.Errorf("%d groups believed of %d, want %d of %d", p.believedGroups, len(p.groups), groups, keyed)
	}
	return nil
}
