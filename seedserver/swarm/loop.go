package swarm

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// The loop owns the state of one torrent. It never blocks: what it puts into outboxes is bounded, and a peer whose outbox is
// full is dropped.
type loop struct {
	swarm   *Swarm
	spawn   func(func(context.Context)) // starts a goroutine that Run waits for
	log     *slog.Logger
	policy  policy
	asker   asker
	pending int // requests of ours that peers have not answered
	opening opening

	peers     map[*peer]struct{}
	seq       uint64 // peers there have been
	ids       map[peerwire.PeerID]*peer
	spares    []spare // second connections of peers; mostly none
	paused    bool
	dirty     []*peer // peers to look after when the event is applied
	frames    []byte  // scratch
	valid     []grant
	back      []uint32 // pieces
	timer     *time.Timer
	due       time.Time // when timer fires; zero when it does not
	ticked    time.Time
	swept     time.Time
	tally     tally
	shown     tally // what count published last
	counted   int64 // of Swarm.uploaded, what the last tick saw
	told      told
	leaving   []*peer // dropped, and not yet through with sending
	rate      rate
	payloadIn int64 // payload bytes of all peers there were
	countedIn int64 // of received, what the last tick saw
	downRate  rate
	busy      bool // something was sent or asked for since the last tick
	untold    bool // peers wait to be told of others, and tick is to go on with them
	failed    time.Time

	pool    *candidates.Pool // nil until there is a candidate
	dials   int              // under way
	dialDue time.Time        // when there is one to dial; zero for never, or when the Host knows
}

func newLoop(s *Swarm, spawn func(func(context.Context))) *loop {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	l := &loop{
		swarm:   s,
		spawn:   spawn,
		log:     s.cfg.logger().With("infohash", s.cfg.InfoHash),
		policy:  newPolicy(&s.cfg),
		opening: newOpening(&s.cfg),
		peers:   map[*peer]struct{}{},
		ids:     map[peerwire.PeerID]*peer{},
		timer:   timer,
		asker:   nobody{},
	}
	if a, ok := l.policy.(asker); ok {
		l.asker = a
	}
	if d, ok := l.policy.(*download); ok {
		d.attach(l)
	}
	return l
}

// run applies events until ctx ends.
func (l *loop) run(ctx context.Context) {
	for {
		var now time.Time
		select {
		case <-ctx.Done():
			return
		case e := <-l.swarm.inbox:
			now = time.Now()
			e.apply(l, now)
		case a := <-l.swarm.admissions:
			now = time.Now()
			l.admitted(now, a)
		case <-l.swarm.heard.filled:
			now = time.Now()
			for _, h := range l.swarm.heard.take() {
				l.heardOf(now, h.source, h.from, h.peers)
			}
		case <-l.swarm.wake:
			now = time.Now()
			l.lookUp(now)
		case <-l.timer.C:
			now = time.Now()
			l.due = time.Time{}
			if !now.Before(l.tickDue()) {
				l.tick(now)
			}
		}
		l.lookAtSpares(now)
		l.carryOut(now)
		l.startWriters()
		l.lineUp(now)
		l.arm(now)
	}
}

// close drops all peers; the goroutines of each return soon after.
func (l *loop) close() {
	for p := range l.peers {
		p.out.close()
		p.conn.Close()
		p.release()
		l.leaving = append(l.leaving, p)
	}
	clear(l.peers)
	for _, x := range l.spares {
		x.conn.Close()
		x.release()
	}
	l.spares = nil
	l.tally, l.rate = tally{}, 0
	l.count()
	l.timer.Stop()
}

// admitted takes a connection in, or closes it: the peer is here already, or there is no room.
func (l *loop) admitted(now time.Time, a admission) {
	if a.dialled {
		l.dialArrived(a.addr)
	}
	if d, ok := l.policy.(*download); ok && d.isBanned(a.addr) {
		l.refuse(now, a, "sent junk")
		return
	}
	if old := l.ids[a.id]; old != nil {
		if !replaces(now, a, old) {
			l.setAside(now, a, old)
			return
		}
		l.drop(now, old, errReplaced)
	}
	l.takeIn(now, a)
}

// takeIn makes a peer of a connection, if there is room.
func (l *loop) takeIn(now time.Time, a admission) {
	s := l.swarm
	rank := s.rank(a.conn, a.addr)
	if len(l.peers) >= s.cfg.maxPeers() && !l.makeRoom(now, rank) {
		l.refuse(now, a, "no room")
		return
	}
	l.seq++
	p := &peer{
		seq:       l.seq,
		swarm:     s,
		conn:      a.conn,
		addr:      a.addr,
		id:        a.id,
		fast:      a.reserved.Has(peerwire.Fast),
		extended:  a.reserved.Has(peerwire.ExtensionProtocol),
		dialled:   a.dialled,
		connected: now,
		heard:     now,
		rank:      rank,
		release:   a.release,
	}
	if p.dialled {
		p.listenPort = a.addr.Port()
	}
	p.asking.choked = true // "Connections start out choked" (BEP 3)
	p.wrote.Store(int64(now.Sub(s.epoch)))
	if len(l.peers) == 0 {
		l.ticked, l.swept = now, now
	}
	l.peers[p] = struct{}{}
	l.ids[p.id] = p
	l.log.Debug("peer connected", "peer", p.addr)
	if s.cfg.Joined != nil {
		s.cfg.Joined(p.stat(s.numPieces))
	}
	showing := l.policy.join(now, p)
	l.push(now, p, l.opening.appendTo(append(l.frames[:0], a.greeting...), p, showing))
	l.spawn(p.read)
}

