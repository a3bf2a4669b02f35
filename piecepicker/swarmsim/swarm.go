package swarmsim

import (
	"math/rand/v2"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
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
