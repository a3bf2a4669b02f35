package seedserver

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/web"
)

// TestCopiesAreListed: the index tells how many copies the connected peers hold together.
func TestCopiesAreListed(t *testing.T) {
	srv, dir, _ := running(t, func(c *Config) { c.Mode, c.PieceLength = ModePlain, 16<<10 })
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), make([]byte, 64<<10), 0o644))
	src := source{s: srv}
	require.Eventually(t, func() bool { e, ok := src.Lookup("a"); return ok && e.State == web.Published }, 10*time.Second, 20*time.Millisecond)
	require.Zero(t, list(t, src, "")["a"].Peers.Copies)

	e, _ := src.Lookup("a")
	conn, err := net.Dial("tcp", srv.peer.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	hello := peerwire.Handshake{InfoHash: e.InfoHash, PeerID: peerwire.NewPeerID("-XX0001-", make([]byte, 12))}.AppendTo(nil)
	_, err = conn.Write(peerwire.Append(hello, peerwire.BitfieldMessage{Bits: []byte{0b1110_0000}}))
	require.NoError(t, err)
	require.Eventually(t, func() bool { return list(t, src, "")["a"].Peers.Copies == .75 }, 20*time.Second, 50*time.Millisecond)
	e, _ = src.Lookup("a")
	require.InDelta(t, .75, e.Peers.Copies, 0)
}
