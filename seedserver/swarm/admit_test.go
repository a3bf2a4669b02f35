package swarm

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// TestAdmit: who is admitted by address is answered before its peer id, who is by peer id after it, and who is not with nothing, just
// as if there were no such torrent.
func TestAdmit(t *testing.T) {
	cfg, _ := torrent(1<<20, 256<<10)
	var byAddr atomic.Bool
	var known atomic.Pointer[peerwire.PeerID]
	cfg.Admit = func(addr netip.Addr, id peerwire.PeerID) bool {
		k := known.Load()
		return addr.IsLoopback() && byAddr.Load() || k != nil && id == *k
	}
	_, addr, stop := serveLoopback(t, cfg)
	defer stop()
	// shake sends a part of a handshake and returns what comes back: within a moment, where that should be nothing.
	shake := func(hello []byte, within time.Duration) []byte {
		conn, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		defer conn.Close()
		_, err = conn.Write(hello)
		require.NoError(t, err)
		conn.SetReadDeadline(time.Now().Add(within))
		got := make([]byte, peerwire.HandshakeSize)
		n, err := io.ReadFull(conn, got)
		if n == 0 {
			require.Equal(t, len(hello) == peerwire.HandshakeSize, errors.Is(err, io.EOF), "it is closed with the peer id, not before: %v", err)
		}
		return got[:n]
	}
	whole, absent := hello(cfg.InfoHash, 7), hello([20]byte{9}, 7)
	id := peerwire.PeerID(whole[48:])
	head := whole[:48]

	const soon, moment = 10 * time.Second, 300 * time.Millisecond
	require.Empty(t, shake(whole, soon))
	require.Empty(t, shake(head, moment))
	require.Empty(t, shake(absent, soon))
	require.Empty(t, shake(absent[:48], moment))
	byAddr.Store(true)
	require.Len(t, shake(head, soon), peerwire.HandshakeSize)
	byAddr.Store(false)
	known.Store(&id)
	require.Len(t, shake(whole, soon), peerwire.HandshakeSize)
	require.Empty(t, shake(hello(cfg.InfoHash, 8), soon))
}

// TestAdmitEnds: a peer that may not be here any more is closed within the time of a sweep.
func TestAdmitEnds(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		var open atomic.Bool
		open.Store(true)
		cfg.Admit = func(netip.Addr, peerwire.PeerID) bool { return open.Load() }
		s := start(t, cfg)
		r := connect(t, s, modern)
		time.Sleep(3 * sweepTime)
		require.False(t, r.closed())
		open.Store(false)
		time.Sleep(sweepTime + quietTick)
		require.True(t, r.closed())
	})
}
