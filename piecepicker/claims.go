package piecepicker

import (
	"math/bits"
	"net/netip"
)

// Whose pieces count.
//
// Anybody can say that it has pieces. What a peer says counts when it has passed on pieces or sent us a block of ours; of
// those who have shown nothing yet, it counts for two in each network. Of those, taking a piece sets a leech apart: for each who did
// not even do that, four who did must be there. So a leech that is alone among liars gets everything at full rate, and in a swarm
// that does without us most are believed for a piece each. What we gave to a peer counts without its word. What a
// hoarder or liar has counts for nothing, and so does coming with everything, or getting everything and taking nothing of us.

// A weight is which of a peer's pieces count.
type weight uint8

const (
	nothing weight = iota
	given          // what we gave it: peer.gave
	all            // what it says it has
)

const (
	perGroup     = 2 // unproven peers of a /24 or /48 that are believed
	triedShare   = 4 // who took a piece or showed more, for each believed who did not
	strikesMost  = 3 // impossible claims that make a liar
	foreignLeast = 3 // pieces that never left us, which leeches got
	missedMost   = 2
)

// A group is a /24 of IPv4 or /48 of IPv6.
type group struct {
	key      netip.Prefix
	peers    int
	admitted int
	believed int
	failed   int // audits
}

func (p *Picker) groupOf(addr netip.Addr) *group {
	if !addr.IsValid() {
		return &group{} // a network of its own
	}
	size := 48
	if addr.Is4() {
		size = 24
	}
	key, _ := addr.Prefix(size)
	g := p.groups[key]
	if g == nil {
		g = &group{key: key}
		p.groups[key] = g
	}
	return g
}

func (p *Picker) leaveGroup(g *group) {
	if g.peers--; g.peers == 0 {
		delete(p.groups, g.key)
	}
}

// judge makes q count for what it should.
func (p *Picker) judge(q *peer) {
	p.admit(q)
	want, proven, tried := p.weightOf(q), q.trust == Proven || q.audited > p.now, !p.untried(q)
	if want == q.weight && (proven == q.asProven && tried == q.asTried || want == nothing) {
		return
	}
	p.unweigh(q)
	q.weight, q.asProven, q.asTried = want, proven, tried
	p.count(q, true)
	if want == all {
		p.believe(tried, 1)
		if q.group.believed++; q.group.believed == 1 {
			p.believedGroups++
		}
	}
}

// unweigh makes q count for nothing, until it is judged again.
func (p *Picker) unweigh(q *peer) {
	p.count(q, false)
	if q.weight == all {
		p.believe(q.asTried, -1)
		if q.group.believed--; q.group.believed == 0 {
			p.believedGroups--
		}
	}
	q.weight = nothing
}

func (p *Picker) weightOf(q *peer) weight {
	switch {
	case !q.ready || q.liar || q.trust == Hoarder:
		return nothing
	case q.audited > p.now:
		return all
	case q.claimed || q.strikes > 0 || q.aloof():
		return given
	case q.trust == Proven || q.admitted:
		return all
	}
	return given
}

// aloof reports whether q has shown nothing, not even that it takes something: it passed by what it was offered, or says that
// it got everything elsewhere.
func (q *peer) aloof() bool {
	return q.sent == 0 && q.trust == Unproven && (q.shuns > 0 || q.missed >= missedMost || q.complete)
}

func (p *Picker) believe(tried bool, n int) {
	if tried {
		p.believedTried += n
	} else {
		p.believedUntried += n
	}
}

// untried reports whether q has not even taken a piece.
func (p *Picker) untried(q *peer) bool {
	return q.relay.served == 0 && q.trust == Unproven && q.audited <= p.now
}

// outvoted reports whether n more who have not taken a piece would be too many to be believed.
func (p *Picker) outvoted(n int) bool { return triedShare*(p.believedUntried+n) > p.believedTried }

