package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

var inFront = web.Proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}

// throughForwarded returns the request that a handler behind Forwarded gets.
func throughForwarded(remote string, header http.Header) (got *http.Request) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr, r.Header = remote, header
	inFront.Forwarded(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r })).ServeHTTP(httptest.NewRecorder(), r)
	return got
}

func TestForwarded(t *testing.T) {
	const proxy = "10.0.0.1:1234"
	for _, tt := range []struct {
		name, remote string
		forwarded    []string
		want, proto  string
	}{
		{"no header", proxy, nil, "10.0.0.1", ""},
		{"one", proxy, []string{"for=192.0.2.43;proto=https;host=files.example"}, "192.0.2.43", "https"},
		{"in capitals, with spaces", proxy, []string{` For = "192.0.2.43:4711" ; PROTO=http`}, "192.0.2.43", "http"},
		{"IPv6", proxy, []string{`for="[2001:db8:cafe::17]:4711"`}, "2001:db8:cafe::17", ""},
		{"IPv6 without port", proxy, []string{`for="[2001:db8:cafe::17]"`}, "2001:db8:cafe::17", ""},
		{"the rightmost that is no proxy", proxy, []string{"for=203.0.113.66, for=192.0.2.43, for=10.9.9.9"}, "192.0.2.43", ""},
		{"several lines", proxy, []string{"for=203.0.113.66", "for=192.0.2.43"}, "192.0.2.43", ""},
		{"not known", proxy, []string{"for=203.0.113.66, for=unknown"}, "10.0.0.1", ""},
		{"hidden", proxy, []string{"for=203.0.113.66, for=_secret"}, "10.0.0.1", ""},
		{"an open quotation swallows nothing", proxy, []string{`for="203.0.113.66`, "for=192.0.2.43"}, "192.0.2.43", ""},
		{"empty", proxy, []string{""}, "10.0.0.1", ""},
		{"not from a proxy", "198.51.100.1:1", []string{"for=203.0.113.66;proto=https"}, "198.51.100.1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			header := http.Header{"X-Forwarded-For": {"203.0.113.77"}, "X-Forwarded-Proto": {"gopher"}}
			if tt.forwarded != nil {
				header["Forwarded"] = tt.forwarded
			}
			before := header.Clone()
			r := throughForwarded(tt.remote, header)
			addr, ok := inFront.Client(r)
			require.True(t, ok)
			require.Equal(t, tt.want, addr.String())
			require.Equal(t, before, header, "the request itself is not changed")
			if strings.HasPrefix(tt.remote, "10.") {
				require.Equal(t, tt.proto, r.Header.Get("X-Forwarded-Proto"))
			}
		})
	}
}

// FuzzForwarded: whatever a client writes before the words of the proxy next to us, the client is who that says it is.
func FuzzForwarded(f *testing.F) {
	f.Add("for=203.0.113.66")
	f.Add(`for="203.0.113.66, for=10.0.0.2`)
	f.Add(`for="\", host="`)
	f.Fuzz(func(t *testing.T, clients string) {
		r := throughForwarded("10.0.0.1:1", http.Header{"Forwarded": {clients + ", for=192.0.2.43;proto=https"}})
		addr, ok := inFront.Client(r)
		require.True(t, ok)
		require.Equal(t, "192.0.2.43", addr.String())
		require.Equal(t, "https", r.Header.Get("X-Forwarded-Proto"))
	})
}
