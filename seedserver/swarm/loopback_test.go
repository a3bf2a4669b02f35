package swarm

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
)

// serveLoopback runs cfg's torrent on a port of this machine until stop is called.
func serveLoopback(tb testing.TB, cfg Config) (s *Swarm, addr string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Skipf("no loopback to listen on: %v", err)
	}
	s = New(cfg)
	h := NewHost(HostConfig{PeerID: ourID, MaxPerIP: -1})
	h.Add(s)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- s.Run(ctx) }()
	go func() { ended <- h.Serve(ctx, ln) }()
	return s, ln.Addr().String(), func() {
		cancel()
		require.ErrorIs(tb, <-ended, context.Canceled)
		require.ErrorIs(tb, <-ended, context.Canceled)
		require.Zero(tb, h.Connections())
	}
}

// dial connects to addr, shakes hands and reads what a peer without extensions is told first: a bitfield and an unchoke.
func dial(tb testing.TB, addr string, cfg Config, n int) net.Conn {
	conn, err := net.Dial("tcp", addr)
	require.NoError(tb, err)
	b := hello(cfg.InfoHash, n)
	clear(b[20:28])
	_, err = conn.Write(b)
	require.NoError(tb, err)
	opening := make([]byte, peerwire.HandshakeSize+5+len(peerwire.NewBitfield(uint32(cfg.Info.NumPieces())).Bytes())+5)
	_, err = io.ReadFull(conn, opening)
	require.NoError(tb, err)
	return conn
}

// TestConnectionsComeAndGo holds that peers leave nothing behind: no goroutine, no memory, no descriptor.
func TestConnectionsComeAndGo(t *testing.T) {
	rounds := 10_000
	if testing.Short() {
		rounds = 2000
	}
	cfg, _ := torrent(1<<20, 256<<10)
	goroutines := runtime.NumGoroutine()
	s, addr, stop := serveLoopback(t, cfg)
	ask := peerwire.AppendRequest(nil, peerwire.Request{Index: 1, Length: block})
	answer := make([]byte, peerwire.PieceHeaderSize+block)
	visit := func(n int) {
		conn := dial(t, addr, cfg, n)
		_, err := conn.Write(ask)
		require.NoError(t, err)
		_, err = io.ReadFull(conn, answer)
		require.NoError(t, err)
		require.NoError(t, conn.(*net.TCPConn).SetLinger(0)) // leaves no port waiting behind
		require.NoError(t, conn.Close())
	}
	for n := range rounds / 10 {
		visit(n)
	}
	before := heap()
	for n := range rounds {
		visit(n)
	}
	require.Eventually(t, func() bool { return s.Stats().Peers == 0 }, 10*time.Second, time.Millisecond)
	require.Less(t, heap(), before+1<<20, "after %d connections", rounds)
	require.EqualValues(t, (rounds+rounds/10)*block, s.Stats().Uploaded)
	stop()
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > goroutines; runtime.Gosched() {
		require.True(t, time.Now().Before(deadline), "goroutines are left")
	}
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // pools let go at the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}

// TestIdlePeersAreSmall bounds what a connected peer that says nothing costs.
func TestIdlePeersAreSmall(t *testing.T) {
	const peers = 200
	cfg, _ := torrent(1<<20, 256<<10)
	s, addr, stop := serveLoopback(t, cfg)
	defer stop()
	dial(t, addr, cfg, peers).Close()
	before := heap()
	for n := range peers {
		defer dial(t, addr, cfg, n).Close()
	}
	require.Eventually(t, func() bool { return s.Stats().Peers >= peers }, 10*time.Second, time.Millisecond)
	each := (int64(heap()) - int64(before)) / peers
	t.Logf("%d bytes for each peer, both ends together", each)
	require.Less(t, each, int64(16<<10))
}

// BenchmarkServe sends blocks over loopback to a peer that keeps 128 requests of 16 KiB under way.
func BenchmarkServe(b *testing.B) {
	cfg, _ := torrent(64<<20, 1<<20)
	_, addr, stop := serveLoopback(b, cfg)
	defer stop()
	conn := dial(b, addr, cfg, 1)
	defer conn.Close()
	const window, step = 128, 32
	next := 0
	var frames []byte
	ask := func() {
		frames = frames[:0]
		for range step {
			off := next % len(cfg.Content.(*memory).data)
			frames = peerwire.AppendRequest(frames, peerwire.Request{Index: uint32(off >> 20), Begin: uint32(off & (1<<20 - 1)), Length: block})
			next += block
		}
		_, err := conn.Write(frames)
		require.NoError(b, err)
	}
	for range window / step {
		ask()
	}
	answers := make([]byte, step*(peerwire.PieceHeaderSize+block))
	b.SetBytes(step * block)
	b.ReportAllocs()
	for b.Loop() {
		_, err := io.ReadFull(conn, answers)
		require.NoError(b, err)
		ask()
	}
	require.EqualValues(b, 9+block, binary.BigEndian.Uint32(answers))
}

// BenchmarkRequests is the loop's part alone: one read's requests, judged and queued.
func BenchmarkRequests(b *testing.B) {
	cfg, _ := torrent(64<<20, 1<<20)
	s := New(cfg)
	l := newLoop(s, func(func(context.Context)) {})
	now := time.Now()
	p := &peer{swarm: s, fast: true, unchoked: true, release: func() {}}
	l.peers[p] = struct{}{}
	var list []peerwire.Request
	for i := range uint32(32) {
		list = append(list, peerwire.Request{Index: 3, Begin: i * block, Length: block})
	}
	w := &writer{}
	b.ReportAllocs()
	for b.Loop() {
		l.requested(now, p, list)
		for p.out.queue.n > 0 {
			p.out.take(w, false, false)
		}
		p.dirty, l.dirty = false, l.dirty[:0]
	}
}
