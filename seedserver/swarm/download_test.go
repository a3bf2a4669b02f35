package swarm

import (
	"bytes"
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/storage"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// trueTorrent returns a torrent whose pieces have their true hashes.
func trueTorrent(size, pieceLength int64) (Config, []byte) {
	cfg, content := torrent(size, pieceLength)
	for i := range cfg.Info.NumPieces() {
		sum := sha1.Sum(content.data[int64(i)*pieceLength:][:cfg.Info.PieceSize(i)])
		copy(cfg.Info.Pieces[20*i:], sum[:])
	}
	return cfg, content.data
}

// A disk is a Store in memory that can be read back.
type disk struct {
	mu   sync.Mutex
	data []byte
	err  error // of writes, while set
}

func (d *disk) WriteAt(p []byte, off int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil {
		return d.err
	}
	copy(d.data[off:], p)
	return nil
}

func (d *disk) ReadAt(p []byte, off int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	copy(p, d.data[off:])
	return nil
}

func (d *disk) fails(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.err = err
}

// A node is a torrent on an address of this machine.
type node struct {
	*Swarm
	addr netip.AddrPort
	disk *disk
	done chan struct{}
}

// serveNode starts a node at an address of its own, which has the pieces that have says; nil for a seed.
func serveNode(t *testing.T, n int, cfg Config, data []byte, down *Download) *node {
	t.Helper()
	nd := &node{done: make(chan struct{})}
	cfg.PeerID = peerwire.NewPeerID("-SS0001-", fmt.Appendf(nil, "%012d", n))
	cfg.DialPatience = -1
	if down != nil {
		nd.disk = &disk{data: make([]byte, len(data))}
		d := *down
		d.Store, d.Complete = nd.disk, func() { close(nd.done) }
		cfg.Download, cfg.Content = &d, nd.disk
	}
	ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.%d:0", n))
	if err != nil {
		t.Skipf("no loopback to listen on: %v", err)
	}
	nd.addr = addrPort(ln.Addr().String())
	cfg.ListenPort = nd.addr.Port()
	nd.Swarm = New(cfg)
	h := NewHost(HostConfig{MaxPerIP: -1, DialRate: 1000})
	h.Add(nd.Swarm)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { nd.Run(ctx) })
	running.Go(func() { h.Serve(ctx, ln) })
	running.Go(func() { h.Dial(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return nd
}

func (n *node) meet(others ...*node) {
	for _, o := range others {
		n.AddCandidates(candidates.User, netip.Addr{}, candidates.Peer{Addr: o.addr})
	}
}

func (n *node) wait(t *testing.T, data []byte) {
	t.Helper()
	select {
	case <-n.done:
	case <-time.After(30 * time.Second):
		require.FailNow(t, "not complete", "%+v, peers %+v", n.Stats(), n.Peers())
	}
	require.True(t, bytes.Equal(data, n.disk.data))
	require.EqualValues(t, len(data), n.Stats().Have)
}

func TestDownloadFromOneSeed(t *testing.T) {
	for _, tc := range []struct{ size, pieceLength int64 }{{1, 1 << 14}, {10<<20 + 5, 1 << 18}, {3 << 20, 5000}, {1 << 20, 4 << 20}} {
		t.Run(fmt.Sprint(tc.size, tc.pieceLength), func(t *testing.T) {
			cfg, data := trueTorrent(tc.size, tc.pieceLength)
			seed := serveNode(t, 1, cfg, data, nil)
			leech := serveNode(t, 2, cfg, data, &Download{})
			leech.meet(seed)
			leech.wait(t, data)
		})
	}
}

// Those that download give each other what the seed gave one of them, and seed when they are complete.
func TestDownloadInASwarm(t *testing.T) {
	cfg, data := trueTorrent(8<<20, 1<<16)
	seed := serveNode(t, 1, cfg, data, nil)
	var leeches []*node
	for n := range 6 {
		l := serveNode(t, 2+n, cfg, data, &Download{Memory: 1 << 20})
		l.meet(seed)
		l.meet(leeches...)
		leeches = append(leeches, l)
	}
	for _, l := range leeches {
		l.wait(t, data)
	}
	late := serveNode(t, 10, cfg, data, &Download{})
	late.meet(leeches[0])
	late.wait(t, data)
}

func TestDownloadGoesOnWhereItWas(t *testing.T) {
	cfg, data := trueTorrent(1<<20, 1<<16)
	seed := serveNode(t, 1, cfg, data, nil)
	leech := serveNode(t, 2, cfg, data, &Download{Have: []byte{0xff, 0x00}})
	copy(leech.disk.data, data[:1<<19])
	leech.meet(seed)
	leech.wait(t, data)
	require.EqualValues(t, 1<<19, leech.Stats().Downloaded)
}

// A full disk is waited for: nothing is lost but time.
func TestDownloadWaitsForRoomOnTheDisk(t *testing.T) {
	cfg, data := trueTorrent(1<<20, 1<<16)
	seed := serveNode(t, 1, cfg, data, nil)
	var mu sync.Mutex
	var told []error
	leech := serveNode(t, 2, cfg, data, &Download{Trouble: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}})
	leech.disk.fails(fmt.Errorf("writing x: %w", storage.ErrFull))
	leech.meet(seed)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(told) > 0 }, 10*time.Second, time.Millisecond)
	require.Zero(t, leech.Stats().Have)
	leech.disk.fails(nil)
	leech.wait(t, data)
	require.ErrorIs(t, told[0], storage.ErrFull)
	require.NoError(t, told[len(told)-1])
}

