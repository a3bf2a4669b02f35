package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// TestLateLeechAmongLiars: when everything is out and the leech that has it is gone, liars come that say piece by piece that they have
// it and take nothing. A real client that comes then, alone, gets it as fast as the first one did.
func TestLateLeechAmongLiars(t *testing.T) {
	t.Parallel()
	requireLibtorrent(t)
	if !inNamespace(t) {
		return
	}
	const size, liars = 8 << 20, 20
	s := startServer(t, "--piece-length", "64KiB", "--max-up", "2MiB/s")
	s.put("release.iso", content(9, size))
	s.published("release.iso", 30*time.Second)
	source, want, torrent := s.torrent("release.iso"), tree(t, s.dir), s.fetch("release.iso")
	download := func(client string) time.Duration {
		out, start := t.TempDir(), time.Now()
		libtorrent(t, source, out, client)
		took := time.Since(start)
		requireCopy(t, want, "release.iso", out)
		return took
	}
	first := download(clientIP(0))

	pieces := uint32(torrent.Info.NumPieces())
	for n := range liars {
		conn, err := s.connect(fmt.Sprintf("198.18.%d.1", 20+n), torrent.InfoHash)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		conn.SetDeadline(time.Time{})
		claims := peerwire.Append(nil, peerwire.HaveNone{})
		claims = peerwire.Append(claims, peerwire.Interested{})
		for i := range pieces - 1 { // who says that it has all of them is not offered any
			claims = peerwire.Append(claims, peerwire.Have{Index: i})
		}
		_, err = conn.Write(claims)
		require.NoError(t, err)
		go answer(conn, pieces, false)
	}
	late := download(clientIP(1))
	t.Logf("%v before the liars came, %v beside them", first, late)
	require.Less(t, late, 2*first+10*time.Second, "%s", s.why("release.iso"))
}
