package seedserver

import (
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
)

// Whom our tracker tells of whom, while our swarm hides what it has: of liars nobody, and of who says that it is complete nobody before it
// has shown it, or some minutes went by. Strangers that lack something are told of: an honest one that had to wait until it is known would
// have nobody to get from what was sent to others, and several behind one address look like one that asks often.
const (
	claimKept     = 10 * time.Minute // in which nobody is told of who says that it is complete, and did not show it
	strangersMost = 4096             // that are remembered, of a torrent; twice
)

// A stranger is an address that the swarm knows nothing of, and that announced.
type stranger struct {
	claims time.Time // since when it says that it is complete; zero if it does not
}

// strangers are remembered for one to two times claimKept.
type strangers struct {
	recent, before map[netip.Addr]*stranger
	since          time.Time
}

// of returns what is remembered of addr, or nil if there is nothing.
func (s *strangers) of(addr netip.Addr) *stranger {
	if known := s.recent[addr]; known != nil {
		return known
	}
	return s.before[addr]
}

// met returns what is remembered of addr from now on; nil if there are too many to remember.
func (s *strangers) met(now time.Time, addr netip.Addr) *stranger {
	if s.recent == nil || now.Sub(s.since) >= claimKept {
		s.recent, s.before, s.since = map[netip.Addr]*stranger{}, s.recent, now
	}
	known := s.of(addr)
	if len(s.recent) >= strangersMost && s.recent[addr] == nil {
		return known
	}
	if known == nil {
		known = &stranger{}
	}
	s.recent[addr] = known
	return known
}

// introduce leaves in an answer to asker, which said how much it lacks, those it is to be told of. What it leaves out is told
// later, when either is known, or time went by.
func (j *judged) introduce(now time.Time, asker netip.Addr, left int64, res *tracker.AnnounceResponse) {
	j.mu.Lock()
	defer j.mu.Unlock()
	v := j.verdicts[asker]
	if v == swarm.Unknown {
		s := j.strangers.met(now, asker)
		if s == nil {
			s = &stranger{}
		}
		switch {
		case left != 0:
			s.claims = time.Time{}
		case s.claims.IsZero():
			s.claims = now
		}
		if !s.claims.IsZero() && now.Sub(s.claims) < claimKept {
			v = swarm.Liar
		}
	}
	if v == swarm.Liar {
		res.Peers4, res.Peers6 = res.Peers4[:0], res.Peers6[:0]
		return
	}
	j.keep(res, func(addr netip.Addr) bool {
		switch j.verdicts[addr] {
		case swarm.Liar:
			return false
		case swarm.Unknown:
			s := j.strangers.of(addr)
			return s == nil || s.claims.IsZero() || now.Sub(s.claims) >= claimKept
		}
		return true
	})
}

// keep leaves the peers in an answer that suit.
func (j *judged) keep(res *tracker.AnnounceResponse, suits func(netip.Addr) bool) {
	res.Peers4 = compactKept(res.Peers4, 6, func(b []byte) bool { return suits(netip.AddrFrom4([4]byte(b))) })
	res.Peers6 = compactKept(res.Peers6, 18, func(b []byte) bool { return suits(netip.AddrFrom16([16]byte(b)).Unmap()) })
}

// compactKept leaves those of so many bytes each that suit, in place.
func compactKept(peers []byte, size int, suits func([]byte) bool) []byte {
	kept := peers[:0]
	for ; len(peers) >= size; peers = peers[size:] {
		if suits(peers) {
			kept = append(kept, peers[:size]...)
		}
	}
	return kept
}