// admit gives q one of the places of its network for the unproven, or takes it away.
func (p *Picker) admit(q *peer) {
	wants := q.ready && q.trust == Unproven && !q.claimed && !q.liar && q.strikes == 0 && q.audited <= p.now && !q.aloof()
	if wants && p.untried(q) {
		n := 1
		if q.weight == all && !q.asTried {
			n = 0
		}
		wants = !p.outvoted(n)
	}
	switch {
	case q.admitted && !wants:
		q.admitted = false
		q.group.admitted--
	case !q.admitted && wants && q.group.admitted+q.group.failed < perGroup:
		q.admitted = true
		q.group.admitted++
	}
}

// count adds what counts of q to the holders of its pieces, or takes it away.
func (p *Picker) count(q *peer, add bool) {
	set := q.have
	switch {
	case q.weight == nothing:
		return
	case q.weight == given:
		set = q.gave
	case q.complete:
		for i := range p.pieces {
			p.countOne(q, uint32(i), add)
		}
		return
	}
	for w, word := range set {
		for ; word != 0; word &= word - 1 {
			p.countOne(q, uint32(w<<6+bits.TrailingZeros64(word)), add)
		}
	}
}

func (p *Picker) countOne(q *peer, i uint32, add bool) {
	pc := &p.pieces[i]
	if add {
		p.addHolder(i)
		if q.asProven {
			pc.proven++
		}
	} else {
		if q.asProven {
			pc.proven--
		}
		p.dropHolder(i)
	}
	p.grow(i)
}

// impossible reports whether nobody can have piece i but us: no copy left us whole or is leaving us now, and no second origin
// is known.
func (p *Picker) impossible(i uint32) bool {
	return !p.otherOrigin && !p.everSent.has(i) && p.pieces[i].offers == 0
}

// strike notes n impossible claims of q. The caller judges q afterwards. What a liar was offered and did not begin to take is for
// others at once.
func (p *Picker) strike(q *peer, n int) {
	q.strikes += n
	if q.liar || q.strikes < strikesMost {
		return
	}
	q.liar = true
	for k := range q.loans {
		if ln := &q.loans[k]; !ln.asked && !ln.withdrawn {
			p.withdraw(q, ln, NotStarted, p.now-ln.made)
		}
	}
}

// secondOrigin notes that somebody has pieces that are not from us: what was impossible no longer is.
func (p *Picker) secondOrigin() {
	if p.otherOrigin {
		return
	}
	p.otherOrigin = true
	for _, q := range p.peers {
		if q != nil && q.strikes > 0 {
			q.strikes, q.liar = 0, q.auditFail
			p.judge(q)
			p.touch(q)
		}
	}
}

// partial reports whether some pieces are held by nobody but us, as far as leeches are seen to get them, whatever is claimed of them.
func (p *Picker) partial() bool { return p.unsentLeft > 0 && !p.otherServes }

// serves notes that q got piece i, of which it had nothing from us. Audits show who has a file, not who gives any of it: only when
// leeches that took pieces of us got a few that never left us, the others need not leave us, either.
func (p *Picker) serves(q *peer, i uint32) {
	if p.otherServes || !p.otherOrigin || p.everSent.has(i) || p.pieces[i].offers > 0 || q.liar || q.claimant() || p.untried(q) {
		return
	}
	if p.foreignSeen++; p.foreignSeen < foreignLeast {
		return
	}
	p.otherServes = true
	for i := range p.pieces {
		p.reclass(uint32(i))
	}
}

// foreign reports whether q has a piece of which no whole copy ever left us.
func (p *Picker) foreign(q *peer) bool {
	if q.complete {
		return p.unsentLeft > 0
	}
	for w, word := range q.have {
		if word&^p.everSent[w] != 0 {
			return true
		}
	}
	return false
}

// trustOf returns what pages show of q.
func (p *Picker) trustOf(q *peer) Trust {
	switch {
	case q.liar:
		return Liar
	case q.audited > p.now:
		return Proven
	case q.trust == Hoarder:
		return Hoarder
	case q.claimed:
		return Claimant
	}
	return q.trust
}
