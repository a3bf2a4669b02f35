package web

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidHost(t *testing.T) {
	label := strings.Repeat("a", 63)
	for _, host := range []string{
		"a", "localhost", "localhost:8080", "files.example.", "xn--bcher-kva.example:443", "7d8f6c", "my_host.lan", "192.0.2.1",
		"192.0.2.1:1", "[::1]", "[2001:db8::1]:65535", "A.B", label + "." + label,
	} {
		require.True(t, validHost(host), host)
	}
	for _, host := range []string{
		"", ":", ":80", "a:", "a:0", "a:65536", "a:080", "a:+8", "a:8080x", "a:80:80", "::1", "[::1", "[::1]80", "[::1]:", "[fe80::1%25eth0]", "[192.0.2.1]",
		"a b", "a/b", "a@b", "a\\b", "a\r\nX: y", "a\x10", "a?b", "a#b", "a%41", "é", "a..b", ".a", "-a", "a-", "1.2.3", "1.2.3.256", "256",
		label + "a", strings.Repeat("a.", 130) + "a", `"><script>`, "a,b",
	} {
		require.False(t, validHost(host), host)
	}
}

func TestVia(t *testing.T) {
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("[::ffff:198.51.100.7]:8080"))
	proxies := Proxies{netip.MustParsePrefix("10.0.0.0/8")}
	for _, tt := range []struct {
		name    string
		cfg     Config
		request func(r *http.Request)
		url     string
		client  string
		proxied bool
	}{
		{name: "host", url: "http://files.example:8080", client: "203.0.113.5"},
		{name: "upper case", request: func(r *http.Request) { r.Host = "FILES.Example" }, url: "http://files.example", client: "203.0.113.5"},
		{name: "tls", request: func(r *http.Request) { r.TLS = &tls.ConnectionState{} }, url: "https://files.example:8080", client: "203.0.113.5"},
		{name: "no host", request: func(r *http.Request) { r.Host = "" }, url: "http://198.51.100.7:8080", client: "203.0.113.5"},
		{name: "bad host", request: func(r *http.Request) { r.Host = "a/b" }, url: "http://198.51.100.7:8080", client: "203.0.113.5"},
		{name: "configured", cfg: Config{URL: "https://cdn.example/"}, url: "https://cdn.example", client: "203.0.113.5"},
		{
			name: "a stranger's headers",
			request: func(r *http.Request) {
				r.Header.Set("X-Forwarded-For", "192.0.2.9")
				r.Header.Set("X-Forwarded-Proto", "https")
				r.Header.Set("X-Forwarded-Host", "evil.example")
			},
			url: "http://files.example:8080", client: "203.0.113.5",
		},
		{
			name: "a proxy's headers",
			request: func(r *http.Request) {
				r.RemoteAddr = "10.1.2.3:4000"
				r.Header["X-Forwarded-For"] = []string{"1.1.1.1, 192.0.2.9", "10.9.9.9"}
				r.Header.Set("X-Forwarded-Proto", "http, HTTPS")
				r.Header.Set("X-Forwarded-Host", "public.example")
			},
			url: "https://public.example", client: "192.0.2.9", proxied: true,
		},
		{
			name: "a proxy's nonsense",
			request: func(r *http.Request) {
				r.RemoteAddr = "10.1.2.3:4000"
				r.Header.Set("X-Forwarded-For", "192.0.2.9, unknown")
				r.Header.Set("X-Forwarded-Proto", "gopher")
				r.Header.Set("X-Forwarded-Host", "<b>")
			},
			url: "http://files.example:8080", client: "10.1.2.3", proxied: true,
		},
		{
			name:    "mounted below a prefix",
			request: func(r *http.Request) { r.URL.Path = "/file" },
			url:     "http://files.example:8080/pre", client: "203.0.113.5",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.cfg.Source, tt.cfg.Proxies = struct{ Source }{}, proxies
			r := httptest.NewRequest("GET", "/pre/file", nil)
			r.URL.Path = "/pre/file"
			r.Host, r.RemoteAddr = "files.example:8080", "203.0.113.5:4000"
			r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(local)))
			if tt.request != nil {
				tt.request(r)
			}
			got := New(tt.cfg).Via(r)
			require.Equal(t, Via{
				URL: tt.url, Local: netip.MustParseAddrPort("198.51.100.7:8080"),
				Client: netip.MustParseAddr(tt.client), Proxied: tt.proxied,
			}, got)
		})
	}
}

func TestProxiesClientOfNoAddress(t *testing.T) {
	_, ok := Proxies(nil).Client(&http.Request{RemoteAddr: "@"})
	require.False(t, ok)
}
