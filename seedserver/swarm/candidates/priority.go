package candidates

import (
	"hash/crc32"
	"net/netip"
	"slices"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Priority returns the canonical priority of the connection between a and b, the higher the better; it is the same for both ends.
// Of addresses in one network it takes more bits into account, and of equal addresses the ports. 0 for addresses of different
// families. "All peers prefer the peers with the highest priority" (BEP 40).
func Priority(a, b netip.AddrPort) uint32 {
	a, b = plain(a), plain(b)
	if a.Addr().Is4() != b.Addr().Is4() || !a.Addr().IsValid() || !b.Addr().IsValid() {
		return 0
	}
	if a.Addr() == b.Addr() {
		return priority([]byte{byte(a.Port() >> 8), byte(a.Port())}, []byte{byte(b.Port() >> 8), byte(b.Port())})
	}
	if a.Addr().Is4() {
		x, y := a.Addr().As4(), b.Addr().As4()
		return masked(x[:], y[:], 2)
	}
	x, y := a.Addr().As16(), b.Addr().As16()
	return masked(x[:], y[:], 6)
}

// masked returns the priority of two addresses of one family, of which so many bytes are taken as they are if they have nothing in
// common. It changes both.
func masked(x, y []byte, whole int) uint32 {
	// "If the IPs are in the same /16, the mask is FF.FF.FF.55, in the same /24 the whole address": a byte more for each equal one
	same := 0
	for same < len(x) && x[same] == y[same] {
		same++
	}
	if same >= whole {
		whole = same + 1
	}
	for i := whole; i < len(x); i++ {
		x[i] &= 0x55
		y[i] &= 0x55
	}
	return priority(x, y)
}

// priority returns the checksum of both, the lower one first.
func priority(x, y []byte) uint32 {
	if slices.Compare(x, y) > 0 {
		x, y = y, x
	}
	return ^update(update(^uint32(0), x), y)
}

// update adds p to a checksum. Package crc32 is faster from some dozens of bytes on, and moves what it is given to the heap.
func update(crc uint32, p []byte) uint32 {
	for _, b := range p {
		crc = castagnoli[byte(crc)^b] ^ crc>>8
	}
	return crc
}
