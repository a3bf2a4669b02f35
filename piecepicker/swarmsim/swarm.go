package swarmsim

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

const (
	dialEvery  = 30 * time.Second // who found the server full comes again after this
	auditEvery = 25 * time.Minute
	parrotWait = time.Second
)

// A swarm is a simulation under way.
type swarm struct {
	cfg    Config
	rng    *rand.Rand
	server Server
	now    time.Duration
	peers  []*peer // in the swarm
	byNum  []*peer // connected to the server
	conns  int
	out    []*link // who may take from the server
	came   int

	arrivals []time.Duration // of each group: when the next one comes, one by one
	begun    []bool          // of each group: its Count came
	timers   timers
	leaving  []*peer

	decisions []piecepicker.Decision
	flows     []flow
	spans     []span
	scratch   []*link
	refused   int // requests the server did not answer

	holders  []int // of each piece: leeches in the swarm that have it
	unheld   int   // pieces no leech has
	unseen   int   // pieces no leech ever had
	everHeld bitset
	pending  int // honest peers that are not complete
	res      *Result
	bytes    [4]int64 // sent, by class
	lossSent int64    // bytes sent when pieces were lost
	warmSent int64    // and when the warm-up ended
	warm     bool
}

// Run runs a simulation to its end.
func Run(cfg Config) *Result {
	s := newSwarm(cfg)
	for !s.over() {
		s.stepOnce()
	}
	return s.result()
}

func newSwarm(cfg Config) *swarm {
	s := &swarm{
		cfg:      cfg,
		rng:      rand.New(rand.NewPCG(cfg.Seed, 1)),
		holders:  make([]int, cfg.Pieces),
		everHeld: newBitset(cfg.Pieces),
		unheld:   cfg.Pieces,
		unseen:   cfg.Pieces,
		byNum:    make([]*peer, 1),
		begun:    make([]bool, len(cfg.Groups)),
		res: &Result{
			Seed:   cfg.Seed,
			Groups: make([]GroupResult, len(cfg.Groups)),
			Offers: map[piecepicker.Code]int{},
			length: cfg.length(),
			uplink: cfg.Uplink,
		},
	}
	s.server = cfg.Server(Env{
		Pieces:      cfg.Pieces,
		PieceLength: cfg.PieceLength,
		Uplink:      cfg.Uplink,
		Rand:        rand.New(rand.NewPCG(cfg.Seed, 2)),
	})
	for k := range cfg.Groups {
		s.arrivals = append(s.arrivals, s.nextArrival(k, cfg.Groups[k].Start))
	}
	if cfg.Loss.Share > 0 {
		s.timers.at(cfg.Loss.At, s.lose)
	}
	return s
}

// clock returns the time as the server sees it.
func (s *swarm) clock() time.Time { return epoch.Add(s.now) }

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// over reports whether there is nothing more to see.
func (s *swarm) over() bool {
	if s.now >= s.cfg.until() {
		return true
	}
	for k := range s.cfg.Groups {
		if !s.begun[k] || s.cfg.Groups[k].PerHour > 0 {
			return false
		}
	}
	return s.pending == 0
}

// stepOnce simulates one step.
func (s *swarm) stepOnce() {
	s.arrive()
	s.timers.run(s.now)
	for _, p := range s.peers {
		s.upkeep(p)
	}
	s.serve()
	s.transfer()
	for _, p := range s.leaving {
		s.leave(p)
	}
	s.leaving = s.leaving[:0]
	s.measure()
}

// upkeep does what p does by itself.
func (s *swarm) upkeep(p *peer) {
	if s.now >= p.nextRound {
		s.round(p)
	}
	if p.refill {
		s.fill(p)
	}
	if p.seed == nil && p.nextDial >= 0 && s.now >= p.nextDial {
		s.dial(p)
	}
	switch p.what.Behaviour {
	case CreepingFake:
		s.creep(p)
	case Parrot:
		s.echo(p)
	}
}

func (s *swarm) nextArrival(k int, after time.Duration) time.Duration {
	if s.cfg.Groups[k].PerHour <= 0 {
		return math.MaxInt64
	}
	return after + time.Duration(s.rng.ExpFloat64()/s.cfg.Groups[k].PerHour*float64(time.Hour))
}

// arrive lets peers come. Those who come at once come in random order, whatever their group.
func (s *swarm) arrive() {
	var fresh []*peer
	for k := range s.cfg.Groups {
		g := &s.cfg.Groups[k]
		if !s.begun[k] && s.now >= g.Start {
			s.begun[k] = true
			for range g.Count {
				fresh = append(fresh, s.join(k))
			}
		}
		for s.now >= s.arrivals[k] {
			s.arrivals[k] = s.nextArrival(k, s.arrivals[k])
			fresh = append(fresh, s.join(k))
		}
	}
	s.rng.Shuffle(len(fresh), func(i, j int) { fresh[i], fresh[j] = fresh[j], fresh[i] })
	for _, p := range fresh {
		p.place = len(s.peers)
		s.peers = append(s.peers, p)
	}
	for _, p := range fresh {
		s.ask(p)
	}
}

