package swarm

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/piecepicker"
	"github.com/seedserver/bittorrent/seedserver/storage"
)

// How the picker's audits are carried out: the masquerade asks like any leech, and compares what comes with our own bytes.

// auditTimeout is how long a block of an audit is waited for. Transmission takes half a second, aria2 up to eleven.
const auditTimeout = 30 * time.Second

// patience returns how long a client, by its name, stays connected to a leech that asks it for nothing; 0 if longer than matters.
func patience(client string) time.Duration {
	switch {
	case strings.HasPrefix(client, "aria2"):
		return time.Minute // since its last block, if that was asked for; half of it without interest
	case strings.HasPrefix(client, "Transmission"):
		return 4 * time.Minute
	}
	return 0
}

// A Verdict is what is known of an address: that a peer there holds what it says, or that it lies.
type Verdict uint8

const (
	// Unknown: nothing, or nothing any more.
	Unknown Verdict = iota
	// Holder: it is complete, connected, and has shown it.
	Holder
	// Liar: it sent bytes that are not the torrent's, or says that it has what nobody can have.
	Liar
	// Partner: it took a piece of us, and says so, as leeches do. Of Unknown it is told only when it turns out to be no good.
	Partner
)

func (m *masquerade) choking(now time.Time, p *peer) {
	m.picker.PeerChoking(now, p.number, p.asking.choked)
}

func (m *masquerade) allowed(now time.Time, p *peer, index uint32) {
	m.picker.PeerAllows(now, p.number, index)
}

func (m *masquerade) answered(now time.Time, p *peer, a answer) {
	switch a.how {
	case blockCame, blockLate:
		m.made = append(m.made, decision{p: p, do: doCompare, answer: a})
	case blockRejected, blockChoked:
		m.picker.Refused(now, p.number, piecepicker.Block(a.Request))
	case blockTimedOut:
		m.picker.Unanswered(now, p.number, piecepicker.Block(a.Request))
	case blockGone: // the picker hears that the peer is
	}
}

// compared takes the outcome of a comparison.
func (m *masquerade) compared(now time.Time, p *peer, r peerwire.Request, c comparison) {
	b := piecepicker.Block(r)
	if c == unsure {
		m.picker.Unanswered(now, p.number, b)
		return
	}
	m.picker.Answered(now, p.number, b, c == same)
	for _, p := range m.peers { // that one has what cannot be from us clears others of having claimed that
		if p != nil {
			m.judge(now, p)
		}
	}
}

// judge keeps the verdict on p, and tells who has to know when it changes.
func (m *masquerade) judge(now time.Time, p *peer) {
	v := Unknown
	switch trust := m.picker.TrustOf(p.number); {
	case trust == piecepicker.Liar:
		v = Liar
	case trust == piecepicker.Proven && p.have != nil && p.have.All():
		v = Holder
	case m.picker.Partner(p.number):
		v = Partner
	}
	if v != p.verdict {
		p.verdict = v
		if v == Partner || v == Holder {
			p.exchange.hasten(now)
		}
		if m.cfg.Judged != nil {
			m.cfg.Judged(p.judgedAt(), v)
		}
	}
}

// unjudge takes back what was said of p, which is leaving: but not of one that sent wrong bytes.
func (m *masquerade) unjudge(now time.Time, p *peer) {
	if m.cfg.Judged == nil || p.verdict == Unknown || p.verdict == Partner {
		return
	}
	if st, _ := m.picker.PeerStatus(now, p.number); st.Audit.State != piecepicker.AuditWrong {
		m.cfg.Judged(p.judgedAt(), Unknown)
	}
}

// judgedAt returns p's address, with the port it listens on or none.
func (p *peer) judgedAt() netip.AddrPort { return netip.AddrPortFrom(p.addr.Addr(), p.listenPort) }

// A comparison is what came of comparing a block with our own bytes.
type comparison uint8

const (
	unsure comparison = iota // ours cannot be read, or are not right themselves
	same
	different
)

// A comparer is told of comparisons; a policy that returns doCompare is one.
type comparer interface {
	compared(now time.Time, p *peer, r peerwire.Request, c comparison)
}

// compare starts comparing a block. That reads the content, and so is not for the loop. There are never more of them than
// requests that were asked.
func (l *loop) compare(p *peer, a answer) {
	s := l.swarm
	l.spawn(func(context.Context) {
		c, err := s.compareBlock(a.Request, a.data())
		giveBack(a.buf)
		if err != nil && errors.Is(err, storage.ErrChanged) {
			s.contentChanged(err)
		}
		s.post(&compared{p, a.Request, c})
	})
}

// A compared is the end of a comparison.
type compared struct {
	p *peer
	r peerwire.Request
	c comparison
}

func (e *compared) apply(l *loop, now time.Time) {
	if c, ok := l.policy.(comparer); ok && !e.p.gone {
		c.compared(now, e.p, e.r, e.c)
	}
}

// compareBlock compares a block with ours. Who is to be called a liar is so only if our own piece is the one that was published.
func (s *Swarm) compareBlock(r peerwire.Request, block []byte) (comparison, error) {
	buf := borrow(len(block))
	defer giveBack(buf)
	ours := (*buf)[:len(block)]
	if err := s.cfg.Content.ReadAt(ours, int64(r.Index)*s.cfg.Info.PieceLength+int64(r.Begin)); err != nil {
		return unsure, err
	}
	if bytes.Equal(ours, block) {
		return same, nil
	}
	right, err := s.verify(r.Index)
	if !right {
		return unsure, err
	}
	return different, nil
}

// verify reports whether our piece has the hash it was published with.
func (s *Swarm) verify(index uint32) (bool, error) {
	buf := borrow(maxChunk)
	defer giveBack(buf)
	sum := sha1.New()
	at, size := int64(index)*s.cfg.Info.PieceLength, s.pieceSize(index)
	for size > 0 {
		part := (*buf)[:min(size, maxChunk)]
		if err := s.cfg.Content.ReadAt(part, at); err != nil {
			return false, err
		}
		sum.Write(part)
		at, size = at+int64(len(part)), size-int64(len(part))
	}
	return bytes.Equal(sum.Sum(nil), s.cfg.Info.Pieces[index*sha1.Size:][:sha1.Size]), nil
}
