package swarm

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
)

// Bounds of what is asked of one peer.
const (
	blockSize  = 16 << 10 // what one request asks for at most, bytes: peers may close on more (BEP 3)
	maxAsked   = 1024     // requests without an answer
	maxLate    = maxAsked // requests given up, which may still be answered
	maxAllowed = 64       // pieces of an allowed-fast set (BEP 6); "at this time, recommended size is 10"
)

// An asker asks peers for blocks, and is told of what concerns that. What it wants is done by the loop: setAmInterested, ask and
// takeBack. Its methods are called from the loop, and must not block.
type asker interface {
	// choking is told that the peer began or ceased to choke us: see p.asking.choked.
	choking(now time.Time, p *peer)
	// allowed is told of a piece whose blocks p gives even while it chokes us (BEP 6): of each once.
	allowed(now time.Time, p *peer, index uint32)
	// answered is told what became of a request: of each once, but for those taken back, which have no answer, and those whose
	// block comes after all (blockLate). Those of a peer that is leaving are answered before the policy hears of that.
	answered(now time.Time, p *peer, a answer)
}

// An outcome is what became of a request.
type outcome uint8

const (
	blockCame     outcome = iota // the answer has it
	blockLate                    // it came after the request was given up, or taken back; the answer has it
	blockRejected                // the peer refused it (BEP 6)
	blockChoked                  // the peer choked us and speaks no fast extension: requests before a choke are void
	blockTimedOut                // nothing came in time; it was taken back
	blockGone                    // the connection is over
)

// An answer is what became of one request. The bytes, if there are some, are in a buffer of the pool: they belong to the asker
// who is told, and who calls giveBack(a.buf) when it is done with them, from any goroutine.
type answer struct {
	peerwire.Request
	how outcome
	buf *[]byte // set for blockCame and blockLate only
}

// data returns the block, Length bytes; nil if it did not come.
func (a *answer) data() []byte {
	if a.buf == nil {
		return nil
	}
	return (*a.buf)[:a.Length]
}

// asking is the state of what we ask of one peer.
type asking struct {
	interested bool     // we said that we are
	choked     bool     // it answers no requests but for allowed pieces
	fast       []uint32 // the allowed pieces (BEP 6)
	pending    []asked  // requests without an answer, in the order they were sent
	late       []peerwire.Request
	// owed is how many more blocks the peer may send: the reader takes one off for each it takes in, and so no more
	// memory is taken than was asked for.
	owed atomic.Int32
}

// An asked is a request that was sent.
type asked struct {
	peerwire.Request
	until time.Time // when it is given up
}

// mayAsk reports whether the peer answers requests for blocks of a piece: "requests for other pieces while choked are rejected" (BEP 6),
// and some clients close the connection over one.
func (a *asking) mayAsk(index uint32) bool { return !a.choked || slices.Contains(a.fast, index) }

// find returns the place of r among the pending, or -1. Answers come in order, mostly.
func (a *asking) find(r peerwire.Request) int {
	return slices.IndexFunc(a.pending, func(p asked) bool { return p.Request == r })
}

// giveUp notes a request that has no place among the pending any more, and whose block may still come.
func (a *asking) giveUp(r peerwire.Request) {
	if len(a.late) == maxLate {
		a.late = slices.Delete(a.late, 0, 1)
	}
	a.late = append(a.late, r)
}

// forget removes a request that was given up, and reports whether it was there.
func (a *asking) forget(r peerwire.Request) bool {
	i := slices.Index(a.late, r)
	if i < 0 {
		return false
	}
	a.late = slices.Delete(a.late, i, i+1)
	return true
}

// nobody asks for nothing.
type nobody struct{}

func (nobody) choking(time.Time, *peer)          {}
func (nobody) allowed(time.Time, *peer, uint32)  {}
func (nobody) answered(time.Time, *peer, answer) {}

// setAmInterested tells p whether we want something of it, if that is news.
func (l *loop) setAmInterested(now time.Time, p *peer, interested bool) {
	if p.gone || p.asking.interested == interested {
		return
	}
	p.asking.interested = interested
	if interested {
		l.push(now, p, peerwire.Append(l.frames[:0], peerwire.Interested{}))
		return
	}
	l.push(now, p, peerwire.Append(l.frames[:0], peerwire.NotInterested{}))
}

