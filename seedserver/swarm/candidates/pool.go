package candidates

import (
	"cmp"
	"math/rand/v2"
	"net/netip"
	"time"
)

// Config sets a [Pool]. The zero value works.
type Config struct {
	// Own is at which addresses peers reach us, for the canonical priority (BEP 40): the first of each family counts. Where there
	// is none of a family, the order among equals is drawn by lot, once.
	Own []netip.AddrPort
	// Patience is how long a new candidate is left alone: one that can reach us, and heard of us where we heard of it, comes by
	// itself, and two connections that cross are often both lost. If zero, none.
	Patience time.Duration
}

// A Peer is an address that was heard of.
type Peer struct {
	Addr netip.AddrPort
	Seed bool // it is said to be complete: a hint
}

// A Candidate is an address that may be dialled.
type Candidate struct {
	Addr   netip.AddrPort
	Source Source
	Seed   bool // it was said to be complete, or was when it was last connected
}

// A Pool holds the candidates of one torrent. It belongs to one goroutine.
type Pool struct {
	cfg        Config
	rng        *rand.Rand
	salt       uint32
	turn       int // the source that is asked first
	entries    map[netip.AddrPort]*entry
	counts     [Sources]int
	networks   map[place]*district
	informants map[netip.Addr]*informant
}

// An entry is what is known of one address.
type entry struct {
	Candidate
	rank      uint32     // its canonical priority
	place     place      // where its network is counted
	informant *informant // nil where it does not matter who told
	state     state
	known     bool // Seed is what we saw ourselves
	missed    bool // it gave us what we lack more of, when it was connected last
	failures  int
	due       time.Time // it is not dialled before
}

type state uint8

const (
	idle state = iota
	dialling
	connected
)

// A place is a network among the candidates of one source.
type place struct {
	source  Source
	network netip.Addr
}

// A district is what is known of the candidates at a place.
type district struct {
	entries, busy, failed int
}

// load is the less, the sooner a candidate from there is dialled.
func (d *district) load() int { return d.busy + d.failed }

// New returns an empty Pool. It draws from rng, which is the Pool's from then on.
func New(cfg Config, rng *rand.Rand) *Pool {
	return &Pool{
		cfg: cfg, rng: rng, salt: rng.Uint32(),
		entries: map[netip.AddrPort]*entry{}, networks: map[place]*district{}, informants: map[netip.Addr]*informant{},
	}
}

// Add notes peers that from told, the zero Addr where that is one of ourselves, and returns how many of them were new and kept.
func (p *Pool) Add(now time.Time, source Source, from netip.Addr, peers ...Peer) (taken int) {
	from = from.Unmap()
	for _, peer := range peers {
		peer.Addr = plain(peer.Addr)
		if !Usable(source, from, peer.Addr) {
			continue
		}
		if e := p.entries[peer.Addr]; e != nil {
			p.heardAgain(e, source, peer.Seed)
			continue
		}
		if p.add(now, source, from, peer) {
			taken++
		}
	}
	p.forgetInformants()
	return taken
}

// heardAgain moves an entry to a source that is believed more, if that has room; what is said of it is news from the same source
// only, or a better one: else a lie of one would be believed against the word of another.
func (p *Pool) heardAgain(e *entry, source Source, seed bool) {
	if source > e.Source {
		return
	}
	if !e.known {
		e.Seed = seed
	}
	if source == e.Source || p.counts[source] >= rooms[source] {
		return
	}
	p.uncount(e)
	e.Source, e.place.source, e.informant = source, source, nil
	p.count(e)
}

func (p *Pool) add(now time.Time, source Source, from netip.Addr, peer Peer) bool {
	var teller *informant
	if source.bounded() && from.IsValid() {
		if teller = p.informant(host(from)); !teller.mayTell() {
			return false
		}
	}
	at := place{source, network(peer.Addr.Addr())}
	if p.counts[source] >= rooms[source] && !p.makeRoom(at) {
		return false
	}
	e := &entry{
		Candidate: Candidate{Addr: peer.Addr, Source: source, Seed: peer.Seed},
		rank:      p.rank(peer.Addr), place: at, informant: teller, due: now.Add(p.cfg.Patience),
	}
	p.entries[e.Addr] = e
	p.count(e)
	return true
}