// join lets a peer of group k come.
func (s *swarm) join(k int) *peer {
	g, r := &s.cfg.Groups[k], &s.res.Groups[k]
	s.came++
	p := &peer{
		id: s.came, group: k, what: g,
		line: line(g.lines(), r.Joined), addr: address(k, r.Joined, g.Networks),
		nat:  s.rng.Float64() < g.NAT,
		have: newBitset(s.cfg.Pieces), avail: make([]uint16, s.cfg.Pieces),
		joined: s.now, fed: s.now,
		nextRound: s.now + time.Duration(s.rng.Int64N(int64(roundEvery))),
	}
	r.Joined++
	if g.Behaviour.honest() {
		s.res.lines = append(s.res.lines, p.line)
		s.pending++
	}
	switch g.Behaviour {
	case FakeSeed, JunkSeed:
		p.have.fill(s.cfg.Pieces)
		p.nHave = s.cfg.Pieces
	case CreepingFake:
		p.order = s.rng.Perm(s.cfg.Pieces)
	}
	s.say("%v joins", p)
	return p
}

// line returns the line of the n-th peer of a group, in which lines are mixed evenly.
func line(lines []Line, n int) Line {
	sum := 0.0
	for _, l := range lines {
		sum += l.Share
	}
	at := math.Mod((float64(n)+0.5)*math.Phi, 1) * sum
	for _, l := range lines {
		if at -= l.Share; at < 0 {
			return l
		}
	}
	return lines[len(lines)-1]
}

// address returns the address of the n-th peer of group k, in one of that many networks, or one of its own.
func address(k, n, networks int) netip.Addr {
	network, host := n, 1
	if networks > 0 {
		network, host = n%networks, 1+n/networks%250
	}
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(1+k)<<28|uint32(network)<<8|uint32(host))
	return netip.AddrFrom4(b)
}

// leave takes p out of the swarm.
func (s *swarm) leave(p *peer) {
	s.say("%v leaves", p)
	for len(p.links) > 0 {
		s.disconnect(p.links[len(p.links)-1])
	}
	s.hangUp(p)
	if p.what.Behaviour.takes() {
		p.have.each(s.dropHolder)
	}
	last := s.peers[len(s.peers)-1]
	s.peers[p.place], last.place = last, p.place
	s.peers = s.peers[:len(s.peers)-1]
	p.place = -1
}

// gain lets p have piece i, or say so.
func (s *swarm) gain(p *peer, i uint32) {
	p.have.set(i)
	p.nHave++
	if pt := p.partial(i); pt != nil {
		for _, l := range p.links {
			if l.work == pt {
				l.work = nil
			}
		}
		if p.seed != nil && p.seed.work == pt {
			p.seed.work = nil
		}
		p.forget(pt)
	}
	s.say("%v has piece %d", p, i)
	if p.what.Behaviour.takes() {
		s.addHolder(i)
	}
	for _, l := range p.links {
		q := l.to
		q.avail[i]++
		if q.have.has(i) {
			s.want(l, -1)
		} else {
			s.want(l.rev, 1)
		}
		if q.what.Behaviour == Parrot {
			s.hear(q, i)
		}
	}
	if p.seed != nil {
		shown := p.seed.shown.has(i)
		if !(shown && p.what.Quiet) {
			s.server.PeerHas(s.clock(), p.num, i)
		}
		if shown {
			s.want(p.seed, -1)
		}
	}
	if p.complete() {
		s.completed(p)
	}
}

// completed lets p do what it does when it has everything.
func (s *swarm) completed(p *peer) {
	for k := len(p.links) - 1; k >= 0; k-- {
		if p.links[k].to.complete() {
			s.disconnect(p.links[k])
		}
	}
	p.refill = true
	if !p.what.Behaviour.takes() {
		return
	}
	s.say("%v is complete", p)
	s.audit(p)
	if p.finished {
		return // and lost something since
	}
	p.finished = true
	s.finished(p)
	switch stay := p.what.Stay; {
	case stay == 0:
		s.leaving = append(s.leaving, p)
	case stay > 0:
		s.timers.at(s.now+stay, func() { s.leave(p) })
	}
}

func (s *swarm) addHolder(i uint32) {
	if s.holders[i]++; s.holders[i] == 1 {
		s.unheld--
	}
	if !s.everHeld.has(i) {
		s.everHeld.set(i)
		s.unseen--
	}
}

func (s *swarm) dropHolder(i uint32) {
	if s.holders[i]--; s.holders[i] == 0 {
		s.unheld++
	}
}
