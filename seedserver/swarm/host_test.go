package swarm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
	"github.com/seedserver/bittorrent/peerwire"
)

// switchboard is a net.Listener in memory.
type switchboard struct {
	conns  chan net.Conn
	errs   chan error
	closed chan struct{}
}

func newSwitchboard() *switchboard {
	return &switchboard{conns: make(chan net.Conn), errs: make(chan error), closed: make(chan struct{})}
}

func (s *switchboard) Accept() (net.Conn, error) {
	select {
	case c := <-s.conns:
		return c, nil
	case err := <-s.errs:
		return nil, err
	case <-s.closed:
		return nil, net.ErrClosed
	}
}

func (s *switchboard) Close() error {
	select {
	case <-s.closed:
	default:
		close(s.closed)
	}
	return nil
}

func (s *switchboard) Addr() net.Addr { return &net.TCPAddr{} }

// from is a connection with a remote address.
type from struct {
	net.Conn
	addr string
}

func (f from) RemoteAddr() net.Addr { return textAddr(f.addr) }

type textAddr string

func (a textAddr) Network() string { return "tcp" }
func (a textAddr) String() string  { return string(a) }

// caller is the far end of a connection to a Host.
type caller struct {
	net.Conn

	mu    sync.Mutex
	bytes []byte
	ended bool
}

// got returns all that came back.
func (c *caller) got() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}

// over reports whether the host hung up.
func (c *caller) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// hear notes what one read brought.
func (c *caller) hear(b []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bytes = append(c.bytes, b...)
	c.ended = err != nil
}

// call connects from addr and keeps what comes back.
func (s *switchboard) call(t *testing.T, addr string) *caller {
	ours, theirs := net.Pipe()
	c := &caller{Conn: theirs}
	t.Cleanup(func() { theirs.Close() })
	go func() {
		select {
		case s.conns <- from{ours, addr}:
		case <-s.closed:
			ours.Close()
		}
		buf := make([]byte, 4096)
		for {
			n, err := theirs.Read(buf)
			c.hear(buf[:n], err)
			if err != nil {
				return
			}
		}
	}()
	synctest.Wait()
	return c
}

func (c *caller) say(b []byte) {
	_, _ = c.Write(b) // the host may hang up over it
	synctest.Wait()
}

var ourID = peerwire.NewPeerID("-SS0001-", []byte("abcdefghijkl"))

// host serves until the test is over.
func host(t *testing.T, cfg HostConfig, swarms ...*Swarm) (*Host, *switchboard) {
	cfg.PeerID = ourID
	h, sb := NewHost(cfg), newSwitchboard()
	for _, s := range swarms {
		h.Add(s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, sb) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	synctest.Wait()
	return h, sb
}

// hello is a handshake for infohash.
func hello(infohash metainfo.InfoHash, n int) []byte {
	return peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.Fast),
		InfoHash: infohash,
		PeerID:   peerwire.NewPeerID("-TR4000-", fmt.Appendf(nil, "%012d", n)),
	}.AppendTo(nil)
}

// Who checks whether we can be reached, and some clients, read our answer before they send their id.
func TestHandshakeIsAnsweredBeforeThePeerID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		cfg.PeerID = peerwire.PeerID{}
		h, sb := host(t, HostConfig{}, start(t, cfg))
		c := sb.call(t, "[2001:db8::1]:5000")
		theirs := hello(cfg.InfoHash, 1)
		c.say(theirs[:20])
		require.Empty(t, c.got())
		c.say(theirs[20:48])
		require.Empty(t, c.got(), "it may be on its way")
		time.Sleep(promptly)
		synctest.Wait()
		answer := peerwire.Handshake{
			Reserved: peerwire.NewExtensions(peerwire.ExtensionProtocol, peerwire.Fast),
			InfoHash: cfg.InfoHash,
			PeerID:   ourID,
		}.AppendTo(nil)
		require.Equal(t, answer, c.got())
		c.say(theirs[48:])
		want := peerwire.Append(peerwire.Append(answer, peerwire.HaveAll{}), peerwire.Unchoke{})
		require.Equal(t, want, c.got())
		require.Equal(t, 1, h.Connections())
		c.Close()
		synctest.Wait()
		require.Zero(t, h.Connections())
	})
}

func TestEachTorrentGetsItsPeers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		a := start(t, cfg)
		cfg.InfoHash[0]++
		b := start(t, cfg)
		h, sb := host(t, HostConfig{}, a, b)
		for i := range 3 {
			sb.call(t, "198.51.100.1:1").say(hello(b.InfoHash(), i))
		}
		sb.call(t, "198.51.100.1:1").say(hello(a.InfoHash(), 1))
		require.Equal(t, 1, a.Stats().Peers)
		require.Equal(t, 3, b.Stats().Peers)

		h.Remove(a)
		c := sb.call(t, "198.51.100.1:1")
		c.say(hello(a.InfoHash(), 9))
		require.True(t, c.over())
		require.Empty(t, c.got())
		require.Equal(t, 1, a.Stats().Peers, "those connected stay")
		require.Equal(t, 4, h.Connections())
	})
}

