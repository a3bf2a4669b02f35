package httptracker

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const plainRequest = "GET /announce?" + minimal + " HTTP/1.1\r\nHost: tracker.example:6969\r\nUser-Agent: libtorrent/2.0.8.0\r\n" +
	"Accept-Encoding: gzip\r\nConnection: close\r\n\r\n"

// change returns the plain request with old replaced by new.
func change(old, new string) string { return strings.Replace(plainRequest, old, new, 1) }

func TestPlainRequests(t *testing.T) {
	for _, request := range []string{
		plainRequest,
		change("Connection: close\r\n", ""),
		change("Connection: close", "connection:\tKEEP-ALIVE "),
		change("/announce?", "/announce/secret-1.~_?"),
		change("/announce?", "/scrape?"),
		change("Accept-Encoding: gzip", "Accept: */*\r\nWant-Digest: SHA-512;q=1"),
		change("tracker.example:6969", "[::1]:6969"),
	} {
		for n := range len(request) {
			var h head
			require.Equal(t, partial, h.parse([]byte(request[:n])), "%q", request[:n])
		}
		for _, more := range []string{"", "GET /", "x"} {
			var h head
			require.Equal(t, plain, h.parse([]byte(request+more)), "%q", request)
			require.Equal(t, len(request), h.size)
		}
	}
}

// What two parsers could read in two ways, or that is not for a tracker, is
// net/http's.
func TestOtherRequests(t *testing.T) {
	for _, request := range []string{
		"POST /announce", "GET / HTTP/1.1\r\n", "GET /announcX", "GET /announce?x HTTP/1.1\nHost: a\n\n", "get /announce", " GET /announce", "\r\nGET /announce", "\x16\x03\x01",
		change("GET ", "HEAD "),
		change("GET ", "GET  "),
		change("GET /", "GET http://tracker.example/"),
		change("?info_hash", "?x"),
		change("/announce?", "/announce"),
		change("/announce?", "/announce/a/b?"),
		change("/announce?", "/announce/%61?"),
		change("/announce?", "/announcements?"),
		change("/announce?", "/announce/../x?"),
		change("port=6881", "port=6881#x"),
		change("port=6881", "port=68 81"),
		change("port=6881", "port=6881\x80"),
		change("port=6881", "port=6881\t"),
		change("HTTP/1.1", "HTTP/1.0"),
		change("HTTP/1.1", "HTTP/1.1 "),
		change("HTTP/1.1\r\n", "HTTP/1.1\n"),
		change("gzip\r\n", "gzip\n"),
		change("gzip\r\n", "gzip\rx\r\n"),
		change("gzip\r\n", "gzip\r\n more\r\n"),
		change("gzip", "gz\x00ip"),
		change("User-Agent:", "User-Agent :"),
		change("User-Agent:", "User Agent:"),
		change("User-Agent: ", "User-Agent"),
		change("User-Agent:", ":"),
		change("User-Agent", "Content-Length"),
		change("User-Agent: libtorrent/2.0.8.0", "Content-Length: 0"),
		change("User-Agent: libtorrent/2.0.8.0", "Transfer-Encoding: chunked"),
		change("User-Agent: libtorrent/2.0.8.0", "Expect: 100-continue"),
		change("User-Agent: libtorrent/2.0.8.0", "X-Forwarded-For: 192.0.2.1"),
		change("User-Agent: libtorrent/2.0.8.0", "Range: bytes=0-1"),
		change("User-Agent: libtorrent/2.0.8.0", "User-Agent: a\r\nUser-Agent: b"),
		change("Host: tracker.example:6969\r\n", ""),
		change("Host: tracker.example:6969", "Host: "),
		change("Host: tracker.example:6969", "Host: a\r\nHost: b"),
		change("tracker.example", "tracker/example"),
		change("close", "upgrade"),
		change("close", "close, upgrade"),
		change("Connection: close", "Connection: close\r\nConnection: keep-alive"),
		change("port=6881", "port=6881&x="+strings.Repeat("x", maxHead)),
		plainRequest[:len(plainRequest)-2] + strings.Repeat("x", maxHead),
	} {
		var h head
		require.Equal(t, other, h.parse([]byte(request)), "%q", request)
	}
}

// The fields of the request before are taken over only if the same bytes come
// again.
func TestRepeatedFields(t *testing.T) {
	var h head
	require.Equal(t, plain, h.parse([]byte(plainRequest)))
	first := h.header
	require.Equal(t, plain, h.parse([]byte(change("6881", "6882"))))
	require.Equal(t, first, h.header)
	require.True(t, h.close)
	require.Equal(t, plain, h.parse([]byte(change("close", "keep-alive"))))
	require.False(t, h.close)
	require.Equal(t, other, h.parse([]byte(change("close", "upgrade"))))
	require.Equal(t, other, h.parse([]byte(change("close", "upgrade"))), "again")
	require.Equal(t, plain, h.parse([]byte(plainRequest)))
	require.True(t, h.close)
	require.Equal(t, "tracker.example:6969", h.host)
}

// FuzzHead: what is plain to a Front, net/http reads in the same way, and finds
// its end at the same byte.
func FuzzHead(f *testing.F) {
	f.Add([]byte(plainRequest + plainRequest))
	f.Add([]byte(change("User-Agent: libtorrent/2.0.8.0", "Content-Length: 3") + "abc"))
	f.Add([]byte(change("gzip\r\n", "gzip\n")))
	f.Add([]byte(change("/announce?", "/announce/k?")))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		var h head
		if h.parse(b) != plain {
			return
		}
		require.Equal(t, before, b)
		reader := bytes.NewReader(b)
		buffered := bufio.NewReader(reader)
		r, err := http.ReadRequest(buffered)
		require.NoError(t, err)
		require.Equal(t, h.size, len(b)-reader.Len()-buffered.Buffered(), "the end of the request")
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.Empty(t, body)
		require.Equal(t, h.size, len(b)-reader.Len()-buffered.Buffered(), "the end of the body")
		require.Zero(t, r.ContentLength)
		require.Empty(t, r.TransferEncoding)
		require.Empty(t, r.Trailer)
		require.Equal(t, http.MethodGet, r.Method)
		require.True(t, r.ProtoAtLeast(1, 1))
		require.Equal(t, string(h.target), r.RequestURI)
		require.Equal(t, string(h.target[:h.path]), r.URL.Path)
		require.Equal(t, string(h.target[h.path+1:]), r.URL.RawQuery)
		require.Equal(t, h.host, r.Host)
		require.Equal(t, h.close, r.Close)
		require.Equal(t, h.header, r.Header)
		_, err = httputil.DumpRequest(r, true)
		require.NoError(t, err)
		require.True(t, Handles(r))
	})
}
