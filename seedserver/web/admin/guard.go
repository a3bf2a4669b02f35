package admin

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// knownHost reports whether r asks for a host that is ours: loopback, the address that the connection came to, or one of
// Config.Hosts. A stranger's page that made its own name point here asks for that name.
func (h *Handler) knownHost(r *http.Request) bool {
	name := hostName(r.Host)
	if name == "localhost" || slices.ContainsFunc(h.cfg.Hosts, func(known string) bool { return hostName(known) == name }) {
		return name != ""
	}
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return false
	}
	return ip.Unmap().IsLoopback() || ip.Unmap() == localAddr(r)
}

// hostName returns the name or address in the value of a Host field, without port and brackets, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// localAddr is our end of the connection that r came by, the zero address if that is not known.
func localAddr(r *http.Request) netip.Addr {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.Addr{}
	}
	ap, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap()
}

// strange reports whether a browser says that r was caused by a page of another origin, other than by following a link to us.
func strange(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	return r.Header.Get("Sec-Fetch-Mode") != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
}
