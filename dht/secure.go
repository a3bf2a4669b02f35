package dht

import (
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"net/netip"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// IsLocal reports whether addr is one that only we or our network can reach: loopback, private, link-local. BEP 42 exempts
// their ids; and a node at such an address is never named to one that is not.
func IsLocal(addr netip.Addr) bool {
	return addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}

// prefixOf returns the 21 bits that BEP 42 wants at the start of an id at addr, for the random number r, of which 3 bits count.
func prefixOf(addr netip.Addr, r byte) uint32 {
	if addr.Is4() {
		b := addr.As4()
		ip := binary.BigEndian.Uint32(b[:])&0x030f3fff | uint32(r&7)<<29
		return crc32.Checksum(binary.BigEndian.AppendUint32(nil, ip), castagnoli) & 0xfffff800
	}
	b := addr.As16()
	ip := binary.BigEndian.Uint64(b[:])&0x0103070f1f3f7fff | uint64(r&7)<<61
	return crc32.Checksum(binary.BigEndian.AppendUint64(nil, ip), castagnoli) & 0xfffff800
}

// Compliant reports whether a node at addr may have this id: its first 21 bits follow from the address and its last byte
// (BEP 42), so that nobody can choose a place in the DHT. Every id is, at a local address.
func Compliant(id ID, addr netip.Addr) bool {
	addr = addr.Unmap()
	if IsLocal(addr) {
		return true
	}
	return (prefixOf(addr, id[19])^binary.BigEndian.Uint32(id[:]))&0xfffff800 == 0
}

// NewID returns a random id that a node at addr may have (BEP 42). If addr is local or the zero Addr, any.
func NewID(addr netip.Addr, r *rand.Rand) ID {
	id, addr := randomID(r), addr.Unmap()
	if addr.IsValid() && !IsLocal(addr) {
		rest := binary.BigEndian.Uint32(id[:]) &^ 0xfffff800
		binary.BigEndian.PutUint32(id[:], prefixOf(addr, id[19])|rest)
	}
	return id
}
