package swarm

import (
	"context"
	"crypto/sha1"
	"errors"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// fullRetry is when a write is tried again after the disk was full, or failed otherwise. What fails again and again is fetched anew
// each time, so that it is tried less and less often, down to maxRetry.
const (
	fullRetry = 3 * time.Second
	maxRetry  = 5 * time.Minute
)

// An assembly is a piece that is put together, hashed and written. The loop owns it until it is sent to the hashers, and gets
// it back with the result.
type assembly struct {
	index   uint32
	buf     []byte // the whole piece
	suspect bool   // the Asker wants the digests

	good    bool
	err     error // of writing
	digests []piecepicker.Digest
}

// keep puts a block into its piece, and sends that to the hashers if it is full.
func (d *download) keep(b piecepicker.Block, data []byte, full bool) {
	a := d.assembly[b.Index]
	if a == nil {
		a = d.newAssembly(b.Index)
		d.assembly[b.Index] = a
	}
	copy(a.buf[b.Begin:], data)
	if !full {
		return
	}
	delete(d.assembly, b.Index)
	a.suspect = d.asker.Suspect(b.Index)
	d.jobs <- a // has room: no more pieces are begun than that
}

func (d *download) newAssembly(index uint32) *assembly {
	size := d.l.swarm.pieceSize(index)
	if n := len(d.idle); n > 0 {
		a := d.idle[n-1]
		d.idle[n-1] = nil
		d.idle = d.idle[:n-1]
		*a = assembly{index: index, buf: a.buf[:size]}
		return a
	}
	return &assembly{index: index, buf: make([]byte, size, min(d.cfg.Info.PieceLength, d.cfg.Info.Length()))}
}

// maxIdle is how many buffers of pieces are kept to use again.
const maxIdle = 32

// hash is one hasher: it checks pieces and writes the good ones, until ctx ends.
func (d *download) hash(ctx context.Context, s *Swarm) {
	for {
		select {
		case <-ctx.Done():
			d.finish(ctx, s)
			return
		case a := <-d.jobs:
			a.work(ctx, s)
			s.post(&pieceDone{a})
		}
	}
}

// finish writes what is full already: it need not be fetched again.
func (d *download) finish(ctx context.Context, s *Swarm) {
	for {
		select {
		case a := <-d.jobs:
			a.work(ctx, s)
		default:
			return
		}
	}
}

func (a *assembly) work(ctx context.Context, s *Swarm) {
	a.good = sha1.Sum(a.buf) == s.cfg.Info.PieceHash(int(a.index))
	if a.suspect || !a.good {
		for at := 0; at < len(a.buf); at += piecepicker.BlockSize {
			a.digests = append(a.digests, sha1.Sum(a.buf[at:min(at+piecepicker.BlockSize, len(a.buf))]))
		}
	}
	if !a.good {
		return
	}
	down := s.cfg.Download
	for full := false; ; {
		a.err = down.Store.WriteAt(a.buf, int64(a.index)*s.cfg.Info.PieceLength)
		if !errors.Is(a.err, storage.ErrFull) {
			if full && a.err == nil {
				down.trouble(nil)
			}
			if f := down.Kept; f != nil && a.err == nil {
				f(a.index)
			}
			return
		}
		// What was begun is held, so nothing more is asked for, until there is room.
		full = true
		down.trouble(a.err)
		sleep(ctx, fullRetry)
		if ctx.Err() != nil {
			return
		}
	}
}

func (d *Download) trouble(err error) {
	if d.Trouble != nil {
		d.Trouble(err)
	}
}

// A pieceDone is a piece that was hashed, and written if it was good.
type pieceDone struct{ a *assembly }

func (e *pieceDone) apply(l *loop, now time.Time) {
	d, a := l.policy.(*download), e.a
	switch {
	case !a.good:
		l.log.Debug("piece does not match its hash", "piece", a.index)
		d.punish(now, d.asker.Corrupt(a.index, a.digests))
	case a.err != nil:
		l.log.Warn("piece cannot be written", "piece", a.index, "err", a.err)
		d.asker.Failed(a.index)
		d.cfg.Download.trouble(a.err)
		d.retry = now.Add(min(fullRetry<<min(d.failures/8, 10), maxRetry)) // pieces that were full already fail together
		d.failures++
	default:
		d.kept(now, a)
	}
	if len(d.idle) < maxIdle && d.leeching() {
		d.idle = append(d.idle, a)
	}
	d.feedAll()
}

// kept tells everybody of a piece that is there.
func (d *download) kept(now time.Time, a *assembly) {
	d.punish(now, d.asker.Verified(a.index, a.digests))
	d.have += int64(len(a.buf))
	d.l.swarm.counters.have.Store(d.have)
	if d.failures > 0 {
		d.failures = 0
		d.cfg.Download.trouble(nil)
	}
	for _, p := range d.peers {
		if p.have == nil || !p.have.Has(a.index) { // who has it does not care
			d.l.push(now, p, peerwire.AppendHave(d.l.frames[:0], a.index))
		}
		if p.asking.interested && !d.asker.Wants(p.number) {
			d.l.setAmInterested(now, p, false)
		}
	}
	if d.asker.Done() {
		d.complete(now)
	}
}

// punish ends with peers that sent junk.
func (d *download) punish(now time.Time, liars []piecepicker.Culprit) {
	for _, c := range liars {
		if p := d.peers[c.Peer]; p != nil {
			d.ban(p.listens())
			d.l.drop(now, p, errJunk)
		}
		if w := d.drains[c.Peer]; w != nil {
			d.shut(w, errJunk)
		}
		d.ban(c.Addr)
	}
}

var errJunk = errors.New("sent a piece that does not match its hash")

// maxBanned is how many addresses are banned at a time.
const maxBanned = 4096

func (d *download) ban(addr netip.AddrPort) {
	if !addr.IsValid() {
		return
	}
	if len(d.banned) >= maxBanned {
		clear(d.banned)
	}
	d.banned[addr] = struct{}{}
	if !addr.Addr().IsLoopback() { // there everybody has the same
		d.banned[netip.AddrPortFrom(addr.Addr(), 0)] = struct{}{}
	}
}

func (d *download) isBanned(addr netip.AddrPort) bool {
	_, one := d.banned[addr]
	_, all := d.banned[netip.AddrPortFrom(addr.Addr(), 0)]
	return one || all
}
