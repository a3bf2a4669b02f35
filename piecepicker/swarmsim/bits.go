package swarmsim

import "math/bits"

// A bitset is a set of pieces.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (s bitset) has(i uint32) bool { return s[i>>6]>>(i&63)&1 != 0 }
func (s bitset) set(i uint32)      { s[i>>6] |= 1 << (i & 63) }
func (s bitset) clear(i uint32)    { s[i>>6] &^= 1 << (i & 63) }

// fill puts the first n pieces in.
func (s bitset) fill(n int) {
	for i := range n {
		s.set(uint32(i))
	}
}

// missing returns how many of s are not in t.
func (s bitset) missing(t bitset) int {
	n := 0
	for w, word := range s {
		n += bits.OnesCount64(word &^ t[w])
	}
	return n
}

// each calls f for each piece of s in order.
func (s bitset) each(f func(i uint32)) {
	for w, word := range s {
		for ; word != 0; word &= word - 1 {
			f(uint32(w<<6 + bits.TrailingZeros64(word)))
		}
	}
}

// wire returns s as the body of a BITFIELD message of n pieces (BEP 3).
func (s bitset) wire(n int) []byte {
	b := make([]byte, (n+7)/8)
	s.each(func(i uint32) { b[i>>3] |= 0x80 >> (i & 7) })
	return b
}
