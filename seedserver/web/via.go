package web

import (
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
)

// Via returns the way r came, as Config and the request tell it. Other handlers
// that answer with addresses of ours, such as a tracker, may use it too.
func (h *Handler) Via(r *http.Request) Via {
	v := Via{Local: localAddr(r), Proxied: h.cfg.Proxies.trusted(r)}
	v.Client, _ = h.cfg.Proxies.Client(r)
	if v.URL = h.cfg.url(); v.URL != "" {
		return v
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if v.Proxied {
		if said := strings.ToLower(forwarded(r, "X-Forwarded-Proto")); said == "http" || said == "https" {
			scheme = said
		}
		if said := forwarded(r, "X-Forwarded-Host"); validHost(said) {
			host = said
		}
	}
	switch {
	case validHost(host):
		v.URL = scheme + "://" + strings.ToLower(host) + prefix(r)
	case v.Local.IsValid():
		v.URL = scheme + "://" + v.Local.String() + prefix(r)
	}
	return v
}

// localAddr returns our end of the connection of r, which http.Server puts into
// the context.
func localAddr(r *http.Request) netip.AddrPort {
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return netip.AddrPort{}
	}
	end, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(end.Addr().Unmap().WithZone(""), end.Port())
}

// prefix returns what http.StripPrefix took from the path of r.
func prefix(r *http.Request) string {
	sent, _, _ := strings.Cut(r.RequestURI, "?")
	before, ok := strings.CutSuffix(sent, r.URL.EscapedPath())
	if _, _, clean := resolve(before); !ok || !clean {
		return ""
	}
	return before
}

// validHost reports whether s can stand as host and port in a URL: a host name,
// an IPv4 address, or an IPv6 address in brackets, and maybe a port.
func validHost(s string) bool {
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inside, after, ok := strings.Cut(rest, "]")
		addr, err := netip.ParseAddr(inside)
		return ok && err == nil && addr.Is6() && addr.Zone() == "" && (after == "" || validPort(after))
	}
	name := s
	if i := strings.IndexByte(s, ':'); i >= 0 {
		if !validPort(s[i:]) {
			return false
		}
		name = s[:i]
	}
	return validName(strings.TrimSuffix(name, "."))
}

// validPort reports whether s is a colon and a port from 1 to 65535.
func validPort(s string) bool {
	digits, ok := strings.CutPrefix(s, ":")
	port, err := strconv.ParseUint(digits, 10, 16)
	return ok && err == nil && port > 0 && digits[0] != '0'
}

// validName reports whether s is a host name of letters, digits, hyphens and
// underscores, or an IPv4 address: what ends in a number is read as one.
func validName(s string) bool {
	if len(s) > 253 {
		return false
	}
	number := false
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		number = true
		for i := 0; i < len(label); i++ {
			if !alphanumeric(label[i]) && label[i] != '-' && label[i] != '_' {
				return false
			}
			number = number && label[i] <= '9' && label[i] >= '0'
		}
	}
	if number {
		addr, err := netip.ParseAddr(s)
		return err == nil && addr.Is4()
	}
	return true
}
