package swarm

import (
	"context"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
)

// A Swarm serves one torrent to the peers that a [Host] hands it. One goroutine, in [Swarm.Run], owns all its state; its
// methods may be called from anywhere.
type Swarm struct {
	cfg   Config
	epoch time.Time // what times count from that the loop does not own

	numPieces uint32
	lastPiece int64 // length of the last piece, bytes

	inbox      chan event     // holds what was heard from peers: a full one slows them down through TCP
	admissions chan admission // not buffered: a connection is the loop's or still the sender's
	heard      hearsay
	wake       chan struct{} // tells the loop to look at paused and limits
	running    chan struct{} // closed when Run has begun
	done       chan struct{} // closed when the loop has ended

	host     atomic.Pointer[Host] // that has it; nil before Host.Add
	begun    atomic.Bool
	paused   atomic.Bool
	limits   atomic.Pointer[piecepicker.Limits] // for the loop to take
	uploaded [Classes]atomic.Int64              // payload bytes
	metadata atomic.Int64                       // bytes of the info dict that were sent
	counters counters

	limited   bool // something paces the blocks
	limiters  [Classes]Limiter
	lines     [Classes]line // before the limiters
	ahead     ReadAheader   // nil if the content does not want to know
	asks      bool          // peers are asked for blocks
	selective bool          // not everybody may have everything: the policy is asked for each block
	tells     bool          // the policy is told of each block that was sent
	receive   Limiter       // of what comes; nil for none

	crew    crew
	rushing atomic.Int32 // chunks of the largest size that are read or sent by their writers
	spare   int32        // how many of them leave a processor free
	last    []byte       // what Snapshot returns once done is closed
}

// inboxSize is how many events wait at most; each may carry all messages of one read.
const inboxSize = 64

// New returns a Swarm that serves nothing until Run.
func New(cfg Config) *Swarm {
	s := &Swarm{
		cfg:        cfg,
		epoch:      time.Now(),
		numPieces:  uint32(cfg.Info.NumPieces()),
		lastPiece:  cfg.Info.PieceSize(cfg.Info.NumPieces() - 1),
		inbox:      make(chan event, inboxSize),
		admissions: make(chan admission),
		heard:      hearsay{filled: make(chan struct{}, 1)},
		wake:       make(chan struct{}, 1),
		running:    make(chan struct{}),
		done:       make(chan struct{}),

		asks:      cfg.revealsPieces() || cfg.Download != nil,
		selective: cfg.revealsPieces() || cfg.Download != nil,
		tells:     cfg.revealsPieces(),
		crew:      crew{jobs: make(chan *peer)},
		spare:     int32(runtime.GOMAXPROCS(0) - 1),
	}
	s.limited, s.limiters = cfg.limiters()
	s.ahead, _ = cfg.Content.(ReadAheader)
	if cfg.Download != nil {
		s.receive = cfg.Download.Limiter
		s.counters.have.Store(s.cfg.held()) // to be read before Run
	}
	return s
}

// InfoHash returns the torrent's infohash.
func (s *Swarm) InfoHash() metainfo.InfoHash { return s.cfg.InfoHash }

// Run serves the torrent until ctx ends, then closes all connections, and returns the cause when everything it started has
// returned. It may be called once; a second call returns [ErrClosed].
func (s *Swarm) Run(ctx context.Context) error {
	if !s.begun.CompareAndSwap(false, true) {
		return ErrClosed
	}
	var started sync.WaitGroup
	l := newLoop(s, func(f func(context.Context)) {
		started.Go(func() { f(ctx) })
	})
	close(s.running)
	l.run(ctx)
	close(s.crew.jobs) // the loop alone sends
	s.last = l.policy.snapshot(time.Now())
	close(s.done)
	l.close()
	started.Wait()
	l.reportSent()
	l.reportLeft()
	return context.Cause(ctx)
}

// Pause stops sending, but for what is on its way already: peers are choked, their requests rejected. Connections stay.
func (s *Swarm) Pause() { s.setPaused(true) }

// Resume goes on after Pause, or after the content was found to be changed and is right again.
func (s *Swarm) Resume() { s.setPaused(false) }

// setPaused reports whether that changed anything.
func (s *Swarm) setPaused(paused bool) bool {
	if !s.paused.CompareAndSwap(!paused, paused) {
		return false
	}
	s.nudge()
	return true
}

// nudge makes the loop look at what others set.
func (s *Swarm) nudge() {
	select {
	case s.wake <- struct{}{}:
	default: // the loop has yet to look
	}
}

// SetLimits replaces what may be spent. It means something to a Swarm with Config.Superseed only.
func (s *Swarm) SetLimits(l piecepicker.Limits) {
	s.limits.Store(&l)
	s.nudge()
}

// uploadedByClass returns the payload bytes sent since New for each class, and payload their sum.
func (s *Swarm) uploadedByClass() (bytes [Classes]int64) {
	for c := range bytes {
		bytes[c] = s.uploaded[c].Load()
	}
	return bytes
}

func (s *Swarm) payload() (sum int64) {
	for c := range s.uploaded {
		sum += s.uploaded[c].Load()
	}
	return sum
}

// contentChanged pauses, and tells who has to know: the first one only.
func (s *Swarm) contentChanged(err error) {
	if !s.setPaused(true) {
		return
	}
	s.cfg.logger().Warn("content changed, sending stopped", "infohash", s.cfg.InfoHash, "err", err)
	if s.cfg.Changed != nil {
		s.cfg.Changed(err)
	}
}

// An admission is a connection whose handshake is done, but for what of ours the loop is to send.
type admission struct {
	conn     net.Conn
	addr     netip.AddrPort
	id       peerwire.PeerID
	ours     peerwire.PeerID     // our name in it
	greeting []byte              // what is still to be sent of our handshake
	reserved peerwire.Extensions // the peer's
	dialled  bool                // by us
	release  func()              // called once when the connection is closed; must not block
}

// admit hands a connection over, and reports whether the Swarm took it: else it is still the caller's.
func (s *Swarm) admit(ctx context.Context, a admission) bool {
	select {
	case s.admissions <- a:
		return true
	case <-s.done:
	case <-ctx.Done():
	}
	return false
}

// An event is something that the loop has to know, and what it does about it.
type event interface {
	apply(l *loop, now time.Time)
}

// post gives e to the loop, or reports false if it has ended.
func (s *Swarm) post(e event) bool {
	select {
	case s.inbox <- e:
		return true
	case <-s.done:
		return false
	}
}

// maxBlock is the longest block that is served, bytes. Everybody asks for 16 KiB; old clients asked for up to this.
const maxBlock = 128 << 10

// pieceSize returns the length of a piece, 0 if there is none of that index.
func (s *Swarm) pieceSize(index uint32) int64 {
	switch {
	case int64(index)+1 < int64(s.numPieces):
		return s.cfg.Info.PieceLength
	case index < s.numPieces:
		return s.lastPiece
	}
	return 0
}

// offset returns where in the content r begins.
func (s *Swarm) offset(r run) int64 {
	return int64(r.index)*s.cfg.Info.PieceLength + int64(r.begin)
}
