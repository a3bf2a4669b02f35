package candidates

import (
	"fmt"
	"net/netip"
)

// A Source is where an address was heard. A lower one is believed more.
type Source uint8

const (
	User    Source = iota // a person, or a link or torrent that a person gave us
	LSD                   // local service discovery (BEP 14)
	Tracker               // an answer of a tracker
	DHT                   // an answer of a DHT node
	PEX                   // a connected peer (BEP 11)

	Sources = int(PEX) + 1 // how many there are: an array of this length can be indexed by Source
)

var sourceNames = [Sources]string{"user", "lsd", "tracker", "dht", "pex"}

// String returns the name of the source: "user", "lsd", "tracker", "dht" or "pex".
func (s Source) String() string {
	if int(s) < Sources {
		return sourceNames[s]
	}
	return fmt.Sprintf("unknown(%d)", uint8(s))
}

// rooms is how many addresses a Pool keeps of each source.
var rooms = [Sources]int{User: 100, LSD: 50, Tracker: 200, DHT: 150, PEX: 100}

// MaxPerInformant is how many addresses a [Pool] keeps that one peer told by exchange, or one DHT node.
const MaxPerInformant = 50

// bounded reports whether informants of s share its room among them: anybody can become one.
func (s Source) bounded() bool { return s == DHT || s == PEX }

// minPort is the lowest port that is dialled: below are the services of others, and clients do not listen there.
const minPort = 1024

// Usable reports whether addr may be dialled when from told it, which is the zero Addr for one of ourselves or of no address.
func Usable(source Source, from netip.Addr, addr netip.AddrPort) bool {
	ip := addr.Addr()
	switch {
	case addr.Port() < minPort || !ip.IsValid() || ip.Is4In6() || ip.IsUnspecified() || ip.IsMulticast() || reserved4(ip):
		return false
	case ip.IsLinkLocalUnicast():
		return source == User || source == LSD
	case ip.IsLoopback():
		return !from.IsValid() || from.IsLoopback()
	case ip.IsPrivate():
		return !from.IsValid() || from.IsPrivate() || from.IsLoopback() || from.IsLinkLocalUnicast()
	}
	return ip.Zone() == ""
}

// reserved4 reports whether ip is of 0.0.0.0/8 or 240.0.0.0/4, where nobody is.
func reserved4(ip netip.Addr) bool {
	if !ip.Is4() {
		return false
	}
	first := ip.As4()[0]
	return first == 0 || first >= 240
}

// network returns what is taken for one network: the /24 of IPv4, the /48 of IPv6.
func network(ip netip.Addr) netip.Addr {
	bits := 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return ip
	}
	return p.Addr()
}

// host returns what is taken for one machine: an address of IPv4, the /64 of IPv6.
func host(ip netip.Addr) netip.Addr {
	if !ip.Is6() {
		return ip
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return p.Addr()
}

// plain returns addr as it is compared: without the mapping of IPv4 into IPv6.
func plain(addr netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
}
