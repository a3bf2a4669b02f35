package dht

import (
	"crypto/sha1"
	"crypto/subtle"
	"net/netip"
	"time"
)

const (
	tokenSize     = 8
	tokenRotation = 5 * time.Minute // BEP 5: "changes its secret every five minutes and accepts tokens up to ten minutes old"
)

// tokens makes and checks the tokens that get_peers hands out: proof that an announce comes from where a get_peers came from
// (BEP 5). Each is bound to the infohash too, so that nobody can collect one and announce everything with it.
type tokens struct {
	secret [16]byte
}

// at returns the token of one rotation of the secret.
func (t *tokens) at(rotation int64, addr netip.Addr, infohash *ID) (token [tokenSize]byte) {
	var b [16 + 8 + 16 + 20]byte
	copy(b[:], t.secret[:])
	for i := range 8 {
		b[16+i] = byte(rotation >> (8 * i))
	}
	a := addr.As16()
	copy(b[24:], a[:])
	copy(b[40:], infohash[:])
	sum := sha1.Sum(b[:])
	return [tokenSize]byte(sum[:tokenSize])
}

func rotation(now time.Time) int64 { return now.Unix() / int64(tokenRotation/time.Second) }

// make returns the token for addr and infohash.
func (t *tokens) make(now time.Time, addr netip.Addr, infohash *ID) [tokenSize]byte {
	return t.at(rotation(now), addr, infohash)
}

// valid reports whether token was made for addr and infohash, 5 to 10 minutes ago at most.
func (t *tokens) valid(now time.Time, token []byte, addr netip.Addr, infohash *ID) bool {
	r := rotation(now)
	current, previous := t.at(r, addr, infohash), t.at(r-1, addr, infohash)
	return subtle.ConstantTimeCompare(token, current[:])|subtle.ConstantTimeCompare(token, previous[:]) == 1
}
