package compact

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Sizes of the contacts in bytes.
const (
	Peer4Size = 4 + portSize
	Peer6Size = 16 + portSize
	Node4Size = idSize + Peer4Size
	Node6Size = idSize + Peer6Size

	idSize   = 20
	portSize = 2
)

// ErrLength is matched by every [*LengthError].
var ErrLength = errors.New("compact: wrong length")

// LengthError tells that bytes cannot be a list of contacts, nor a single one.
// The whole list is refused: after a byte lost or added, every contact behind
// it is an address nobody meant.
type LengthError struct {
	Length int // bytes given
	Size   int // bytes of one contact; 0 where it may be 6 or 18
}

func (e *LengthError) Error() string {
	if e.Size == 0 {
		return fmt.Sprintf("compact: a peer of %d bytes, not %d or %d", e.Length, Peer4Size, Peer6Size)
	}
	return fmt.Sprintf("compact: %d bytes are not a multiple of %d", e.Length, e.Size)
}

// Is reports whether target is [ErrLength].
func (e *LengthError) Is(target error) bool { return target == ErrLength }

// Node is the contact of a DHT node (BEP 5).
type Node struct {
	ID   [20]byte
	Addr netip.AddrPort
}

// AppendPeer appends a peer to dst and returns the extended slice: 6 bytes for
// an IPv4 address, also one mapped into IPv6, and 18 for any other (BEP 23, 7).
// For the zero AddrPort it appends nothing.
func AppendPeer(dst []byte, addr netip.AddrPort) []byte {
	switch ip := addr.Addr().Unmap(); {
	case ip.Is4():
		b := ip.As4()
		dst = append(dst, b[:]...)
	case ip.Is6():
		b := ip.As16()
		dst = append(dst, b[:]...)
	default:
		return dst
	}
	return binary.BigEndian.AppendUint16(dst, addr.Port())
}

// AppendNode appends a node to dst and returns the extended slice: 26 bytes for
// an IPv4 address, also one mapped into IPv6, and 38 for any other (BEP 5, 32).
// If the address is the zero AddrPort it appends nothing.
func AppendNode(dst []byte, n Node) []byte {
	if !n.Addr.Addr().IsValid() {
		return dst
	}
	return AppendPeer(append(dst, n.ID[:]...), n.Addr)
}

// ParsePeer reads a single peer of either family by its length, an item of the
// DHT's "values" (BEP 5, 32) for one. The address comes unmapped; the port may
// be 0. The error is a [*LengthError].
func ParsePeer(b []byte) (netip.AddrPort, error) {
	if len(b) != Peer4Size && len(b) != Peer6Size {
		return netip.AddrPort{}, &LengthError{Length: len(b)}
	}
	return addrPort(b), nil
}

// Peers4 reads a list of IPv4 peers (BEP 23). Peers with port 0 are left out.
// If the length of b is not a multiple of 6, there are no peers and the error
// is a [*LengthError].
func Peers4(b []byte) ([]netip.AddrPort, error) { return peers(b, Peer4Size) }

// Peers6 reads a list of IPv6 peers (BEP 7). Peers with port 0 are left out,
// and addresses come unmapped. If the length of b is not a multiple of 18,
// there are no peers and the error is a [*LengthError].
func Peers6(b []byte) ([]netip.AddrPort, error) { return peers(b, Peer6Size) }

// Nodes4 reads a list of IPv4 nodes (BEP 5). Nodes with port 0 are left out. If
// the length of b is not a multiple of 26, there are no nodes and the error is
// a [*LengthError].
func Nodes4(b []byte) ([]Node, error) { return nodes(b, Node4Size) }

// Nodes6 reads a list of IPv6 nodes (BEP 32). Nodes with port 0 are left out,
// and addresses come unmapped. If the length of b is not a multiple of 38,
// there are no nodes and the error is a [*LengthError].
func Nodes6(b []byte) ([]Node, error) { return nodes(b, Node6Size) }

func peers(b []byte, size int) ([]netip.AddrPort, error) {
	if len(b)%size != 0 {
		return nil, &LengthError{len(b), size}
	}
	list := make([]netip.AddrPort, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		if addr := addrPort(b[:size]); addr.Port() != 0 {
			list = append(list, addr)
		}
	}
	return list, nil
}

func nodes(b []byte, size int) ([]Node, error) {
	if len(b)%size != 0 {
		return nil, &LengthError{len(b), size}
	}
	list := make([]Node, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		if addr := addrPort(b[idSize:size]); addr.Port() != 0 {
			list = append(list, Node{ID: [20]byte(b), Addr: addr})
		}
	}
	return list, nil
}

// addrPort reads a contact that is all of b, 6 or 18 bytes.
func addrPort(b []byte) netip.AddrPort {
	if len(b) == Peer4Size {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b)), binary.BigEndian.Uint16(b[4:]))
	}
	return netip.AddrPortFrom(netip.AddrFrom16([16]byte(b)).Unmap(), binary.BigEndian.Uint16(b[16:]))
}
