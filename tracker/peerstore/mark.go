package peerstore

import (
	"net/netip"
	"slices"

	"github.com/seedserver/bittorrent/tracker"
)

// maxMarks bounds the marks of one swarm: an answer looks at each of them.
const maxMarks = 256

// mark is a preference for the peer at an address.
type mark struct {
	addr       netip.AddrPort
	preference tracker.Preference
}

// Prefer says how the peer of a swarm at this address and port is told of from
// now on: [tracker.Audited] ones come first in an answer, whatever their number,
// those of [tracker.Own] after all others, and a [tracker.Liar] not at all; all
// count in the swarm as ever. [tracker.Neutral] takes back what was said. It
// holds for whoever announces under the address until the next [Store.Expire]
// that finds nobody there. It reports false if nobody is there now, or 256 peers
// of the swarm are marked already.
func (s *Store) Prefer(infohash [20]byte, addr netip.AddrPort, p tracker.Preference) bool {
	addr = netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port())
	sh := s.shard(infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sw := sh.swarms[infohash]
	if sw == nil || !sw.holds(&s.keys, addr) {
		return false
	}
	i := slices.IndexFunc(sw.marks, func(m mark) bool { return m.addr == addr })
	switch {
	case p == tracker.Neutral && i >= 0:
		sw.marks = slices.Delete(sw.marks, i, i+1)
	case p == tracker.Neutral:
	case i >= 0:
		sw.marks[i].preference = p
	case len(sw.marks) >= maxMarks:
		return false
	default:
		sw.marks = append(sw.marks, mark{addr, p})
	}
	return true
}

// holds reports whether there is a peer at addr.
func (sw *swarm) holds(k *keys, addr netip.AddrPort) bool {
	return addr.IsValid() && (sw.v4.place(k, addr) >= 0 || sw.v6.place(k, addr) >= 0)
}

// place returns the position of the peer at addr, or -1: also if addr is of the
// other family.
func (t *table[A]) place(k *keys, addr netip.AddrPort) int {
	var a A
	switch a := any(&a).(type) {
	case *v4:
		if !addr.Addr().Is4() {
			return -1
		}
		*a = words4(addr.Addr())
	case *v6:
		if !addr.Addr().Is6() {
			return -1
		}
		*a = words6(addr.Addr())
	}
	return t.findAddr(k, a, addr.Port())
}

// unmark drops the marks of peers that are gone.
func (sw *swarm) unmark(k *keys) {
	sw.marks = slices.DeleteFunc(sw.marks, func(m mark) bool { return !sw.holds(k, m.addr) })
	if len(sw.marks) == 0 {
		sw.marks = nil
	}
}

// appendChosen is appendPeers for a swarm with marks, or with peers that the
// asker cannot reach: first the audited, in random order, then a sample of those
// without a mark, last our own.
func appendChosen[A words](v *visit, dst *[]byte, t *table[A], want int, seeds bool, asker int) int {
	n := t.leeches
	if seeds {
		n = len(t.peers)
	}
	var room [maxMarks + 1]uint32
	var first, last [maxMarks]uint32
	holes, firsts, lasts := room[:0], first[:0], last[:0]
	if asker >= 0 && asker < n {
		holes = append(holes, uint32(asker))
	}
	for _, m := range v.swarm.marks {
		at := t.place(v.keys, m.addr)
		if at < 0 || at >= n || at == asker {
			continue
		}
		holes = append(holes, uint32(at))
		switch m.preference {
		case tracker.Audited:
			firsts = append(firsts, uint32(at))
		case tracker.Own:
			lasts = append(lasts, uint32(at))
		}
	}
	slices.Sort(holes)
	want = min(want, maxSample)
	firsts, lasts = reachable(v, t, firsts), reachable(v, t, lasts)
	v.sampler.shuffle(firsts)
	firsts = firsts[:min(len(firsts), want)]
	picks := choose(v, t, n, want-len(firsts), holes)
	lasts = lasts[:min(len(lasts), want-len(firsts)-len(picks))]
	for _, at := range firsts {
		*dst = appendPeer(*dst, &t.peers[at])
	}
	for _, at := range picks {
		*dst = appendPeer(*dst, &t.peers[at])
	}
	for _, at := range lasts {
		*dst = appendPeer(*dst, &t.peers[at])
	}
	return len(firsts) + len(picks) + len(lasts)
}

// choose returns up to want positions under n, none of holes, whose peers are of
// use to the asker. When few are, so many are looked at as one answer may hold.
func choose[A words](v *visit, t *table[A], n, want int, holes []uint32) []uint32 {
	free := n - len(holes)
	draw := func(k int) []uint32 {
		picks := v.sampler.choose(free, k)
		for j, i := range picks {
			for _, hole := range holes {
				if hole > i {
					break
				}
				i++
			}
			picks[j] = i
		}
		return reachable(v, t, picks)
	}
	k := min(want, free)
	picks := draw(k)
	if len(picks) == k || k == free {
		return picks
	}
	picks = draw(min(free, maxSample))
	v.sampler.shuffle(picks)
	return picks[:min(want, len(picks))]
}

// shuffle puts positions into random order, each as likely as any other.
func (s *sampler) shuffle(positions []uint32) {
	for i := len(positions) - 1; i > 0; i-- {
		j := s.below(uint(i + 1))
		positions[i], positions[j] = positions[j], positions[i]
	}
}
