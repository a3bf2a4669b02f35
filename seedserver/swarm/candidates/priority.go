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
	x, y := a.Addr().AsSlice(), b.Addr().AsSlice()
	whole := 2 // bytes that are taken as they are, of addresses with nothing in common
	if len(x) == 16 {
		whole = 6
	}
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
	return crc32.Update(crc32.Checksum(x, castagnoli), castagnoli, y)
}
