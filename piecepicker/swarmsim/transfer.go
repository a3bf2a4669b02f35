package swarmsim

// A flow is what goes over one link in a step.
type flow struct {
	l     *link
	bytes float64
}

// transfer moves the bytes of a step.
func (s *swarm) transfer() {
	s.flows, s.spans = s.flows[:0], s.spans[:0]
	dt := s.cfg.step().Seconds()
	rate := min(s.cfg.Uplink, s.server.Rates(s.clock()).Total)
	s.offer(s.out, float64(rate)*dt)
	for _, p := range s.peers {
		if len(p.out) > 0 {
			s.offer(p.out, float64(p.line.Up)*dt)
		}
	}
	s.fit(dt)
	s.now += s.cfg.step()
	for _, f := range s.flows {
		s.move(f.l, int64(f.bytes))
	}
}

// A span is the flows of one uploader.
type span struct {
	from, to int // in swarm.flows
	budget   float64
}

// offer shares budget evenly among those who take something on the links of out.
func (s *swarm) offer(out []*link, budget float64) {
	from := len(s.flows)
	for _, l := range out {
		if s.assign(l) {
			s.flows = append(s.flows, flow{l: l})
		}
	}
	n := len(s.flows) - from
	if n == 0 {
		return
	}
	for k := from; k < len(s.flows); k++ {
		f := &s.flows[k]
		f.bytes = budget / float64(n)
		f.l.owner.inflow += f.bytes
	}
	s.spans = append(s.spans, span{from: from, to: len(s.flows), budget: budget})
}

// fit cuts the flows down to what the lines of those who take can carry, and gives what is left of an uploader's line to its
// others.
func (s *swarm) fit(dt float64) {
	for k := range s.flows {
		p := s.flows[k].l.owner
		p.room = float64(p.line.Down) * dt
	}
	for k := range s.flows {
		f := &s.flows[k]
		if most := float64(f.l.owner.line.Down) * dt; f.l.owner.inflow > most {
			f.bytes *= most / f.l.owner.inflow
		}
		f.l.owner.room -= f.bytes
	}
	for _, sp := range s.spans {
		left := sp.budget
		for _, f := range s.flows[sp.from:sp.to] {
			left -= f.bytes
		}
		for k := sp.from; k < sp.to && left > 1; k++ {
			f := &s.flows[k]
			more := min(left/float64(sp.to-k), max(0, f.l.owner.room))
			f.bytes += more
			f.l.owner.room -= more
			left -= more
		}
	}
	for k := range s.flows {
		s.flows[k].l.owner.inflow = 0
	}
}

// move lets n bytes come in on l: what it is taking, and what comes after.
func (s *swarm) move(l *link, n int64) {
	p := l.owner
	for n > 0 && l.work != nil {
		pt := l.work
		k := min(n, pt.left)
		begin := s.cfg.PieceLength - pt.left
		pt.left -= k
		n -= k
		l.got += k
		s.feed(p)
		if l.to == nil {
			s.sent(l, pt.piece, begin, k)
		} else {
			s.res.Passed += k
		}
		if pt.left == 0 {
			s.gain(p, pt.piece)
		}
		if l.work == nil {
			s.assign(l)
		}
	}
}

// sent notes that the server sent n bytes.
func (s *swarm) sent(l *link, i uint32, begin, n int64) {
	s.res.Sent += n
	s.bytes[l.class] += n
	s.res.Groups[l.owner.group].Received += n
	s.server.BlockSent(s.clock(), l.owner.num, i, uint32(begin), int(n))
}
