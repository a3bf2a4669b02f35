package dht

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"math/bits"
	"math/rand/v2"
)

// ID is the id of a node, and the name of a place in the DHT: infohashes are places too (BEP 5). The distance of two is their
// XOR, read as a number.
type ID [20]byte

// String returns the id in hexadecimal.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// LogValue implements [slog.LogValuer].
func (id ID) LogValue() slog.Value { return slog.StringValue(id.String()) }

// key returns the first 64 bits, by which nearly all comparisons are decided.
func (id *ID) key() uint64 { return binary.BigEndian.Uint64(id[:8]) }

// sharedBits counts the leading bits in which a and b agree: 160 if they are equal.
func sharedBits(a, b *ID) int {
	for i := 0; i < 16; i += 8 {
		if x := binary.BigEndian.Uint64(a[i:]) ^ binary.BigEndian.Uint64(b[i:]); x != 0 {
			return 8*i + bits.LeadingZeros64(x)
		}
	}
	return 128 + bits.LeadingZeros32(binary.BigEndian.Uint32(a[16:])^binary.BigEndian.Uint32(b[16:]))
}

// compareDistance is negative if a is closer to target than b, and 0 only if they are equal.
func compareDistance(target, a, b *ID) int {
	t := target.key()
	if x, y := t^a.key(), t^b.key(); x != y {
		if x < y {
			return -1
		}
		return 1
	}
	var x, y [12]byte
	for i := range x {
		x[i], y[i] = target[8+i]^a[8+i], target[8+i]^b[8+i]
	}
	return bytes.Compare(x[:], y[:])
}

func randomID(r *rand.Rand) (id ID) {
	binary.BigEndian.PutUint64(id[:], r.Uint64())
	binary.BigEndian.PutUint64(id[8:], r.Uint64())
	binary.BigEndian.PutUint32(id[16:], r.Uint32())
	return id
}

// idSharing returns a random id that agrees with base in exactly the first n bits, for n below 160.
func idSharing(base *ID, n int, r *rand.Rand) ID {
	id := randomID(r)
	copy(id[:n/8], base[:n/8])
	mask := byte(0xff) >> (n % 8) // the bits of this byte that are not shared
	id[n/8] = base[n/8]&^mask | id[n/8]&mask
	bit := byte(0x80) >> (n % 8)
	id[n/8] = id[n/8]&^bit | ^base[n/8]&bit
	return id
}
