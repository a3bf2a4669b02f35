package piecepicker

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"
)

// A home is where what is known of a peer is kept when it is gone: its IPv4 address, or the /64 of its IPv6 address. The zero
// home keeps nothing.
type home = netip.Addr

// A record is what is known of a peer that is gone.
type record struct {
	left    time.Duration
	trust   Trust
	banned  bool // failed an audit
	liar    bool
	window  float64
	relayed int
	expired int
	served  int
	waiting []waiting // in the last connection
	parts   []part
	audit   *audit
	audited time.Duration
	shuns   int
	missed  int
	points  int
}

// A part is what was sent of a piece that was not finished.
type part struct {
	piece uint32
	units bitset
	left  int64
}

const (
	recordKept  = time.Hour
	banKept     = 7 * 24 * time.Hour // who sent wrong bytes
	recordsMost = 4096
	partKept    = 10 * time.Minute
	partsMost   = 8
	keptWaiting = 64
)

func homeOf(addr netip.Addr) home {
	if addr.Is6() {
		prefix, _ := addr.WithZone("").Prefix(64)
		return prefix.Addr()
	}
	return addr
}

// recordOf returns what is known of q, and nil if that is nothing.
func (p *Picker) recordOf(q *peer) *record {
	r := &q.relay
	if !q.home.IsValid() || r.served == 0 && r.relayed == 0 && !q.liar && len(q.loans) == 0 && q.audit.count.asked == 0 && !q.aloof() {
		return nil
	}
	rec := &record{
		left: p.now, trust: q.trust, banned: q.auditFail, liar: q.liar,
		window: r.window, relayed: r.relayed, expired: r.expired, served: r.served,
		waiting: slices.Clone(r.waiting[:min(len(r.waiting), keptWaiting)]),
		audit:   q.audit, audited: q.audited, shuns: q.shuns, missed: q.missed, points: q.mixing.points,
	}
	for _, ln := range q.loans {
		if ln.units != nil && !ln.done && len(rec.parts) < partsMost {
			rec.parts = append(rec.parts, part{ln.piece, ln.units, ln.left})
		}
	}
	return rec
}

// remember keeps what is known of q, which is leaving.
func (p *Picker) remember(q *peer) {
	rec := p.recordOf(q)
	if rec == nil {
		return
	}
	p.records[q.home] = rec
	if len(p.records) > recordsMost {
		p.expireRecords()
	}
}

// expireRecords forgets records that are old, and the oldest of those that are too many. Bans go last: else who has many addresses
// ends its own by filling the rest.
func (p *Picker) expireRecords() {
	for h, rec := range p.records {
		if p.now-rec.left > rec.kept() {
			delete(p.records, h)
		}
	}
	if len(p.records) <= recordsMost {
		return
	}
	homes := sortedHomes(p.records)
	slices.SortStableFunc(homes, func(a, b home) int {
		x, y := p.records[a], p.records[b]
		if x.banned != y.banned {
			if y.banned {
				return -1
			}
			return 1
		}
		return cmp.Compare(x.left, y.left)
	})
	for _, h := range homes[:len(homes)/4] {
		delete(p.records, h)
	}
}

func sortedHomes(records map[home]*record) []home {
	return slices.SortedFunc(maps.Keys(records), home.Compare)
}

// recall gives q what is known of its address. Two peers of an address do not both get it.
func (p *Picker) recall(q *peer) {
	rec := p.records[q.home]
	if rec == nil {
		return
	}
	if p.now-rec.left > rec.kept() {
		delete(p.records, q.home)
		return
	}
	if rec.banned {
		q.auditFail, q.liar = true, true
		p.tell(Decision{Kind: KindDrop, Peer: q.id, Reason: Reason{Code: AuditFailed}})
		return // and stays on record: all of its connections are
	}
	delete(p.records, q.home)
	q.trust, q.liar = rec.trust, rec.liar
	if rec.audit != nil {
		q.audit, q.audited, q.shuns, q.missed = rec.audit, rec.audited, rec.shuns, rec.missed
	}
	r := &q.relay
	r.window, r.relayed, r.expired, r.served = rec.window, rec.relayed, rec.expired, rec.served
	if p.now-rec.left <= partKept {
		q.parts = rec.parts
	}
	q.owed = rec.waiting
	q.mixing.setPoints(rec.points)
}

// kept returns how long the record is of use.
func (r *record) kept() time.Duration {
	if r.banned {
		return banKept
	}
	return recordKept
}

// resume goes on where q left: what it still has to pass on is awaited again, and what it lost is offered again.
func (p *Picker) resume(q *peer) {
	for _, w := range q.owed {
		pc := &p.pieces[w.piece]
		switch src := p.sources[w.piece]; {
		case !q.has(w.piece):
			if !q.complete && pc.live == 0 {
				q.again = append(q.again, w.piece)
			}
		case q.complete || src.n == len(src.ids) || !p.onlyOurs(w.piece):
		default:
			src.ids[src.n] = q.id
			src.n++
			p.sources[w.piece] = src
			pc.watched = true
			q.relay.waiting = append(q.relay.waiting, w)
			if w.late {
				q.relay.late++
			}
		}
	}
	q.owed = nil
}
