package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMagnetStarts: a magnet link alone, as the index gives it, starts aria2 and libtorrent within 10 s and transmission within 60 s.
func TestMagnetStarts(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		c.require(t)
	}
	if !inNamespace(t) {
		return
	}
	s := startServer(t)
	s.put("file.bin", content(7, 300_000))
	s.published("file.bin", 30*time.Second)
	magnet := s.magnet("file.bin")
	for i, c := range clients[:3] {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			begun := time.Now()
			c.download(t, magnet, dir, clientIP(30+i))
			t.Logf("%s had it %.1f s after its start", c.name, time.Since(begun).Seconds())
			require.Equal(t, tree(t, s.dir), tree(t, dir))
		})
	}
}

func TestDHTCommandsSayWhatIsWrong(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"dht", "ping", "nothing"}, exitUsage, "HOST:PORT"},
		{[]string{"dht", "peers", "magnet:?dn=x", "--dht-router", "none"}, exitUsage, "infohash"},
		{[]string{"dht", "node", "nowhere:1"}, exitUsage, "ADDRESS:PORT"},
		{[]string{"dht", "peers", strings.Repeat("ab", 20), "--dht-router", "none", "--timeout", "100ms"}, exitFailed, "no router"},
		{[]string{"serve", t.TempDir(), "--dht-router", "nothing"}, exitUsage, "dht-router"},
	} {
		t.Run(strings.Join(tt.args[:2], " "), func(t *testing.T) {
			out, errs := &logBuffer{}, &logBuffer{}
			require.Equal(t, tt.code, run(tt.args, streams{out, errs}), errs.String())
			require.Contains(t, errs.String(), tt.want)
		})
	}
	routers, off := dhtRouters([]string{"a:1", "off"})
	require.True(t, off)
	require.Empty(t, routers)
}
