package admin

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHost: a page of a stranger may make its own name point to this machine; its requests name that host and get nothing.
func TestHost(t *testing.T) {
	h := newHandler(t, newMemory(), func(c *Config) { c.Hosts = []string{"Status.Example.org", "seed.example.org:443"} })
	for _, tt := range []struct {
		host string
		want int
	}{
		{"localhost", 200}, {"localhost:8081", 200}, {"LOCALHOST:1", 200}, {"localhost.", 200},
		{"127.0.0.1", 200}, {"127.0.0.1:8081", 200}, {"127.8.9.1:80", 200}, {"[::1]:8081", 200}, {"[::1]", 200}, {"[::ffff:127.0.0.1]:8081", 200},
		{"status.example.org", 200}, {"status.example.org:8443", 200}, {"seed.example.org", 200},
		{"192.0.2.5:8081", 200}, // where this connection came to
		{"192.0.2.6:8081", 403}, {"10.0.0.1", 403}, {"[2001:db8::1]:8081", 403}, {"0.0.0.0:8081", 403},
		{"evil.example", 403}, {"localhost.evil.example", 403}, {"127.0.0.1.evil.example", 403}, {"evil.example:127.0.0.1", 403},
		{"notlocalhost", 403}, {"", 403}, {":8081", 403}, {".", 403}, {"[]", 403}, {"status.example.org.evil.example", 403},
		{"2130706433", 403}, {"0x7f.1", 403}, {"127.1", 403},
	} {
		t.Run(tt.host, func(t *testing.T) {
			for _, path := range []string{"/", "/events", "/api/v1/status", "/metrics", "/healthz", "/static/" + static.Hash() + "/style.css", "/none"} {
				r := httptest.NewRequest(http.MethodHead, path, nil)
				r.Host = tt.host
				local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 5), Port: 8081}
				r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, local))
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if want := tt.want; path == "/none" && want == 200 {
					require.Equal(t, http.StatusNotFound, w.Code)
				} else {
					require.Equal(t, want, w.Code, path)
				}
			}
		})
	}
}

// TestOtherSites: what a page of another origin asks for by itself is refused; a link that a person follows is not.
func TestOtherSites(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	for _, tt := range []struct {
		site, mode, dest string
		want             int
	}{
		{"", "", "", 200}, {"none", "navigate", "document", 200}, {"same-origin", "cors", "empty", 200},
		{"same-origin", "no-cors", "style", 200}, {"cross-site", "navigate", "document", 200}, {"same-site", "navigate", "document", 200},
		{"cross-site", "no-cors", "image", 403}, {"cross-site", "cors", "empty", 403}, {"same-site", "no-cors", "script", 403},
		{"cross-site", "navigate", "iframe", 403}, {"same-site", "cors", "empty", 403},
	} {
		w := get(h, "/", "Sec-Fetch-Site", tt.site, "Sec-Fetch-Mode", tt.mode, "Sec-Fetch-Dest", tt.dest)
		require.Equal(t, tt.want, w.Code, "%v", tt)
		require.Equal(t, "same-origin", w.Header().Get("Cross-Origin-Resource-Policy"))
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "frame-ancestors 'none'")
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
	}
}

// TestReadOnly: nothing can be changed.
func TestReadOnly(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT", "TRACE", "PROPFIND"} {
		for _, path := range []string{"/", "/ledger", "/api/v1/status", "/metrics", "/none"} {
			w := ask(h, method, path)
			require.Equal(t, http.StatusMethodNotAllowed, w.Code, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
		}
	}
	for _, path := range []string{"/", "/ledger", "/ledger.csv", "/api/v1/status", "/healthz", "/events", "/torrent/" + hash(1).String()} {
		w := ask(h, http.MethodHead, path)
		require.Equal(t, http.StatusOK, w.Code, path)
		require.Empty(t, w.Body.String(), path)
	}
}

// TestPaths: what is not an address of ours, as we write it, is nothing.
func TestPaths(t *testing.T) {
	h := newHandler(t, newMemory(), nil)
	hex := hash(1).String()
	for _, path := range []string{
		"//", "/.", "/..", "/../", "/./", "/static", "/static/", "/static/" + static.Hash(), "/static/" + static.Hash() + "/",
		"/static/" + static.Hash() + "/../style.css", "/static/" + static.Hash() + "/..%2fstatic.go", "/static/" + static.Hash() + "/%2e%2e/static.go",
		"/static/" + static.Hash() + "/style.css/", "/static/" + static.Hash() + "/none.css", "/static/000000000000/style.css",
		"/static/" + static.Hash() + "/style.css%00", "/static/" + static.Hash() + "/..\\style.css", "/templates/layout.html",
		"/torrent", "/torrent/", "/torrent/" + hex + "/", "/torrent/" + hex + "/none", "/torrent/" + hex[:39], "/torrent/" + hex + "0",
		"/torrent/" + strings.ToUpper(hex), "/torrent/..%2f..%2fetc", "/torrent/" + hash(9).String(), "/torrent/" + hash(9).String() + "/events",
		"/api", "/api/v1/", "/api/v1/torrents", "/api/v1/torrents/", "/api/v1/torrents/" + hash(9).String(), "/api/v2/status",
		"/ledger/", "/ledger.csv/..", "/debug/pprof/", "/debug/pprof/heap", "/debug/vars", "/%2e%2e/etc/passwd", "/etc/passwd", "/admin",
	} {
		w := get(h, path)
		require.Equal(t, http.StatusNotFound, w.Code, path)
		require.Empty(t, w.Header().Get("Location"), path)
	}
}

// TestProfiles: the runtime's profiles are there when asked for, and the program's command line never is.
func TestProfiles(t *testing.T) {
	h := newHandler(t, newMemory(), func(c *Config) { c.Profiles = true })
	require.Contains(t, get(h, "/debug/pprof/").Body.String(), "goroutine\n")
	require.Contains(t, get(h, "/debug/pprof/goroutine?debug=1").Body.String(), "TestProfiles")
	for _, path := range []string{"/debug/pprof/heap", "/debug/pprof/profile?seconds=1"} {
		w := get(h, path)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, "\x1f\x8b", w.Body.String()[:2], "profiles are packed by gzip")
	}
	for _, path := range []string{"/debug/pprof/cmdline", "/debug/pprof/none", "/debug/pprof/../pprof/heap"} {
		require.Equal(t, http.StatusNotFound, get(h, path).Code, path)
	}
}
