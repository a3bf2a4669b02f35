package web_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/seedserver/web"
)

// TestSent: what leaves of a file is told to the byte, under the name of its torrent; nothing else is.
func TestSent(t *testing.T) {
	sent := map[string]int{}
	h := web.New(web.Config{Source: newSite(), Large: web.LargePlain, Sent: func(of web.Entry, n int) { sent[of.Path] += n }})
	for _, tt := range []struct {
		name, target string
		headers      []string
		want         map[string]int
	}{
		{"whole", "/small.txt", nil, map[string]int{"small.txt": 13}},
		{"large", "/big.iso", nil, map[string]int{"big.iso": len(bigContent)}},
		{"of no known type, which is looked for", "/README", nil, map[string]int{"README": 25}},
		{"empty", "/empty.log", nil, map[string]int{}},
		{"in a unit", "/unit/a.bin", nil, map[string]int{"unit": len(bigContent)}},
		{"a range", "/big.iso", []string{"Range", "bytes=10-19"}, map[string]int{"big.iso": 10}},
		{"no such range", "/small.txt", []string{"Range", "bytes=100-"}, map[string]int{}},
		{"unchanged", "/small.txt", []string{"If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT"}, map[string]int{}},
		{"torrent", "/small.txt?torrent", nil, map[string]int{}},
		{"index", "/", nil, map[string]int{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			clear(sent)
			answer := get(h, tt.target, tt.headers...)
			n := len(body(t, answer))
			require.Equal(t, tt.want, sent)
			for _, want := range tt.want {
				require.Equal(t, want, n)
			}
		})
	}
	clear(sent)
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodHead, "/README", nil))
	require.Empty(t, sent, "HEAD sends nothing")
}
