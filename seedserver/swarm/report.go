package swarm

// told is what Config.Sent and Config.SentMetadata know.
type told struct {
	uploaded [Classes]int64
	metadata int64
}

func (s *Swarm) toTell() told { return told{s.uploadedByClass(), s.metadata.Load()} }

// reportSent tells of what was sent since it was called last.
func (l *loop) reportSent() {
	now, cfg := l.swarm.toTell(), &l.swarm.cfg
	for c, n := range now.uploaded {
		if n -= l.told.uploaded[c]; n > 0 && cfg.Sent != nil {
			cfg.Sent(Class(c), int(n))
		}
	}
	if n := now.metadata - l.told.metadata; n > 0 && cfg.SentMetadata != nil {
		cfg.SentMetadata(int(n))
	}
	l.told = now
}

// leave tells that p left, or notes that it did: a write of its may be under way, and count.
func (l *loop) leave(p *peer) {
	if !p.out.finished() {
		l.leaving = append(l.leaving, p)
		l.busy = true
		return
	}
	if left := l.swarm.cfg.Left; left != nil {
		left(p.stat(l.swarm.numPieces))
	}
}

// reportLeft tells of the peers that left and are through with sending by now.
func (l *loop) reportLeft() {
	before := l.leaving
	l.leaving = nil
	for _, p := range before {
		l.leave(p)
	}
}

// owesReport reports whether there is anything to tell.
func (l *loop) owesReport() bool { return len(l.leaving) > 0 || l.told != l.swarm.toTell() }
