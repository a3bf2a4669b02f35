package main

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSwarmOfLeechesCostsOneCopy: real leeches that come together and leave when they are complete cost little more than one copy,
// and whoever comes after they are gone gets everything at full speed.
func TestSwarmOfLeechesCostsOneCopy(t *testing.T) {
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	const size, rate = 12 << 20, 2 << 20
	s := startServer(t, "--max-up", "2MiB/s", "--piece-length", "64KiB")
	s.put("release.iso", content(7, size))
	s.published("release.iso", 30*time.Second)
	want, source := tree(t, s.dir), s.torrent("release.iso")

	t.Run("together", func(t *testing.T) {
		for n := range 5 {
			t.Run(strconv.Itoa(n), func(t *testing.T) {
				t.Parallel()
				out := t.TempDir()
				libtorrent(t, source, out, clientIP(n))
				requireCopy(t, want, "release.iso", out)
			})
		}
	})
	sent := s.sentBytes()
	t.Logf("%.3f copies for five leeches", float64(sent)/size)
	require.LessOrEqual(t, sent, size*1.3)

	out, start := t.TempDir(), time.Now()
	libtorrent(t, source, out, clientIP(10))
	requireCopy(t, want, "release.iso", out)
	t.Logf("alone, a leech took %v; %v is what the limit makes of it", time.Since(start), size/rate*time.Second)
	require.Less(t, time.Since(start), 3*size/rate*time.Second)
}

// sentBytes is the payload that the server sent since it started, as its metrics tell.
func (s *server) sentBytes() float64 {
	s.t.Helper()
	resp, err := http.Get("http://127.0.0.1:8081/metrics")
	require.NoError(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(s.t, err)
	m := regexp.MustCompile(`(?m)^seedserver_sent_bytes_total(?:\{[^}]*\})? (\S+)$`).FindSubmatch(b)
	require.NotNil(s.t, m, "%s", b)
	n, err := strconv.ParseFloat(string(m[1]), 64)
	require.NoError(s.t, err)
	return n
}
