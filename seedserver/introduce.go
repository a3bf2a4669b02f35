package seedserver

import (
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/seedserver/swarm"
	"github.com/seedserver/bittorrent/tracker"
)

// Whom our tracker tells of whom, while our swarm hides what it has: of liars nobody, and of who says that it is complete nobody before it
// has shown it, or some minutes went by. Of strangers that lack something few are told in one answer: anybody can announce from fifty
// addresses before the first leech comes, be all that it is told of, and have its upload slots. Peer exchange tells of the others, and
// of who turned out to be known. None is told of nobody: several behind one address look like one that asks often.
const (
	strangersTold = 5                // in one answer, or as many as there are others
	claimHidden   = 10 * time.Minute // how long nobody is told of who says that it is complete, and did not show it
	claimKept     = time.Hour        // how long it is remembered at least: longer than clients wait between announces
	claimsMost    = 4096             // that are remembered of a torrent; twice
)

// claims remember since when addresses say that they are complete, for one to two times claimKept.
type claims struct {
	recent, before map[netip.Addr]time.Time
	turned         time.Time // when recent became before
}

// heard returns since when addr says that it is complete, which it says now.
func (c *claims) heard(now time.Time, addr netip.Addr) time.Time {
	if c.recent == nil || now.Sub(c.turned) >= claimKept {
		c.recent, c.before, c.turned = map[netip.Addr]time.Time{}, c.recent, now
	}
	since, known := c.of(addr)
	if !known {
		since = now
	}
	if _, there := c.recent[addr]; there || len(c.recent) < claimsMost {
		c.recent[addr] = since
	}
	return since
}

// of returns since when addr says so, false if it does not.
func (c *claims) of(addr netip.Addr) (since time.Time, known bool) {
	if since, known = c.recent[addr]; !known {
		since, known = c.before[addr]
	}
	return since, known
}

// withdrawn forgets what addr said.
func (c *claims) withdrawn(addr netip.Addr) {
	delete(c.recent, addr)
	delete(c.before, addr)
}

// introduce leaves in an answer those that asker, which said how much it lacks, is to be told of.
func (j *judged) introduce(now time.Time, asker netip.Addr, left int64, res *tracker.AnnounceResponse) {
	j.mu.Lock()
	defer j.mu.Unlock()
	hidden := j.verdicts[asker] == swarm.Liar
	if j.verdicts[asker] == swarm.Unknown {
		if left == 0 {
			hidden = now.Sub(j.claims.heard(now, asker)) < claimHidden
		} else {
			j.claims.withdrawn(asker)
		}
	}
	known := 0
	j.keep(res, func(addr netip.Addr) bool {
		if hidden || j.verdicts[addr] == swarm.Liar {
			return false
		}
		if j.verdicts[addr] != swarm.Unknown {
			known++
			return true
		}
		since, claims := j.claims.of(addr)
		return !claims || now.Sub(since) >= claimHidden
	})
	room := max(strangersTold, known)
	j.keep(res, func(addr netip.Addr) bool {
		if j.verdicts[addr] != swarm.Unknown {
			return true
		}
		room--
		return room >= 0
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
