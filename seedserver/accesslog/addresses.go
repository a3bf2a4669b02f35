package accesslog

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// Addresses is how much of the address of a client or peer is written.
type Addresses uint8

const (
	// Truncated keeps the network: 24 bits of an IPv4 address, 48 of an IPv6
	// one. The others are zero.
	Truncated Addresses = iota
	// Off keeps nothing: every address reads 0.0.0.0, since readers of web logs
	// want one.
	Off
	// Full keeps all of it.
	Full
)

var addressesNames = [...]string{"truncated", "off", "full"}

// ParseAddresses reads "truncated", "off" or "full".
func ParseAddresses(s string) (Addresses, error) {
	for i, name := range addressesNames {
		if s == name {
			return Addresses(i), nil
		}
	}
	return 0, fmt.Errorf("addresses %q: one of off, truncated, full", s)
}

// String returns what ParseAddresses reads.
func (a Addresses) String() string {
	if int(a) >= len(addressesNames) {
		return "unknown"
	}
	return addressesNames[a]
}

// Of returns what is written of an address. It is always a valid one, without a
// zone.
func (a Addresses) Of(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	bits := 24
	if addr.Is6() {
		bits = 48
	}
	switch {
	case !addr.IsValid() || a == Off:
		return netip.IPv4Unspecified()
	case a == Full:
		return addr
	}
	network, _ := addr.Prefix(bits) // fails for more bits than there are
	return network.Addr()
}

// errText is an error whose text names no address.
type errText struct {
	text string
	err  error
}

func (e errText) Error() string { return e.text }
func (e errText) Unwrap() error { return e.err }

// ofError returns err without the addresses that errors of the network name.
func (a Addresses) ofError(err error) error {
	var op *net.OpError
	if a == Full || !errors.As(err, &op) {
		return err
	}
	return errText{op.Op + ": " + op.Err.Error(), err}
}
