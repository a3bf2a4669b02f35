package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Proxies are the networks of the proxies in front of us. What they add to a
// request (X-Forwarded-For, -Proto, -Host) is believed, and what anybody else
// sends under these names is not looked at.
type Proxies []netip.Prefix

// Trusts reports whether addr is one of the proxies.
func (p Proxies) Trusts(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, prefix := range p {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}

// Client returns the address of the client of r: the other end of the
// connection, or, when that is one of the proxies, the last address in
// X-Forwarded-For that is not. The elements before it may be the client's own
// invention. ok is false if the address is none, as on a Unix socket; an
// element of the header that is none ends the search at the one after it.
func (p Proxies) Client(r *http.Request) (addr netip.Addr, ok bool) {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	addr = end.Addr().Unmap().WithZone("")
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(chain) - 1; i >= 0 && p.Trusts(addr); i-- {
		before, err := netip.ParseAddr(strings.TrimSpace(chain[i]))
		if err != nil {
			break
		}
		addr = before.Unmap().WithZone("")
	}
	return addr, true
}

// trusted reports whether r came straight from one of the proxies.
func (p Proxies) trusted(r *http.Request) bool {
	end, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.Trusts(end.Addr())
}

// forwarded returns the last element of the header named name, which is the
// one the proxy next to us added.
func forwarded(r *http.Request, name string) string {
	values := r.Header.Values(name)
	if len(values) == 0 {
		return ""
	}
	last := values[len(values)-1]
	return strings.TrimSpace(last[strings.LastIndexByte(last, ',')+1:])
}
