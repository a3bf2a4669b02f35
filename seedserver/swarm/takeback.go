package swarm

import (
	"slices"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
	"github.com/seedserver/bittorrent/piecepicker"
)

// How a piece is taken back that others began, and that a leech would blame us for: it is told that we do not have it (BEP 54) before
// its requests are rejected, or else it would ask again at once.

// takesBack appends to back the pieces that are taken back from p when it sends r. Then nothing of them waits to be sent any more.
func (l *loop) takesBack(now time.Time, p *peer, r peerwire.Request, back []uint32) []uint32 {
	m, hides := l.policy.(*masquerade)
	if !hides || p.theirs.ID(extension.DontHaveName) == 0 {
		return back
	}
	for {
		piece, ok := m.picker.TakeBack(now, p.number, piecepicker.Block(r))
		if !ok {
			return back
		}
		for range p.out.takeBack(appendDontHave(nil, p, piece), piece, p.fast) {
			l.policy.cancelled(now, p)
		}
		delete(p.spent, piece)
		back = append(back, piece)
	}
}

// ungrant takes what was granted of the pieces that are taken back out of valid, and appends its rejects to frames.
func (l *loop) ungrant(now time.Time, p *peer, back []uint32, valid []grant, frames []byte) ([]grant, []byte) {
	valid = slices.DeleteFunc(valid, func(g grant) bool {
		gone := slices.Contains(back, g.Index)
		if gone {
			l.policy.cancelled(now, p)
			if p.fast {
				frames = peerwire.AppendReject(frames, g.Request)
			}
		}
		return gone
	})
	return valid, frames
}

// dontHave tells p that a piece is not to be had here after all, if it understands that (BEP 54).
func (l *loop) dontHave(now time.Time, p *peer, piece uint32) {
	if frames := appendDontHave(l.frames[:0], p, piece); len(frames) > 0 {
		l.push(now, p, frames)
	}
}

func appendDontHave(dst []byte, p *peer, piece uint32) []byte {
	id := p.theirs.ID(extension.DontHaveName)
	if id == 0 {
		return dst
	}
	return peerwire.Append(dst, peerwire.Extended{ID: id, Payload: extension.DontHave{Index: piece}.AppendTo(nil)})
}
