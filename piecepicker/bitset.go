package piecepicker

import "math/bits"

// A bitset holds a set of pieces, the first in the lowest bit of the first word. nil is the empty set.
type bitset []uint64

func newBitset(n int) bitset { return make(bitset, (n+63)/64) }

func (b bitset) has(i uint32) bool {
	w := int(i >> 6)
	return w < len(b) && b[w]>>(i&63)&1 != 0
}

func (b bitset) set(i uint32) { b[i>>6] |= 1 << (i & 63) }

func (b bitset) clear(i uint32) { b[i>>6] &^= 1 << (i & 63) }

func (b bitset) count() int {
	n := 0
	for _, w := range b {
		n += bits.OnesCount64(w)
	}
	return n
}

// fromWire reads the n bits of a BITFIELD, the first in the highest bit of the first byte (BEP 3).
func fromWire(wire []byte, n int) bitset {
	b := newBitset(n)
	for k, c := range wire[:min(len(wire), (n+7)/8)] {
		b[k>>3] |= uint64(bits.Reverse8(c)) << (k & 7 * 8)
	}
	if spare := n & 63; spare != 0 {
		b[len(b)-1] &= 1<<spare - 1
	}
	return b
}

// missing returns the first piece below n that is not in the set and for which ok is true, from the word of start on and
// around. It asks for tries pieces at most.
func (b bitset) missing(start uint32, n int, ok func(i uint32) bool, tries int) (uint32, bool) {
	words := (n + 63) / 64
	first := int(start >> 6)
	for _, part := range [2][2]int{{first, words}, {0, first}} {
		for w := b.skip(part[0], part[1]); w < part[1]; w = b.skip(w+1, part[1]) {
			for lack := ^b.word(w); lack != 0; lack &= lack - 1 {
				i := uint32(w<<6 + bits.TrailingZeros64(lack))
				if int(i) >= n {
					break
				}
				if ok(i) {
					return i, true
				}
				if tries--; tries <= 0 {
					return 0, false
				}
			}
		}
	}
	return 0, false
}

// skip returns the first word from w on that lacks a bit, or end. It looks at eight words at a time: nearly all of those of a
// peer that lacks little are full.
func (b bitset) skip(w, end int) int {
	for last := min(end, len(b)); w+8 <= last; w += 8 {
		x := b[w : w+8 : w+8]
		if x[0]&x[1]&x[2]&x[3]&x[4]&x[5]&x[6]&x[7] != ^uint64(0) {
			break
		}
	}
	for w < end && b.word(w) == ^uint64(0) {
		w++
	}
	return w
}

func (b bitset) word(w int) uint64 {
	if w < len(b) {
		return b[w]
	}
	return 0
}

// appendWire appends the n bits as a BITFIELD: the reverse of fromWire.
func (b bitset) appendWire(dst []byte, n int) []byte {
	for k := range (n + 7) / 8 {
		dst = append(dst, bits.Reverse8(byte(b.word(k>>3)>>(k&7*8))))
	}
	return dst
}
