package tracker

import (
	"errors"
	"net/netip"
)

// ErrAddress is wrapped by the error for a tracker at an address that a client
// may not speak to.
var ErrAddress = errors.New("tracker: this address is not allowed")

// Public reports whether ip is an address of the public internet. A URL that a
// stranger's torrent names must lead to no other: what answers on loopback and
// in private networks often trusts whoever can reach it. Addresses that stand
// for an IPv4 address (mapped, 6to4, NAT64) are judged by that one.
func Public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if inner, ok := embedded(ip); ok {
		ip = inner
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, network := range notPublic {
		if network.Contains(ip) {
			return false
		}
	}
	return true
}

// notPublic are networks that nobody routes to the internet, besides those that
// package netip knows.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), // this network
	carrier,
	netip.MustParsePrefix("192.0.0.0/24"), // protocol assignments
	netip.MustParsePrefix("240.0.0.0/4"),  // reserved
	netip.MustParsePrefix("::/96"),        // IPv4-compatible
	netip.MustParsePrefix("fec0::/10"),    // site-local
}

// carrier is what is behind a carrier's NAT (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

var (
	sixToFour = netip.MustParsePrefix("2002::/16")
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
)

// embedded returns the IPv4 address inside an IPv6 one.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	b := ip.As16()
	switch {
	case ip.Is4():
	case sixToFour.Contains(ip):
		return netip.AddrFrom4([4]byte(b[2:6])), true
	case nat64.Contains(ip):
		return netip.AddrFrom4([4]byte(b[12:16])), true
	}
	return netip.Addr{}, false
}

// Scope is how far away an address can be used. The wider ones are the smaller.
type Scope uint8

const (
	Everywhere     Scope = iota
	PrivateNetwork       // RFC 1918, RFC 4193, behind a carrier's NAT (RFC 6598)
	LocalLink            // RFC 3927, fe80::/10
	SameHost             // loopback
	Scopes         = 4   // how many there are
)

// ScopeOf returns how far away ip can be used.
func ScopeOf(ip netip.Addr) Scope {
	ip = ip.Unmap()
	switch {
	case ip.IsLoopback():
		return SameHost
	case ip.IsLinkLocalUnicast():
		return LocalLink
	case ip.IsPrivate(), carrier.Contains(ip):
		return PrivateNetwork
	}
	return Everywhere
}