// ask asks p for blocks, each of at most blockSize bytes and within its piece, and gives up those that do not come in the time
// given. It returns how many of them were sent, from the first on: it stops at one that p would not answer, or when too many
// are pending. One that is pending already is not sent again.
func (l *loop) ask(now time.Time, p *peer, requests []peerwire.Request, within time.Duration) (sent int) {
	if p.gone {
		return 0
	}
	a, frames, added := &p.asking, l.frames[:0], 0
	for _, r := range requests {
		if len(a.pending) == maxAsked || !a.mayAsk(r.Index) || !r.Valid(l.swarm.pieceSize(r.Index), blockSize) {
			break
		}
		sent++
		if a.find(r) >= 0 {
			continue
		}
		a.pending = append(a.pending, asked{r, now.Add(within)})
		frames = peerwire.AppendRequest(frames, r)
		added++
	}
	if added > 0 {
		a.owed.Add(int32(added)) // before the peer can know
		l.pending += added
		l.busy = true
		l.push(now, p, frames)
	}
	return sent
}

// takeBack cancels a request that is pending, of which nothing is told after that but its block, if it comes. A peer of the fast
// extension answers all the same: "every request is guaranteed to result in EXACTLY ONE response" (BEP 6).
func (l *loop) takeBack(now time.Time, p *peer, r peerwire.Request) {
	if i := p.asking.find(r); i >= 0 && !p.gone {
		l.remove(p, i)
		p.asking.giveUp(r)
		l.push(now, p, peerwire.Append(l.frames[:0], peerwire.Cancel(r)))
	}
}

// remove takes the pending request at place i away.
func (l *loop) remove(p *peer, i int) {
	a := &p.asking
	l.pending--
	switch {
	case len(a.pending) == 1:
		a.pending = a.pending[:0]
	case i == 0:
		a.pending = a.pending[1:]
	default:
		a.pending = slices.Delete(a.pending, i, i+1)
	}
}

// fail answers the pending request at place i without a block.
func (l *loop) fail(now time.Time, p *peer, i int, how outcome) {
	r := p.asking.pending[i].Request
	l.remove(p, i)
	l.asker.answered(now, p, answer{Request: r, how: how})
}

// peerChokes notes that p begins or ceases to choke us.
func (l *loop) peerChokes(now time.Time, p *peer, choked bool) {
	p.noise++
	if p.asking.choked == choked {
		return
	}
	p.asking.choked = choked
	l.asker.choking(now, p)
	if !choked || p.fast {
		return
	}
	for len(p.asking.pending) > 0 {
		p.asking.giveUp(p.asking.pending[0].Request)
		l.fail(now, p, 0, blockChoked)
	}
}

// allowedFast notes a piece that p gives even while it chokes us.
func (l *loop) allowedFast(now time.Time, p *peer, index uint32) {
	p.noise++
	if !p.fast {
		l.drop(now, p, errNotFast)
		return
	}
	if a := &p.asking; index < l.swarm.numPieces && len(a.fast) < maxAllowed && !slices.Contains(a.fast, index) {
		a.fast = append(a.fast, index)
		l.asker.allowed(now, p, index)
	}
}

// rejected takes the answer that refuses a request.
func (l *loop) rejected(now time.Time, p *peer, r peerwire.Request) {
	a := &p.asking
	i := a.find(r)
	if i < 0 && !a.forget(r) || !p.fast {
		l.drop(now, p, errUnasked)
		return
	}
	a.owed.Add(-1)
	if i >= 0 {
		l.fail(now, p, i, blockRejected)
	}
}

var errUnrequested = errors.New("a block nobody asked for")

// blockReceived hands a block to the asker. "If a peer receives a piece that was never requested, the peer MUST close the
// connection" (BEP 6); without the fast extension it may be what was given up long ago, a few times.
func (l *loop) blockReceived(now time.Time, p *peer, b answer) {
	a := &p.asking
	i := a.find(b.Request)
	switch {
	case i >= 0:
		l.remove(p, i)
		b.how = blockCame
	case a.forget(b.Request):
		b.how = blockLate
	default:
		giveBack(b.buf)
		a.owed.Add(1) // what it owes is still to come
		if p.strikes++; p.fast || p.strikes > maxStrikes {
			l.drop(now, p, errUnrequested)
		}
		return
	}
	p.downloaded += int64(b.Length)
	l.payloadIn += int64(b.Length)
	l.busy = true
	l.asker.answered(now, p, b)
}

// expireAsked gives up what was not answered in time.
func (l *loop) expireAsked(now time.Time, p *peer) {
	a := &p.asking
	for i := 0; i < len(a.pending) && !p.gone; {
		if now.Before(a.pending[i].until) {
			i++
			continue
		}
		r := a.pending[i].Request
		l.takeBack(now, p, r)
		if !p.gone {
			l.asker.answered(now, p, answer{Request: r, how: blockTimedOut})
		}
		i = 0 // the asker may have asked for more
	}
}

// abandon answers all that p was asked for: it is leaving.
func (l *loop) abandon(now time.Time, p *peer) {
	for len(p.asking.pending) > 0 {
		l.fail(now, p, len(p.asking.pending)-1, blockGone)
	}
	p.asking.fast, p.asking.late = nil, nil
}
