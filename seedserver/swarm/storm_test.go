package swarm

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// TestReconnectStorm: 400 addresses come again as soon as they are let go, and each of them is a candidate, too, that closes
// whatever is dialled. What is open, and what is dialled, stays bounded; who behaves is served all the while; in the end nothing
// is left.
func TestReconnectStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.PeerID, cfg.MaxPeers, cfg.DialPeers, cfg.DialPatience = peerwire.PeerID{}, 50, 60, -1
		n := newTown()
		s := start(t, cfg)
		h, door := host(t, HostConfig{MaxPeers: 100, MaxPending: 20}, s)
		good := modern
		good.addr = "203.0.113.1:40000"
		honest := connect(t, s, good)
		honest.send(peerwire.Interested{})

		h.cfg.Dial = n.dial
		ctx, cancel := context.WithCancel(t.Context())
		dials := make(chan error, 1)
		go func() { dials <- h.Dial(ctx) }()
		var attempts, shaken atomic.Int32
		stormer := func(i int) {
			addr := fmt.Sprintf("198.18.%d.%d:40000", i/200, i%200+1)
			for ctx.Err() == nil {
				ours, theirs := net.Pipe()
				attempts.Add(1)
				select {
				case door.conns <- from{ours, addr}:
				case <-ctx.Done():
					return
				}
				theirs.SetDeadline(time.Now().Add(20 * time.Second))
				go func() { _, _ = theirs.Write(hello(cfg.InfoHash, i)) }() // a pipe holds nothing: each side waits for the other
				if _, err := peerwire.ReadHandshake(theirs); err == nil {
					shaken.Add(1)
				}
				_, _ = io.CopyN(io.Discard, theirs, 1<<10) // until it is let go, or 20 s
				theirs.Close()
				sleep(ctx, time.Second)
			}
		}
		var known []candidates.Peer
		for i := range 400 {
			a := netip.MustParseAddrPort(fmt.Sprintf("198.18.%d.%d:7000", i/200, i%200+1))
			n.answers[a] = func(c net.Conn) { c.Close() }
			known = append(known, candidates.Peer{Addr: a})
			go stormer(i)
		}
		for range 24 {
			s.AddCandidates(candidates.Tracker, netip.Addr{}, known...)
			time.Sleep(5 * time.Second)
			honest.send(requests(0, 0, 1)...)
			require.LessOrEqual(t, h.Connections(), 100)
			require.LessOrEqual(t, s.Stats().Peers, 50)
			require.False(t, honest.closed())
		}
		time.Sleep(time.Second)
		require.GreaterOrEqual(t, len(honest.take()), 24, "it got its blocks")
		t.Logf("%d connections came, %d shook hands; %d dials in two minutes", attempts.Load(), shaken.Load(), n.all())
		require.LessOrEqual(t, n.all(), 20*121+5)
		cancel()
		require.ErrorIs(t, <-dials, context.Canceled)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.LessOrEqual(t, h.Connections(), 1)
	})
}

// TestPoolMemory: all a torrent can know of addresses it was told by anybody is less than 300 KiB.
func TestPoolMemory(t *testing.T) {
	cfg, _ := torrent(1<<20, 1<<18)
	l := newLoop(New(cfg), func(func(context.Context)) {})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one found in pools
	runtime.ReadMemStats(&before)
	for i := range 10_000 {
		ip := netip.AddrFrom4([4]byte{11, byte(i >> 16), byte(i >> 8), byte(i)})
		from := netip.AddrFrom4([4]byte{12, 0, byte(i >> 8), byte(i)})
		for _, source := range []candidates.Source{candidates.Tracker, candidates.DHT, candidates.PEX} {
			l.heardOf(time.Now(), source, from, []candidates.Peer{{Addr: netip.AddrPortFrom(ip, 5000+uint16(source))}})
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	t.Logf("30,000 addresses of 10,000 informants: %d are kept, in %d KiB", l.pool.Total(), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10)
	require.LessOrEqual(t, l.pool.Total(), 650)
	require.Less(t, int64(after.HeapAlloc)-int64(before.HeapAlloc), int64(300<<10))
	runtime.KeepAlive(l)
}
