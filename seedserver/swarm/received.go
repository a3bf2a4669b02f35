package swarm

import (
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Bounds of what a peer may do for nothing.
const (
	maxNoise    = 1000    // messages of no use between two sweeps
	maxRefused  = 20_000  // requests refused, repeated or taken back between two sweeps: clients are known to ask for thousands too many
	floodAfter  = 2000    // of these, from which on a peer is heard slowly
	maxStrikes  = 10      // requests that cannot be served
	shortCost   = 10      // how many refused requests one is that asks for next to nothing
	leastLength = 1 << 10 // bytes of a request that no client undercuts, but for the end of a piece
	bitsNoise   = 4 << 10 // pieces whose being there or not, told all at once, is as much noise as one message
)

// received handles one message other than a Request.
func (l *loop) received(now time.Time, p *peer, m peerwire.Message) {
	switch m := m.(type) {
	case peerwire.Interested:
		l.interest(now, p, true)
	case peerwire.NotInterested:
		l.interest(now, p, false)
	case peerwire.Have:
		l.has(now, p, m.Index)
	case peerwire.BitfieldMessage:
		l.hasBits(now, p, m)
	case peerwire.HaveAll:
		l.hasAll(now, p)
	case peerwire.HaveNone:
		l.hasNone(now, p)
	case peerwire.Cancel:
		l.cancelled(now, p, peerwire.Request(m))
	case peerwire.Extended:
		l.extended(now, p, m)
	case peerwire.Choke:
		l.peerChokes(now, p, true)
	case peerwire.Unchoke:
		l.peerChokes(now, p, false)
	case peerwire.Reject:
		l.rejected(now, p, peerwire.Request(m))
	case peerwire.AllowedFast:
		l.allowedFast(now, p, m.Index)
	case peerwire.Suggest:
		l.advised(now, p)
	default:
		// The others are a downloader's business, later protocols', or keep-alives.
		p.noise++
	}
	if p.noise > maxNoise {
		l.drop(now, p, errNoise)
	}
}

func (l *loop) interest(now time.Time, p *peer, interested bool) {
	p.noise++ // a few are what a leech needs, hundreds are an attack on the choker
	if p.interested == interested {
		return
	}
	l.setInterested(p, interested)
	l.policy.interest(now, p)
	l.judge(now, p)
}

// has notes one piece. Clients repeat themselves now and then.
func (l *loop) has(now time.Time, p *peer, index uint32) {
	if p.have == nil {
		p.have = peerwire.NewBitfield(l.swarm.numPieces)
	}
	if !p.have.Set(index) {
		p.noise++
	} else if p.have.All() {
		l.toldAll(p)
	}
	l.policy.has(now, p, index)
	l.judge(now, p)
}

// hasBits replaces what p has: at any time, since aria2 sends a bitfield in place of many Haves.
func (l *loop) hasBits(now time.Time, p *peer, m peerwire.BitfieldMessage) {
	l.toldAll(p)
	have, err := peerwire.ParseBitfield(m.Bits, l.swarm.numPieces)
	if err != nil {
		l.drop(now, p, err)
		return
	}
	p.have = have
	l.policy.hasBits(now, p, m.Bits)
	l.judge(now, p)
}

// toldAll counts a message that tells of all pieces at once: five bytes may have us look at a hundred thousand of them.
func (l *loop) toldAll(p *peer) { p.noise += 1 + int(l.swarm.numPieces/bitsNoise) }

// hasAll and the other messages of the fast extension end a connection that does not speak it: "the peer MUST close the
// connection" (BEP 6).
func (l *loop) hasAll(now time.Time, p *peer) {
	l.toldAll(p)
	if !p.fast {
		l.drop(now, p, errNotFast)
		return
	}
	if p.have == nil {
		p.have = peerwire.NewBitfield(l.swarm.numPieces)
	}
	p.have.SetAll()
	l.policy.hasAll(now, p)
	l.judge(now, p)
}

func (l *loop) hasNone(now time.Time, p *peer) {
	l.toldAll(p)
	if !p.fast {
		l.drop(now, p, errNotFast)
		return
	}
	p.have = nil
	l.policy.hasNone(now, p)
	l.judge(now, p)
}

// advised passes over what a download could make use of.
func (l *loop) advised(now time.Time, p *peer) {
	p.noise++
	if !p.fast {
		l.drop(now, p, errNotFast)
	}
}

// judge sees whether p became a seed, or is one no more. Two seeds have nothing to give each other; it may stay for a moment,
// to be counted, and for what it still has to read.
func (l *loop) judge(now time.Time, p *peer) {
	switch nothing := p.wantsNothing(); {
	case !nothing:
		l.setSeed(p, time.Time{})
	case p.seedSince.IsZero():
		l.setSeed(p, now)
	}
}

// requested answers requests, or promises to. Interest is not asked for: clients in browsers leave it out.
func (l *loop) requested(now time.Time, p *peer, requests []peerwire.Request) {
	l.busy = true
	valid, frames, back := l.valid[:0], l.frames[:0], l.back[:0]
	for _, r := range requests {
		ok := r.Valid(l.swarm.pieceSize(r.Index), maxBlock)
		if !ok {
			p.strikes++
		}
		class, granted := Plain, ok && !l.paused
		if granted && l.swarm.selective {
			back = l.takesBack(now, p, r, back)
			class, granted = l.policy.grants(now, p, r)
		}
		if ok && r.Length < leastLength && int64(r.Begin)+int64(r.Length) < l.swarm.pieceSize(r.Index) {
			p.refused += shortCost
		}
		if granted && p.unchoked {
			valid = append(valid, grant{r, class})
			continue
		}
		p.refused++
		if p.fast {
			frames = peerwire.AppendReject(frames, r)
		}
	}
	if len(back) > 0 {
		valid, frames = l.ungrant(now, p, back, valid, frames)
	}
	l.valid, l.frames, l.back = valid, frames, back
	limit := l.swarm.cfg.maxRequests()
	if !p.fast {
		limit *= 4 // one that is not told what is refused waits for it until a timeout
	}
	useless, ok := p.out.promise(valid, limit, frames, p.fast)
	p.refused += useless
	p.floods.Store(p.refused > floodAfter)
	switch {
	case !ok:
		l.drop(now, p, errNotRead)
	case p.strikes > maxStrikes:
		l.drop(now, p, errStrikes)
	case p.refused > maxRefused:
		l.drop(now, p, errNoise)
	default:
		l.touch(p)
	}
}

// cancelled takes a request back. One that is not queued was answered already, or never held.
func (l *loop) cancelled(now time.Time, p *peer, r peerwire.Request) {
	if !p.out.cancel(r, p.fast) {
		p.noise++
		return
	}
	l.policy.cancelled(now, p)
	if p.refused++; p.refused > maxRefused { // who asks and takes back for ever costs work, too
		l.drop(now, p, errNoise)
		return
	}
	l.touch(p)
}

// A readFailed is a piece that a writer could not read, for another reason than a change.
type readFailed struct {
	p     *peer
	piece uint32
	err   error
}

// apply tells the peer to look elsewhere (BEP 54), and ends with one that does not.
func (e *readFailed) apply(l *loop, now time.Time) {
	p := e.p
	if now.Sub(l.failed) >= time.Minute {
		l.failed = now
		l.log.Warn("content cannot be read", "piece", e.piece, "err", e.err)
	}
	if p.gone {
		return
	}
	l.dontHave(now, p, e.piece)
	if p.strikes++; p.strikes > maxStrikes {
		l.drop(now, p, e.err)
	}
}
