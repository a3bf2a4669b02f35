package httptracker

import (
	"net/http"
	"net/netip"
)

// client returns the address a request came from, unmapped.
func (h *Handler) client(r *http.Request) (netip.Addr, error) {
	if h.cfg.ClientAddr != nil {
		if ip, ok := h.cfg.ClientAddr(r); ok && ip.IsValid() {
			return ip.Unmap().WithZone(""), nil
		}
		return netip.Addr{}, errClient
	}
	addr, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, errClient
	}
	return addr.Addr().Unmap().WithZone(""), nil
}

// peerAddr returns the address to record for a client: its own, or the one it
// names with "ip" if it is trusted to. An attacker could otherwise "announce a
// victim's IP address to launch a DDoS attack" (BEP 7).
func (h *Handler) peerAddr(client netip.Addr, q *AnnounceQuery, r *http.Request) netip.Addr {
	if q.IP.IsValid() && h.trusts(client) && !forwarded(r) {
		return q.IP
	}
	return client
}

func (h *Handler) trusts(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	for _, network := range h.cfg.TrustedProxies {
		if network.Contains(ip) {
			return true
		}
	}
	return false
}

// forwarded reports whether a proxy says that it speaks for somebody else. If
// that did not change the client's address, nobody has read it: a proxy on this
// machine would lend every stranger the trust in loopback.
func forwarded(r *http.Request) bool {
	return r.Header["X-Forwarded-For"] != nil || r.Header["Forwarded"] != nil || r.Header["X-Real-Ip"] != nil
}
