package accesslog

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHandler(t *testing.T) {
	at(t)
	for _, tt := range []struct {
		name    string
		handler func(w http.ResponseWriter, r *http.Request)
		want    string // status and bytes
	}{
		{"a body", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }, "200 5"},
		{"nothing", func(w http.ResponseWriter, r *http.Request) {}, "200 0"},
		{"an error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "gone", http.StatusGone) }, "410 5"},
		{"said twice", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(201)
			io.WriteString(w, "a")
			io.WriteString(w, "b")
		}, "201 2"},
		{"hints first", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(103); w.WriteHeader(404) }, "404 0"},
		{"panics", func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, "500 0"},
		{"panics halfway", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "abc"); panic(http.ErrAbortHandler) }, "200 3"},
		{"flushes", func(w http.ResponseWriter, r *http.Request) {
			require.NoError(t, http.NewResponseController(w).Flush())
		}, "200 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			h := &Handler{
				Next: http.HandlerFunc(tt.handler), Log: &log,
				Client: func(*http.Request) (netip.Addr, bool) { return netip.MustParseAddr("198.51.100.77"), true },
			}
			r := httptest.NewRequest(http.MethodGet, "/a%20b?c", nil)
			r.Header.Set("User-Agent", "curl/8")
			func() {
				defer func() { _ = recover() }()
				h.ServeHTTP(httptest.NewRecorder(), r)
			}()
			line := log.String()
			require.Equal(t, 1, strings.Count(line, "\n"))
			require.Regexp(t, `^198\.51\.100\.0 - - \[[^]]+\] "GET /a%20b\?c HTTP/1\.1" `+tt.want+` "-" "curl/8"\n$`, line)
		})
	}
}

func TestHandlerAsTold(t *testing.T) {
	var log bytes.Buffer
	h := &Handler{
		Next: http.NotFoundHandler(), Log: &log, Addresses: Off,
		Client: func(*http.Request) (netip.Addr, bool) { return netip.Addr{}, false },
		Target: func(*http.Request) string { return "/masked" },
	}
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/announce/KEY", nil))
	require.True(t, strings.HasPrefix(log.String(), "0.0.0.0 - - ["), log.String())
	require.Contains(t, log.String(), `"GET /masked HTTP/1.1" 404 `)
	require.NotContains(t, log.String(), "KEY")
}
