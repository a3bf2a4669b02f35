package peerwire

import "math/bits"

// A Bitfield is a set of the pieces of one torrent. Pieces outside the torrent are never in it. It keeps its own count, and
// belongs to one goroutine.
type Bitfield struct {
	bits  []byte // as on the wire; spare bits zero
	n     uint32 // pieces of the torrent
	count uint32 // bits set
}

// NewBitfield returns an empty set for a torrent of numPieces pieces: one bit of memory each.
func NewBitfield(numPieces uint32) *Bitfield {
	return &Bitfield{bits: make([]byte, bitfieldSize(numPieces)), n: numPieces}
}

// ParseBitfield returns the set that a [BitfieldMessage] carries, for a torrent of numPieces pieces; wire is copied. A length
// other than that torrent's is a [*FrameError]. "Spare bits at the end are set to zero" (BEP 3), and where a peer did not,
// they are passed over as other clients do.
func ParseBitfield(wire []byte, numPieces uint32) (*Bitfield, error) {
	if uint64(len(wire)) != bitfieldSize(numPieces) {
		return nil, &FrameError{ID: IDBitfield, Length: uint32(1 + len(wire)), Reason: "not the size of the torrent's bitfield"}
	}
	b := NewBitfield(numPieces)
	copy(b.bits, wire)
	if spare := numPieces % 8; spare != 0 {
		b.bits[len(b.bits)-1] &= 0xff << (8 - spare)
	}
	for _, x := range b.bits {
		b.count += uint32(bits.OnesCount8(x))
	}
	return b, nil
}

// bitfieldSize returns the bytes of a bitfield of n pieces.
func bitfieldSize(n uint32) uint64 { return (uint64(n) + 7) / 8 }

// Has reports whether piece index is in the set.
func (b *Bitfield) Has(index uint32) bool {
	return index < b.n && b.bits[index/8]&(0x80>>(index%8)) != 0
}

// Set adds piece index, and reports whether that changed anything: not when it is there already or not of this torrent.
func (b *Bitfield) Set(index uint32) bool {
	if index >= b.n || b.Has(index) {
		return false
	}
	b.bits[index/8] |= 0x80 >> (index % 8)
	b.count++
	return true
}

// Clear removes piece index, and reports whether it was there.
func (b *Bitfield) Clear(index uint32) bool {
	if !b.Has(index) {
		return false
	}
	b.bits[index/8] &^= 0x80 >> (index % 8)
	b.count--
	return true
}

// SetAll adds every piece, as [HaveAll] does (BEP 6).
func (b *Bitfield) SetAll() {
	for i := range b.bits {
		b.bits[i] = 0xff
	}
	if spare := b.n % 8; spare != 0 {
		b.bits[len(b.bits)-1] = 0xff << (8 - spare)
	}
	b.count = b.n
}

// ClearAll removes every piece, as [HaveNone] does (BEP 6).
func (b *Bitfield) ClearAll() {
	clear(b.bits)
	b.count = 0
}

// Len returns the number of pieces of the torrent.
func (b *Bitfield) Len() uint32 { return b.n }

// Count returns the number of pieces in the set.
func (b *Bitfield) Count() uint32 { return b.count }

// All reports whether every piece is in the set: a seed's.
func (b *Bitfield) All() bool { return b.count == b.n }

// None reports whether the set is empty.
func (b *Bitfield) None() bool { return b.count == 0 }

// Bytes returns the set as a [BitfieldMessage] carries it (BEP 3). It is the set's own memory: the caller does not change it,
// and later changes of the set show in it.
func (b *Bitfield) Bytes() []byte { return b.bits }
