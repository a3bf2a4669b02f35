package admission

import "net/netip"

// Networks says which clients may announce. The zero value admits all.
type Networks struct {
	Allow []netip.Prefix // if not empty, only these
	Deny  []netip.Prefix // never these
}

// Admits reports whether a client at ip may announce.
func (n *Networks) Admits(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return !contains(n.Deny, ip) && (len(n.Allow) == 0 || contains(n.Allow, ip))
}

func contains(networks []netip.Prefix, ip netip.Addr) bool {
	for _, network := range networks {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}