// makeRoom drops the peer that can best be done without for one of a canonical priority, and reports whether there was one: one
// that is of no use, else one of a lower priority.
func (l *loop) makeRoom(now time.Time, rank uint32) bool {
	least := l.policy.expendable(now, l.peers)
	if least == nil {
		least = l.outranked(now, rank)
	}
	if least == nil {
		return false
	}
	l.drop(now, least, errNoRoom)
	return true
}

// The reasons for which we end a connection; none of them is told to anybody but the log.
var (
	errReplaced    = errors.New("the peer is back on another connection")
	errNoRoom      = errors.New("others need the place more")
	errSeed        = errors.New("complete")
	errSilent      = errors.New("nothing heard")
	errNotAdmitted = errors.New("not admitted any more")
	errNotRead     = errors.New("does not read what it asked for")
	errNoise       = errors.New("too many messages of no use")
	errStrikes     = errors.New("too many requests that cannot be served")
	errNotFast     = errors.New("message of the fast extension, which it does not speak")
	errUnasked     = errors.New("rejects what nobody asked for")
)

// drop ends a connection. What its goroutines still post is passed over.
func (l *loop) drop(now time.Time, p *peer, reason error) {
	if p.gone {
		return
	}
	p.gone = true
	l.meet(p)
	l.disappoints(p)
	delete(l.peers, p)
	l.setInterested(p, false)
	l.setUnchoked(p, false)
	l.setSeed(p, time.Time{})
	if l.ids[p.id] == p {
		delete(l.ids, p.id)
	}
	l.abandon(now, p)
	l.policy.leave(now, p)
	l.departed(now, p)
	p.out.close()
	p.conn.Close()
	p.release()
	l.leave(p)
	if len(l.peers) == 0 { // no tick would let them fade
		l.rate, l.downRate = 0, 0
		l.counted, l.countedIn = l.swarm.payload(), l.payloadIn
	}
	l.log.Debug("peer gone", "peer", p.addr, "err", reason)
}

// push puts frames into p's outbox, all of which leave in one write with what else the event puts there.
func (l *loop) push(now time.Time, p *peer, frames []byte) {
	l.frames = frames[:0]
	if !p.out.push(frames) {
		l.drop(now, p, errNotRead)
		return
	}
	l.touch(p)
}

// touch notes that p's outbox may need a writer.
func (l *loop) touch(p *peer) {
	if !p.dirty && !p.gone {
		p.dirty = true
		l.dirty = append(l.dirty, p)
	}
}

// startWriters starts a writer for each outbox that was touched and has none.
func (l *loop) startWriters() {
	for _, p := range l.dirty {
		p.dirty = false
		if p.out.claim() {
			l.startWriter(p)
		}
	}
	clear(l.dirty)
	l.dirty = l.dirty[:0]
}

// carryOut does what the policy decided.
func (l *loop) carryOut(now time.Time) {
	for decided := l.policy.decisions(now); len(decided) > 0; decided = l.policy.decisions(now) {
		// Dropping a peer makes the policy decide anew, so its slice is copied: rarely, and rarely long.
		for _, d := range slices.Clone(decided) {
			if !d.p.gone {
				l.decide(now, d)
			}
		}
	}
	l.count()
}

func (l *loop) decide(now time.Time, d decision) {
	p := d.p
	switch d.do {
	case doUnchoke:
		l.setUnchoked(p, true)
		l.push(now, p, peerwire.Append(l.frames[:0], peerwire.Unchoke{}))
	case doChoke:
		l.setUnchoked(p, false)
		if !p.out.dismiss(peerwire.Append(l.frames[:0], peerwire.Choke{}), p.fast) {
			l.drop(now, p, errNotRead)
			return
		}
		l.touch(p)
	case doShow:
		l.push(now, p, peerwire.AppendHave(l.frames[:0], d.piece))
	case doDrop:
		l.drop(now, p, d.reason)
	case doInterest:
		l.setAmInterested(now, p, true)
	case doDisinterest:
		l.setAmInterested(now, p, false)
	case doAsk:
		if l.ask(now, p, []peerwire.Request{d.block}, auditTimeout) == 0 {
			l.asker.answered(now, p, answer{Request: d.block, how: blockChoked}) // it choked us just now
		}
	case doCompare:
		l.compare(p, d.answer)
	}
}

// lookUp follows Pause, Resume and SetLimits.
func (l *loop) lookUp(now time.Time) {
	if limits := l.swarm.limits.Swap(nil); limits != nil {
		l.policy.setLimits(now, *limits)
	}
	paused := l.swarm.paused.Load()
	if paused != l.paused {
		l.paused = paused
		if paused {
			l.policy.pause(now)
		} else {
			l.policy.resume(now)
		}
		l.carryOut(now) // a choke goes out before the rejects that follow from it
	}
	for p := range l.peers {
		if paused && !p.out.dismiss(nil, p.fast) {
			l.drop(now, p, errNotRead)
		}
		l.touch(p) // a writer may have stopped over the pause
	}
	l.considerDialling(now)
}