func TestHandshakesThatComeToNothing(t *testing.T) {
	cfg, _ := torrent(1<<20, 256<<10)
	other := cfg.InfoHash
	other[0]++
	self := peerwire.Handshake{InfoHash: cfg.InfoHash, PeerID: cfg.PeerID}.AppendTo(nil)
	for _, tc := range []struct {
		name     string
		say      []byte
		after    time.Duration // that it is closed
		answered int           // bytes
	}{
		{"unknown infohash", hello(other, 1), 0, 0},
		{"http", []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0, 0},
		{"noise", make([]byte, 20), 0, 0},
		{"our own id", self, 0, 68},
		{"nothing", nil, handshakeTimeout, 0},
		{"half a handshake", hello(cfg.InfoHash, 1)[:30], handshakeTimeout, 0},
		{"no peer id", hello(cfg.InfoHash, 1)[:60], handshakeTimeout, 68},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := start(t, cfg)
				h, sb := host(t, HostConfig{}, s)
				c := sb.call(t, "198.51.100.1:1")
				c.say(tc.say)
				if tc.after > 0 {
					require.False(t, c.over())
					time.Sleep(tc.after)
					synctest.Wait()
				}
				require.True(t, c.over())
				require.Len(t, c.got(), tc.answered)
				require.Zero(t, s.Stats().Peers)
				require.Zero(t, h.Connections())
			})
		})
	}
}

// A torrent that is known and does not run keeps a peer waiting no longer than a handshake.
func TestSwarmThatDoesNotRun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		h, sb := host(t, HostConfig{}, New(cfg))
		c := sb.call(t, "198.51.100.1:1")
		c.say(hello(cfg.InfoHash, 1))
		time.Sleep(handshakeTimeout)
		synctest.Wait()
		require.True(t, c.over())
		require.Zero(t, h.Connections())
	})
}

func TestConnectionsFromOneAddressAreBounded(t *testing.T) {
	for _, tc := range []struct{ name, addr, neighbour, stranger string }{
		{"IPv4", "198.51.100.1:%d", "198.51.100.1:%d", "198.51.100.2:1"},
		{"IPv4 in IPv6", "[::ffff:198.51.100.1]:%d", "198.51.100.1:%d", "198.51.100.2:1"},
		{"an IPv6 network", "[2001:db8::1]:%d", "[2001:db8::ffff]:%d", "[2001:db8:0:1::1]:1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(1<<20, 256<<10)
				s := start(t, cfg)
				h, sb := host(t, HostConfig{}, s)
				var first *caller
				for i := range 1000 {
					c := sb.call(t, fmt.Sprintf(tc.addr, i+1))
					c.say(hello(cfg.InfoHash, i))
					if first == nil {
						first = c
					}
				}
				require.Equal(t, 64, s.Stats().Peers)
				require.Equal(t, 64, h.Connections())
				c := sb.call(t, fmt.Sprintf(tc.neighbour, 1001))
				require.True(t, c.over())

				sb.call(t, tc.stranger).say(hello(cfg.InfoHash, 2000))
				require.Equal(t, 65, s.Stats().Peers, "others are not kept out")
				first.Close()
				synctest.Wait()
				sb.call(t, fmt.Sprintf(tc.addr, 1002)).say(hello(cfg.InfoHash, 2001))
				require.Equal(t, 65, s.Stats().Peers, "one left, one may come")
			})
		})
	}
}

func TestConnectionsInAllAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		h, sb := host(t, HostConfig{MaxPeers: 3}, start(t, cfg))
		for i := range 5 {
			c := sb.call(t, fmt.Sprintf("198.51.100.%d:1", i))
			require.Equal(t, i >= 3, c.over())
		}
		require.Equal(t, 3, h.Connections())
	})
}

// Who opens connections and says nothing keeps nobody out: the oldest of them makes room.
func TestSlowHandshakesAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 256<<10)
		s := start(t, cfg)
		_, sb := host(t, HostConfig{MaxPending: 2}, s)
		slow := []*caller{sb.call(t, "198.51.100.1:1"), sb.call(t, "198.51.100.2:1")}
		c := sb.call(t, "198.51.100.3:1")
		require.True(t, slow[0].over())
		require.False(t, slow[1].over())
		c.say(hello(cfg.InfoHash, 1))
		require.Equal(t, 1, s.Stats().Peers)
		sb.call(t, "198.51.100.4:1")
		require.False(t, slow[1].over(), "a peer whose handshake is done takes no room")
		require.False(t, c.over())
	})
}

type passing struct{ error }

func (passing) Temporary() bool { return true }

func TestAcceptErrors(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var log bytes.Buffer
		h, sb := NewHost(HostConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))}), newSwitchboard()
		ended := make(chan error, 1)
		go func() { ended <- h.Serve(t.Context(), sb) }()
		began := time.Now()
		for range 20 {
			sb.errs <- passing{errors.New("too many open files")}
		}
		require.Greater(t, time.Since(began), 10*time.Second, "it waits, longer and longer")
		require.Equal(t, 1, strings.Count(log.String(), "cannot be accepted"), "and says so once a minute")
		c := sb.call(t, "198.51.100.1:1")
		require.False(t, c.over())
		sb.errs <- io.ErrUnexpectedEOF
		require.ErrorIs(t, <-ended, io.ErrUnexpectedEOF)
		synctest.Wait()
		require.True(t, c.over(), "and no handshake is left behind")
		require.Zero(t, h.Connections())
	})
}
