package udptracker

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"net/netip"
	"time"
)

// connections makes and checks connection ids without remembering them: an id
// is a keyed hash of the address it was sent to and of the time.
//
//	56 bits  hash of address and epoch
//	 8 bits  epoch, its low bits
//
// "A connection ID can be used for multiple requests [...] Trackers should
// accept connection IDs until two minutes after they have been sent" (BEP 15).
// Clients are known that keep them for five minutes: an id is good for at least
// that and for six at most.
//
// The hash is the CBC-MAC with AES of two blocks, the address and the epoch; of
// inputs of one length it cannot be forged. The port is not part of it, for
// some NATs change it between packets.
type connections struct {
	block cipher.Block
	text  [aes.BlockSize]byte // scratch memory
}

const (
	epochLength = 60 // seconds
	maxAge      = 5  // epochs an id outlives its own
	epochMask   = 0xff
)

func newConnections(secret [16]byte) connections {
	block, err := aes.NewCipher(secret[:])
	if err != nil {
		panic(err) // 16 bytes are a key
	}
	return connections{block: block}
}

func epoch(now time.Time) uint64 { return uint64(now.Unix()) / epochLength }

// id returns the connection id for ip.
func (c *connections) id(now time.Time, ip netip.Addr) uint64 { return c.at(epoch(now), ip) }

// verify reports whether id was given to ip and is not too old.
func (c *connections) verify(now time.Time, ip netip.Addr, id uint64) bool {
	present := epoch(now)
	age := (present - id) & epochMask
	return age <= maxAge && c.at(present-age, ip) == id
}

// at returns the id given to ip in an epoch.
func (c *connections) at(epoch uint64, ip netip.Addr) uint64 {
	c.text = ip.As16()
	c.block.Encrypt(c.text[:], c.text[:])
	first := binary.LittleEndian.Uint64(c.text[:])
	binary.LittleEndian.PutUint64(c.text[:], first^epoch)
	c.block.Encrypt(c.text[:], c.text[:])
	return binary.LittleEndian.Uint64(c.text[:])&^epochMask | epoch&epochMask
}
