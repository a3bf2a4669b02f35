package web

import (
	"net/http"
	"net/netip"
	"strings"
)

// Forwarded returns a handler for proxies that say who the client is with the
// header Forwarded (RFC 7239) instead of X-Forwarded-For, -Proto and -Host. It
// puts what the proxies say into those, for next and all behind it, and takes
// away what came under these names: a proxy that writes one kind passes the
// other on as the client sent it. The chain of addresses ends where one is not
// known.
func (p Proxies) Forwarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !p.trusted(r) {
			next.ServeHTTP(w, r)
			return
		}
		said := *r
		said.Header = r.Header.Clone()
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"} {
			said.Header.Del(name)
		}
		elements := parseForwarded(strings.Join(r.Header.Values("Forwarded"), ","))
		var chain []string
		for _, e := range elements {
			chain = append(chain, e.client())
		}
		if len(elements) > 0 {
			said.Header.Set("X-Forwarded-For", strings.Join(chain, ", "))
			last := elements[len(elements)-1]
			if last.proto != "" {
				said.Header.Set("X-Forwarded-Proto", last.proto)
			}
			if validHost(last.host) {
				said.Header.Set("X-Forwarded-Host", last.host)
			}
		}
		next.ServeHTTP(w, &said)
	})
}

// forwardedElement is what one proxy says: for whom it asks, and how that one
// came.
type forwardedElement struct{ forWhom, proto, host string }

// client returns the address of the client, "unknown" if there is none.
func (e *forwardedElement) client() string {
	text := e.forWhom
	if end, err := netip.ParseAddrPort(text); err == nil {
		return end.Addr().String()
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.String()
	}
	return "unknown"
}

// parseForwarded reads the value of a Forwarded header (RFC 7239, section 4). A
// part that cannot be read counts as said by nobody: what a client puts before
// the words of a proxy must not swallow these, so a quotation that does not end
// before the next comma is none.
func parseForwarded(value string) (elements []forwardedElement) {
	if strings.TrimSpace(value) == "" {
		return nil
	}
	for part := range strings.SplitSeq(value, ",") {
		var e forwardedElement
		for pair := range strings.SplitSeq(part, ";") {
			name, said, _ := strings.Cut(pair, "=")
			said = strings.TrimSpace(said)
			if unquoted, ok := strings.CutPrefix(said, `"`); ok {
				said = strings.TrimSuffix(unquoted, `"`)
			}
			switch strings.ToLower(strings.TrimSpace(name)) {
			case "for":
				e.forWhom = said
			case "proto":
				e.proto = said
			case "host":
				e.host = said
			}
		}
		elements = append(elements, e)
	}
	return elements
}