// A peer that sends junk is found out and its address refused, though pieces of it were mixed with good ones.
func TestDownloadAmongLiars(t *testing.T) {
	cfg, data := trueTorrent(4<<20, 1<<16)
	junk := cfg
	junk.Content = &memory{data: bytes.Repeat([]byte("junk"), len(data)/4)}
	seed := serveNode(t, 1, cfg, data, nil)
	leech := serveNode(t, 3, cfg, data, &Download{})
	first := serveNode(t, 20, junk, data, nil)
	leech.meet(first)
	require.Eventually(t, func() bool {
		stats := first.Stats()
		return stats.Uploaded >= cfg.Info.PieceLength && stats.Peers == 0
	}, 10*time.Second, time.Millisecond, "all of a piece is its")
	leech.meet(serveNode(t, 21, junk, data, nil), serveNode(t, 22, junk, data, nil), seed)
	leech.wait(t, data)
}

// One good seed and peers of which some send junk, some take requests and answer nothing, and some hang up: the download is complete
// and right, and does not wait for them.
func TestDownloadAmongTheUnwell(t *testing.T) {
	cfg, data := trueTorrent(4<<20, 1<<16)
	junk := cfg
	junk.Content = &memory{data: bytes.Repeat([]byte("junk"), len(data)/4)}
	silent := cfg
	silent.Limiter = newGate() // never lets a block go
	seed := serveNode(t, 1, cfg, data, nil)
	var others []*node
	for n := range 2 {
		others = append(others, serveNode(t, 30+n, junk, data, nil), serveNode(t, 40+n, silent, data, nil))
	}
	for n := range 4 {
		l := serveNode(t, 50+n, cfg, data, &Download{})
		l.meet(others...)
		l.meet(seed)
		others = append(others, l)
	}
	hangsUp, err := net.Listen("tcp", "127.0.0.70:0")
	require.NoError(t, err)
	defer hangsUp.Close()
	go func() {
		for {
			conn, err := hangsUp.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	leech := serveNode(t, 2, cfg, data, &Download{})
	leech.meet(append(others, &node{addr: addrPort(hangsUp.Addr().String())}, seed)...)
	leech.wait(t, data)
	for _, l := range others[4:] {
		l.wait(t, data)
	}
}

// What is written while the download ends counts as written: it is remembered, and not fetched again.
func TestDownloadTellsOfWhatIsWrittenAtItsEnd(t *testing.T) {
	cfg, data := trueTorrent(1<<20, 1<<16)
	seed := serveNode(t, 1, cfg, data, nil)
	var mu sync.Mutex
	kept := map[uint32]bool{}
	store := &slowDisk{disk: disk{data: make([]byte, len(data))}, begun: make(chan struct{}, 100), going: make(chan struct{})}
	cfg.PeerID, cfg.DialPatience = peerwire.NewPeerID("-SS0001-", []byte("another")), -1
	cfg.Content = store
	cfg.Download = &Download{Store: store, Kept: func(piece uint32) { mu.Lock(); defer mu.Unlock(); kept[piece] = true }}
	leech := New(cfg)
	h := NewHost(HostConfig{DialRate: 1000})
	h.Add(leech)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Dial(ctx) })
	running.Go(func() { leech.Run(ctx) })
	leech.AddCandidates(candidates.User, netip.Addr{}, candidates.Peer{Addr: seed.addr})
	for range 2 { // as many as hash
		<-store.begun
	}
	cancel()
	close(store.going)
	running.Wait()
	require.NotEmpty(t, store.wrote)
	require.Equal(t, store.wrote, kept)
}

// A slowDisk keeps every write waiting.
type slowDisk struct {
	disk
	begun, going chan struct{}
	wrote        map[uint32]bool
}

