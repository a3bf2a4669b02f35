package peerwire

import (
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"slices"
)

// AllowedFastSet returns the pieces that a peer at ip may request while choked, in the order of BEP 6, so that one who asks
// twice, or from a neighbouring address, is given the same ones. At most k pieces, never more than numPieces; k is meant to be
// about 10 and the cost grows with its square.
//
// BEP 6 defines the set for IPv4, by the address's first three bytes. For IPv6, where it is silent, the first eight count: the
// network, within which a host chooses its addresses freely. An invalid ip gives none. The set is the sender's choice, so a
// receiver takes any set for right.
func AllowedFastSet(infohash [20]byte, ip netip.Addr, numPieces uint32, k int) []uint32 {
	network := allowedFastNetwork(ip)
	if network == nil || numPieces == 0 || k <= 0 {
		return nil
	}
	k = int(min(int64(k), int64(numPieces))) // with fewer pieces than k, the search would not end
	set := make([]uint32, 0, k)
	x := sha1.Sum(append(network, infohash[:]...))
	for {
		for i := 0; i < len(x); i += 4 {
			index := binary.BigEndian.Uint32(x[i:]) % numPieces
			if slices.Contains(set, index) {
				continue
			}
			if set = append(set, index); len(set) == k {
				return set
			}
		}
		x = sha1.Sum(x[:])
	}
}

// allowedFastNetwork returns the address bytes that are hashed, the host's part zero.
func allowedFastNetwork(ip netip.Addr) []byte {
	bits := 64
	if ip = ip.Unmap(); ip.Is4() {
		bits = 24 // "only the three most significant bytes" (BEP 6)
	}
	network, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return nil
	}
	return network.Addr().AsSlice()
}
