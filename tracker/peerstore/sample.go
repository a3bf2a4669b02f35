package peerstore

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
)

const maxSample = 1000 // peers in one answer

// sampler draws peers. Its slices are scratch memory: shared by all swarms of a
// shard, used under its lock.
type sampler struct {
	rng   rand.PCG
	picks []uint32
	taken []uint32 // open-addressing set of picks + 1
}

// below returns a uniform number under n. The fixed-point product is off by
// less than n / 2^64.
func (s *sampler) below(n int) int {
	hi, _ := bits.Mul64(s.rng.Uint64(), uint64(n))
	return int(hi)
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
	size := 1 << bits.Len(uint(2*k))
	s.taken = slices.Grow(s.taken[:0], size)[:size]
	clear(s.taken)
	for last := n - k; last < n; last++ {
		pick := s.below(last + 1)
		if !s.take(pick) {
			pick = last // not among the picks so far: all are under last
			s.take(pick)
		}
		s.picks = append(s.picks, uint32(pick))
	}
	return s.picks
}

// take puts a number into the set, and reports whether it was not in there.
func (s *sampler) take(pick int) bool {
	v, mask := uint32(pick)+1, uint32(len(s.taken)-1)
	for i := v * 0x9e3779b1 >> 7; ; i++ {
		switch s.taken[i&mask] {
		case 0:
			s.taken[i&mask] = v
			return true
		case v:
			return false
		}
	}
}

// appendPeers appends up to want compact peers of t to *dst (BEP 23, 7): of all
// of them or, without seeds, of the leeches, and never the one at position
// asker. It returns how many.
func appendPeers[A words](s *sampler, dst *[]byte, t *table[A], want int, seeds bool, asker int) int {
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
	b := *dst
	picks := s.choose(n, min(want, n, maxSample))
	for _, i := range picks {
		if hole && int(i) >= asker {
			i++
		}
		p := &t.peers[i]
		for w := range len(p.addr) {
			b = binary.BigEndian.AppendUint32(b, p.addr[w])
		}
		b = binary.BigEndian.AppendUint16(b, p.port)
	}
	*dst = b
	return len(picks)
}
