package peerstore

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
)

const maxSample = 1000 // peers of one family in one answer

// sampler draws peers. Its slices are scratch memory: shared by all swarms of a
// shard, used under its lock.
type sampler struct {
	rng   rand.PCG
	picks []uint32
	taken []uint64 // a bit for each number, clear between calls
}

// below returns a uniform number under n. The fixed-point product is off by
// less than n / 2^64.
func (s *sampler) below(n uint) uint {
	hi, _ := bits.Mul64(s.rng.Uint64(), uint64(n))
	return uint(hi)
}

// choose returns k different numbers under n, each set of k equally likely
// (Floyd's algorithm). k is at most n. The slice is good until the next call.
func (s *sampler) choose(n, k int) []uint32 {
	s.picks = s.picks[:0]
	if k == n {
		for i := range n {
			s.picks = append(s.picks, uint32(i))
		}
		return s.picks
	}
	if words := n/64 + 1; words > len(s.taken) {
		s.taken = make([]uint64, words)
	}
	for last := uint(n - k); last < uint(n); last++ {
		pick := s.below(last + 1)
		if s.taken[pick/64]>>(pick%64)&1 != 0 {
			pick = last // not taken so far: all picks are under last
		}
		s.taken[pick/64] |= 1 << (pick % 64)
		s.picks = append(s.picks, uint32(pick))
	}
	for _, pick := range s.picks {
		s.taken[pick/64] = 0
	}
	return s.picks
}

// appendPeers appends up to want compact peers of t to *dst (BEP 23, 7): of all
// of them or, without seeds, of the leeches, and never the one at position
// asker. It returns how many.
func appendPeers[A words](v *visit, dst *[]byte, t *table[A], want int, seeds bool, asker int) int {
	if v.swarm.marks != nil || t.beyond(v.scope) > 0 {
		return appendChosen(v, dst, t, want, seeds, asker)
	}
	n := t.leeches
	if seeds {
		n = len(t.peers)
	}
	hole := asker >= 0 && asker < n
	if hole {
		n--
	}
	if n == 0 {
		return 0
	}
	b, picks := *dst, v.sampler.choose(n, min(want, n, maxSample))
	for _, i := range picks {
		if hole && int(i) >= asker {
			i++
		}
		b = appendPeer(b, &t.peers[i])
	}
	*dst = b
	return len(picks)
}

// reachable leaves those of some positions whose peers are of use to the asker.
func reachable[A words](v *visit, t *table[A], positions []uint32) []uint32 {
	if t.beyond(v.scope) == 0 {
		return positions
	}
	return slices.DeleteFunc(positions, func(at uint32) bool { return t.peers[at].scope() > v.scope })
}

// appendPeer appends one compact peer.
func appendPeer[A words](b []byte, p *peer[A]) []byte {
	for w := range len(p.addr) {
		b = binary.BigEndian.AppendUint32(b, p.addr[w])
	}
	return binary.BigEndian.AppendUint16(b, p.port)
}
