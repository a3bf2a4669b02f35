package peerstore

import (
	"encoding/binary"
	"math/bits"

	"github.com/seedserver/bittorrent/tracker"
)

// keys is the secret of the hashes. Addresses and ids are chosen by strangers:
// without a secret they could be chosen to collide.
type keys struct{ a, b uint64 }

// mix folds two words into one by the two halves of their product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// identity is what remains of peer id and key: "together with the peer_id this
// allows trackers to uniquely identify clients" (BEP 7). It is 0 for a client
// without a key. Its peer id alone is known to every peer it has talked to, and
// any of them could push it out of the swarm by announcing with it.
func (k *keys) identity(req *tracker.AnnounceRequest) uint32 {
	if req.Key == 0 {
		return 0
	}
	h := mix(k.a^binary.LittleEndian.Uint64(req.PeerID[:]), k.b)
	h = mix(h^binary.LittleEndian.Uint64(req.PeerID[8:]), k.b)
	h = mix(h^uint64(binary.LittleEndian.Uint32(req.PeerID[16:]))^uint64(req.Key)<<32, k.b)
	return max(1, uint32(h>>32))
}

// hashAddr is the hash under which an address is found in an index.
func hashAddr[A words](k *keys, addr A, port uint16) uint64 {
	h := k.a ^ uint64(port)
	for i := range len(addr) {
		h = mix(h^uint64(addr[i])<<16, k.b)
	}
	return h
}

// hashID is the hash under which an identity is found in an index. It is keyed
// already; only its bits have to fill a word.
func hashID(id uint32) uint64 { return uint64(id)<<32 | uint64(id) }
