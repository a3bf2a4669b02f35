package swarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/peerwire/extension"
)

const block = 16 << 10

// memory is a Content in a slice. A read fails with err while that is set, and has all bits turned while flipped is.
type memory struct {
	data    []byte
	err     atomic.Pointer[error]
	flipped atomic.Bool
	reads   atomic.Int32
}

func (m *memory) ReadAt(p []byte, off int64) error {
	m.reads.Add(1)
	if err := m.err.Load(); err != nil {
		clear(p)
		return *err
	}
	if off < 0 || off+int64(len(p)) > int64(len(m.data)) {
		return io.ErrUnexpectedEOF
	}
	copy(p, m.data[off:])
	if m.flipped.Load() {
		for i := range p {
			p[i] = ^p[i]
		}
	}
	return nil
}

func (m *memory) fail(err error) { m.err.Store(&err) }
func (m *memory) heal()          { m.err.Store(nil) }

// gate is a Limiter that lets one peer send as many bytes as the test says.
type gate struct {
	tokens chan int
	left   int
}

func newGate() *gate { return &gate{tokens: make(chan int)} }

func (g *gate) Wait(ctx context.Context, n int) error {
	for g.left < n {
		select {
		case t := <-g.tokens:
			g.left += t
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	g.left -= n
	return nil
}

// torrent returns a Config for size bytes in pieces of pieceLength.
func torrent(size, pieceLength int64) (Config, *memory) {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(data)
	numPieces := (size + pieceLength - 1) / pieceLength
	info := &metainfo.Info{
		Name:        "file",
		PieceLength: pieceLength,
		Pieces:      make([]byte, 20*numPieces),
		Files:       []metainfo.File{{Path: []string{"file"}, Length: size}},
	}
	content := &memory{data: data}
	return Config{
		Info:      info,
		InfoBytes: bytes.Repeat([]byte("d4:infoe"), 5000), // three pieces of metadata
		InfoHash:  metainfo.InfoHash{1, 2, 3},
		PeerID:    peerwire.NewPeerID("-SS0000-", []byte("ourselves...")),
		Content:   content,
	}, content
}

// start runs cfg's Swarm until the test is over. It is for tests in a bubble, whose end shows that nothing was left running.
func start(t *testing.T, cfg Config) *Swarm {
	t.Helper()
	s, stop := startUntil(t, cfg)
	t.Cleanup(stop)
	return s
}

// startUntil runs cfg's Swarm until stop is called, which waits for Run to return.
func startUntil(t *testing.T, cfg Config) (s *Swarm, stop func()) {
	t.Helper()
	s = New(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	synctest.Wait()
	return s, func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}

// A remote is a scripted peer: it sends what the test says and keeps what it gets.
type remote struct {
	t    *testing.T
	s    *Swarm
	conn net.Conn // its end

	mu     sync.Mutex
	got    []peerwire.Message
	writes int   // by the seed
	err    error // how the connection ended
}

// remoteConfig describes a peer; the zero value speaks plain BEP 3.
type remoteConfig struct {
	fast, extended, deaf bool
	id                   string
	addr                 string
	released             func()
}

// modern is a peer as they are today.
var modern = remoteConfig{fast: true, extended: true}

// countingConn counts the seed's writes.
type countingConn struct {
	net.Conn
	r *remote
}

func (c countingConn) Write(b []byte) (int, error) {
	c.r.mu.Lock()
	c.r.writes++
	c.r.mu.Unlock()
	return c.Conn.Write(b)
}

var serial atomic.Int32

// connect hands s a peer.
func connect(t *testing.T, s *Swarm, rc remoteConfig) *remote {
	t.Helper()
	r, ok := tryConnect(t, s, rc)
	require.True(t, ok)
	return r
}

func tryConnect(t *testing.T, s *Swarm, rc remoteConfig) (*remote, bool) {
	ours, theirs := net.Pipe()
	r := &remote{t: t, s: s, conn: theirs}
	a := admission{conn: countingConn{ours, r}, addr: netip.MustParseAddrPort("198.51.100.7:6881"), release: func() {}}
	if rc.addr != "" {
		a.addr = netip.MustParseAddrPort(rc.addr)
	}
	if rc.released != nil {
		a.release = rc.released
	}
	if rc.fast {
		a.reserved.Set(peerwire.Fast)
	}
	if rc.extended {
		a.reserved.Set(peerwire.ExtensionProtocol)
	}
	a.id = peerwire.NewPeerID("-TR4000-", fmt.Appendf(nil, "%012d", serial.Add(1)))
	if rc.id != "" {
		a.id = peerwire.NewPeerID(rc.id, []byte("same"))
	}
	taken := s.admit(t.Context(), a)
	t.Cleanup(func() { theirs.Close() })
	if !rc.deaf {
		go r.listen()
	}
	synctest.Wait()
	return r, taken
}

// listen keeps all messages until the connection ends.
func (r *remote) listen() {
	d := peerwire.NewDecoder(r.conn, peerwire.DecoderConfig{MaxBlock: 1 << 20})
	for {
		m, err := d.Next()
		if p, ok := m.(peerwire.Piece); ok {
			m = digest(p)
		}
		m = detached(m)
		r.mu.Lock()
		if err != nil {
			r.err = err
			r.mu.Unlock()
			return
		}
		r.got = append(r.got, m)
		r.mu.Unlock()
	}
}

// send writes messages in one go and waits until everything that follows from them has happened.
func (r *remote) send(messages ...peerwire.Message) {
	r.t.Helper()
	var b []byte
	for _, m := range messages {
		b = peerwire.Append(b, m)
	}
	r.sendBytes(b)
}

func (r *remote) sendBytes(b []byte) {
	_, _ = r.conn.Write(b) // the seed may hang up over it: that is for closed to see
	synctest.Wait()
}

// take returns what came since the last call.
func (r *remote) take() []peerwire.Message {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

func (r *remote) closed() bool {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err != nil
}

// requests returns the requests for blocks of piece index from the first one on.
func requests(index uint32, first, n int) []peerwire.Message {
	var list []peerwire.Message
	for i := first; i < first+n; i++ {
		list = append(list, peerwire.Request{Index: index, Begin: uint32(i * block), Length: block})
	}
	return list
}

// rejects returns the answers to requests that are refused.
func rejects(requests []peerwire.Message) []peerwire.Message {
	list := make([]peerwire.Message, len(requests))
	for i, m := range requests {
		list[i] = peerwire.Reject(m.(peerwire.Request))
	}
	return list
}

// pieces returns the answers to requests that are served.
func pieces(cfg Config, content *memory, requests []peerwire.Message) []peerwire.Message {
	list := make([]peerwire.Message, len(requests))
	for i, m := range requests {
		r := m.(peerwire.Request)
		off := int64(r.Index)*cfg.Info.PieceLength + int64(r.Begin)
		list[i] = digest(peerwire.Piece{Index: r.Index, Begin: r.Begin, Data: content.data[off : off+int64(r.Length)]})
	}
	return list
}

// digest puts a short text in the place of a piece's data, so that a failed test can be read.
func digest(p peerwire.Piece) peerwire.Message {
	p.Data = fmt.Appendf(nil, "%d bytes, %08x", len(p.Data), crc32.ChecksumIEEE(p.Data))
	return p
}

// sendPort tells in an extension handshake where r takes connections.
func (r *remote) sendPort(port uint16) {
	r.t.Helper()
	r.send(peerwire.Extended{Payload: extension.Handshake{Port: port}.AppendTo(nil)})
}

// shakeHands sends an extension handshake that numbers our messages by known.
func (r *remote) shakeHands(known ...extension.Name) {
	h := extension.Handshake{IDs: extension.NewIDs(known...), V: "Fake 1.0"}
	r.send(peerwire.Extended{Payload: h.AppendTo(nil)})
}

var errDisk = errors.New("input/output error")

// bubble is synctest.Test, and gives each test 10 s of virtual time to begin in, so that no clock stands at zero.
func bubble(t *testing.T, f func(t *testing.T)) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(10 * time.Second)
		f(t)
	})
}

// steady is a Limiter of so many bytes per second, with nothing saved up.
type steady struct {
	perSecond int
	mu        sync.Mutex
	free      time.Time // when the next may pass
}

func (l *steady) Wait(ctx context.Context, n int) error {
	l.mu.Lock()
	now := time.Now()
	if l.free.Before(now) {
		l.free = now
	}
	l.free = l.free.Add(time.Duration(n) * time.Second / time.Duration(l.perSecond))
	wait := time.NewTimer(l.free.Sub(now))
	l.mu.Unlock()
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