func (d *slowDisk) WriteAt(p []byte, off int64) error {
	d.begun <- struct{}{}
	<-d.going
	d.mu.Lock()
	if d.wrote == nil {
		d.wrote = map[uint32]bool{}
	}
	d.wrote[uint32(off>>16)] = true
	d.mu.Unlock()
	return d.disk.WriteAt(p, off)
}

// A disk that fails in another way than being full is tried again, and when it does again what it should that is told.
func TestDownloadOutlivesAFailingDisk(t *testing.T) {
	cfg, data := trueTorrent(1<<20, 1<<16)
	seed := serveNode(t, 1, cfg, data, nil)
	var mu sync.Mutex
	var told []error
	leech := serveNode(t, 2, cfg, data, &Download{Trouble: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, err)
	}})
	broken := errors.New("input/output error")
	leech.disk.fails(broken)
	leech.meet(seed)
	require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return len(told) > 0 }, 10*time.Second, time.Millisecond)
	leech.disk.fails(nil)
	leech.wait(t, data)
	require.ErrorIs(t, told[0], broken)
	require.NoError(t, told[len(told)-1])
}

// However small the pieces that a stranger made, and however large, a download holds no more for them than there is to hold.
func TestDownloadOfOddPieces(t *testing.T) {
	for _, tc := range []struct{ size, pieceLength int64 }{{100, 1}, {100, 512 << 20}} {
		t.Run(fmt.Sprint(tc.size, tc.pieceLength), func(t *testing.T) {
			cfg, data := trueTorrent(tc.size, tc.pieceLength)
			seed := serveNode(t, 1, cfg, data, nil)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			leech := serveNode(t, 2, cfg, data, &Download{})
			leech.meet(seed)
			leech.wait(t, data)
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20))
		})
	}
}

// Blocks that were on their way when a peer choked us are of use: without the fast extension a choke does not say which those are.
func TestDownloadTakesWhatComesAfterAChoke(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, data := trueTorrent(4*block, 4*block)
		d := &disk{data: make([]byte, len(data))}
		cfg.Content, cfg.Download = d, &Download{Store: d}
		s := start(t, cfg)
		r := connect(t, s, remoteConfig{})
		r.send(peerwire.BitfieldMessage{Bits: []byte{0x80}}, peerwire.Unchoke{})
		var blocks []peerwire.Message
		for _, m := range r.take() {
			if q, ok := m.(peerwire.Request); ok {
				blocks = append(blocks, peerwire.Piece{Index: q.Index, Begin: q.Begin, Data: data[q.Begin : q.Begin+q.Length]})
			}
		}
		require.Len(t, blocks, 4)
		r.send(append([]peerwire.Message{peerwire.Choke{}}, blocks...)...)
		require.False(t, r.closed())
		require.EqualValues(t, len(data), s.Stats().Have)
	})
}

// Sixty peers share a limit of 16 KiB/s: each is heard every minute or so, and neither is dropped for its silence nor asked in vain.
func TestDownloadFromManyBelowALimit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const peers = 60
		cfg, data := trueTorrent(32<<20, 256<<10)
		d := &disk{data: make([]byte, len(data))}
		cfg.Content, cfg.Download = d, &Download{Store: d, Limiter: &steady{perSecond: 16 << 10}}
		s := start(t, cfg)
		for range peers {
			r := connect(t, s, remoteConfig{fast: true, deaf: true})
			go serveAll(r.conn, cfg.Info.PieceLength, data)
		}
		time.Sleep(20 * time.Minute)
		st := s.Stats()
		require.Equal(t, peers, st.Peers)
		require.Greater(t, st.Downloaded, int64(18<<20))
		require.Greater(t, st.Have, st.Downloaded*2/3, "most is of use")
	})
}

// serveAll plays a seed that answers at once as long as the connection takes it.
func serveAll(conn net.Conn, pieceLength int64, data []byte) {
	answers := make(chan []byte, 2000)
	defer close(answers)
	answers <- peerwire.Append(peerwire.Append(nil, peerwire.HaveAll{}), peerwire.Unchoke{})
	go func() {
		for b := range answers {
			for n := len(answers); n > 0; n-- { // what came meanwhile lies in the kernel
				b = append(b, <-answers...)
			}
			conn.Write(b)
		}
	}()
	d := peerwire.NewDecoder(conn, peerwire.DecoderConfig{})
	for {
		m, err := d.Next()
		if err != nil {
			return
		}
		if r, ok := m.(peerwire.Request); ok {
			off := int64(r.Index)*pieceLength + int64(r.Begin)
			answers <- peerwire.Append(nil, peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: data[off : off+int64(r.Length)]})
		}
	}
}
