package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

// TestSeedsAreAudited: real clients that say they are complete are asked for blocks, and count when they have sent them; liars
// count for nothing, and who sends other bytes is banned, and not handed out by our tracker.
func TestSeedsAreAudited(t *testing.T) {
	t.Parallel()
	seeds := seeds[:2] // Transmission takes its time
	for _, of := range seeds {
		of.require(t)
	}
	if !inNamespace(t) {
		return
	}
	const size = 24 << 20 // of which a hundredth may be fetched by audits
	s := startServer(t, "--piece-length", "64KiB")
	s.put("release.iso", content(9, size))
	s.published("release.iso", 30*time.Second)
	source, want := s.torrent("release.iso"), tree(t, s.dir)
	torrent := s.fetch("release.iso")
	out := t.TempDir()
	libtorrent(t, source, out, clientIP(0))
	requireCopy(t, want, "release.iso", out)

	// Somebody has to lack something, or it would not matter who has it.
	leech, err := s.connect("198.18.4.1", torrent.InfoHash)
	require.NoError(t, err)
	defer leech.Close()
	_, err = leech.Write(peerwire.Append(nil, peerwire.HaveNone{}))
	require.NoError(t, err)

	for n, of := range seeds {
		dir := filepath.Join(t.TempDir(), of.name)
		require.NoError(t, os.Mkdir(dir, 0o755))
		require.NoError(t, os.CopyFS(dir, os.DirFS(s.dir)))
		of.start(t, source, dir, fmt.Sprintf("198.18.2.%d", n+1))
	}
	const silent = 4
	for n := range silent {
		s.claim(fmt.Sprintf("198.18.%d.1", 20+n), torrent, false)
	}
	s.announce("198.18.3.1", torrent, "started", 0)
	banned := s.claim("198.18.3.1", torrent, true)

	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.why("release.iso"))
		}
	})
	s.eventually(60*time.Second, "the seeds are audited, and the liars are not believed", func() bool {
		return strings.Contains(s.why("release.iso"), fmt.Sprintf(
			"%d peers claim to have what we did not give them: %d sent the blocks we asked for, ", silent+len(seeds), len(seeds)))
	})
	why := s.why("release.iso")
	t.Log(why)
	require.Contains(t, why, fmt.Sprintf("The rate falls with the %d, and not with the others.", len(seeds)))
	select {
	case <-banned:
	case <-time.After(10 * time.Second):
		require.Fail(t, "who sent other bytes is still connected")
	}
	body, _ := s.get(fmt.Sprintf("announce?info_hash=%s&peer_id=-TT0001-abcdefghijkl&port=1&left=1&compact=1",
		url.QueryEscape(string(torrent.InfoHash[:]))))
	liar := netip.MustParseAddr("198.18.3.1").As4()
	require.NotContains(t, string(body), string(liar[:]))
}

// claim connects a peer that says it has everything, unchokes us when we are interested, and answers requests with junk or not at all.
// The channel is closed when the connection is.
func (s *server) claim(from string, torrent *metainfo.Torrent, junk bool) <-chan struct{} {
	conn, err := s.connect(from, torrent.InfoHash)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Time{})
	_, err = conn.Write(peerwire.Append(nil, peerwire.HaveAll{}))
	require.NoError(s.t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		answer(conn, uint32(torrent.Info.NumPieces()), junk)
	}()
	return ended
}

func answer(conn net.Conn, numPieces uint32, junk bool) {
	frames := peerwire.NewDecoder(conn, peerwire.DecoderConfig{NumPieces: numPieces})
	for {
		m, err := frames.Next()
		if err != nil {
			return
		}
		var say peerwire.Message
		switch m := m.(type) {
		case peerwire.Interested:
			say = peerwire.Unchoke{}
		case peerwire.Request:
			if junk {
				say = peerwire.Piece{Index: m.Index, Begin: m.Begin, Data: make([]byte, m.Length)}
			}
		}
		if say != nil {
			if _, err := conn.Write(peerwire.Append(nil, say)); err != nil {
				return
			}
		}
	}
}

// why is what the program says of the file.
func (s *server) why(path string) string {
	s.t.Helper()
	out, err := exec.Command(serverBinary(s.t), "why", "--state", s.state, filepath.Join(s.dir, path)).CombinedOutput()
	require.NoError(s.t, err, "%s", out)
	return string(out)
}
