package swarmsim

import (
	"fmt"
	"time"

	"github.com/seedserver/bittorrent/piecepicker"
)

// mark returns what it took to get here.
func (s *swarm) mark(since time.Duration, sent int64) Mark {
	return Mark{At: s.now - since, Copies: ratio(float64(s.res.Sent-sent), float64(s.res.length))}
}

// measure takes the figures of a step.
func (s *swarm) measure() {
	r := s.res
	if s.unseen == 0 && !r.First.Reached() {
		r.First = s.mark(0, 0)
		s.say("the first copy is out")
	}
	if r.Lost > 0 && s.unheld == 0 && !r.Recovery.Reached() {
		r.Recovery = s.mark(s.cfg.Loss.At, s.lossSent)
	}
	if s.now < s.cfg.WarmUp {
		return
	}
	if !s.warm {
		s.warm, s.warmSent = true, r.Sent
	}
	r.Steady.Hours += s.cfg.step().Hours()
	r.Steady.Peers += float64(s.pending)
}

// feed notes that p got something.
func (s *swarm) feed(p *peer) {
	if p.what.Behaviour.honest() {
		s.res.Stalled = max(s.res.Stalled, s.now-p.fed)
	}
	p.fed = s.now
}

// finished notes that p became complete for the first time.
func (s *swarm) finished(p *peer) {
	took := s.now - p.joined
	g := &s.res.Groups[p.group]
	g.Done++
	g.Mean += took
	g.Slowest = max(g.Slowest, took)
	if !p.what.Behaviour.honest() {
		return
	}
	s.res.Done++
	if s.pending--; s.pending == 0 {
		s.res.All = s.mark(0, 0)
	}
	if s.warm {
		s.res.Steady.Downloads++
		s.res.Steady.Mean += took.Seconds()
	}
}

// result returns the figures of all.
func (s *swarm) result() *Result {
	r := s.res
	r.Ended = s.now
	r.Copies = ratio(float64(r.Sent), float64(r.length))
	r.Honest = len(r.lines)
	if s.pending > 0 {
		r.All = Mark{}
	}
	r.Bound = r.BoundAt(0)
	r.Classes = map[piecepicker.Class]float64{}
	for c, n := range s.bytes {
		if n > 0 {
			r.Classes[piecepicker.Class(c)] = ratio(float64(n), float64(r.length))
		}
	}
	for k := range r.Groups {
		if g := &r.Groups[k]; g.Done > 0 {
			g.Mean /= time.Duration(g.Done)
		}
	}
	for _, p := range s.peers {
		if p.what.Behaviour.honest() && !p.complete() {
			r.Stalled = max(r.Stalled, s.now-p.fed)
		}
	}
	st := &r.Steady
	st.Bytes = r.Sent - s.warmSent
	st.Mean = ratio(st.Mean, float64(st.Downloads))
	st.Peers = ratio(st.Peers*s.cfg.step().Hours(), st.Hours)
	return r
}

// say writes a line of the transcript.
func (s *swarm) say(format string, args ...any) {
	if s.cfg.Transcript == nil {
		return
	}
	if _, err := fmt.Fprintf(s.cfg.Transcript, "%7.2f  "+format+"\n", append([]any{s.now.Seconds()}, args...)...); err != nil {
		s.cfg.Transcript = nil
	}
}

// String returns what the peer does and its number.
func (p *peer) String() string {
	if p.what.Behaviour == Leech {
		return fmt.Sprintf("peer %d", p.id)
	}
	return fmt.Sprintf("%v %d", p.what.Behaviour, p.id)
}