func (p *Pool) count(e *entry) {
	p.counts[e.Source]++
	d := p.networks[e.place]
	if d == nil {
		d = &district{}
		p.networks[e.place] = d
	}
	d.entries++
	if e.state != idle {
		d.busy++
	}
	if e.informant != nil {
		e.informant.entries++
	}
}

func (p *Pool) uncount(e *entry) {
	p.counts[e.Source]--
	d := p.networks[e.place]
	if e.state != idle {
		d.busy--
	}
	if d.entries--; d.entries == 0 {
		delete(p.networks, e.place)
	}
	if e.informant != nil {
		e.informant.entries--
	}
}

// remove forgets e.
func (p *Pool) remove(e *entry) {
	p.uncount(e)
	delete(p.entries, e.Addr)
}

// set changes the state of e.
func (p *Pool) set(e *entry, s state) {
	d := p.networks[e.place]
	if e.state != idle {
		d.busy--
	}
	e.state = s
	if s != idle {
		d.busy++
	}
}

// makeRoom forgets a candidate of the source of at: one that failed, the more often the better, else one of the network that has
// most of them, if that has more than the newcomer's will have.
func (p *Pool) makeRoom(at place) bool {
	var worst *entry
	for _, e := range p.entries {
		if e.Source == at.source && e.state == idle && (worst == nil || p.byUse(e, worst) > 0) {
			worst = e
		}
	}
	if worst == nil {
		return false
	}
	mine := 1
	if d := p.networks[at]; d != nil {
		mine += d.entries
	}
	if worst.failures == 0 && p.networks[worst.place].entries <= mine {
		return false
	}
	p.remove(worst)
	return true
}

// byUse orders entries by how little is lost with them, the least useful last.
func (p *Pool) byUse(a, b *entry) int {
	return cmp.Or(
		cmp.Compare(a.failures, b.failures),
		cmp.Compare(p.networks[a.place].entries, p.networks[b.place].entries),
		cmp.Compare(b.rank, a.rank),
		a.Addr.Compare(b.Addr))
}

// byTurn orders entries of one source by who is dialled first.
func (p *Pool) byTurn(a, b *entry) int {
	return cmp.Or(
		cmp.Compare(a.failures, b.failures),
		cmp.Compare(p.networks[a.place].load(), p.networks[b.place].load()),
		cmp.Compare(b.rank, a.rank),
		a.Addr.Compare(b.Addr))
}

// Next returns the candidate to dial now of those that wanted accepts, or reports false if there is none. The caller dials it,
// and tells how that went by Connected, Failed, Put or Own.
func (p *Pool) Next(now time.Time, wanted func(Candidate) bool) (Candidate, bool) {
	var best [Sources]*entry
	for _, e := range p.entries {
		if e.state != idle || e.due.After(now) || !wanted(e.Candidate) {
			continue
		}
		if b := best[e.Source]; b == nil || p.byTurn(e, b) < 0 {
			best[e.Source] = e
		}
	}
	for i := range best {
		e := best[(p.turn+i)%Sources]
		if e == nil {
			continue
		}
		p.turn = (int(e.Source) + 1) % Sources
		p.set(e, dialling)
		return e.Candidate, true
	}
	return Candidate{}, false
}

// Ready returns when Next has something for wanted at the earliest; the zero time for never, as things are.
func (p *Pool) Ready(wanted func(Candidate) bool) time.Time {
	var first time.Time
	for _, e := range p.entries {
		if e.state == idle && (first.IsZero() || e.due.Before(first)) && wanted(e.Candidate) {
			first = e.due
		}
	}
	return first
}

// rank returns the canonical priority of addr for us, or a lot.
func (p *Pool) rank(addr netip.AddrPort) uint32 {
	for _, own := range p.cfg.Own {
		if own.Addr().Unmap().Is4() == addr.Addr().Is4() {
			return Priority(own, addr)
		}
	}
	b, _ := addr.MarshalBinary()
	return priority(b, []byte{byte(p.salt >> 24), byte(p.salt >> 16), byte(p.salt >> 8), byte(p.salt)})
}

// Len returns how many candidates of a source are kept, those that are connected included.
func (p *Pool) Len(s Source) int { return p.counts[s] }

// Total returns how many candidates are kept.
func (p *Pool) Total() int { return len(p.entries) }
