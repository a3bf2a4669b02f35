package swarmsim

// A flow is what goes over one link in a step.
type flow struct {
	l     *link
	bytes float64 // that it may carry
	moved float64 // that it carried
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
	for _, sp := range s.spans {
		s.carry(sp)
	}
}

// carry moves the bytes of one uploader. What is left of the share of those who have nothing more to take goes to the others.
func (s *swarm) carry(sp span) {
	flows := s.flows[sp.from:sp.to]
	left := int64(0)
	for k := range flows {
		left += s.move(&flows[k], int64(flows[k].bytes))
	}
	for k := range flows {
		l := flows[k].l
		if left > 0 && l.work != nil {
			more := min(left, int64(l.owner.room))
			left += s.move(&flows[k], more) - more
		}
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

// move lets n bytes come in on the link of f, of what it is taking and of what comes after, and returns how many were not taken.
func (s *swarm) move(f *flow, n int64) int64 {
	l := f.l
	p := l.owner
	for n > 0 && l.work != nil {
		pt := l.work
		k := min(n, pt.left)
		begin := s.cfg.PieceLength - pt.left
		pt.left -= k
		n -= k
		f.moved += float64(k)
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
	p.room += f.bytes - f.moved
	f.bytes = f.moved
	return n
}

// sent notes that the server sent n bytes.
func (s *swarm) sent(l *link, i uint32, begin, n int64) {
	s.res.Sent += n
	s.bytes[l.class] += n
	s.res.Groups[l.owner.group].Received += n
	s.server.BlockSent(s.clock(), l.owner.num, i, uint32(begin), int(n))
}
