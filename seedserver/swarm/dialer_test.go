package swarm

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/seedserver/bittorrent/seedserver/swarm/candidates"
)

// A town is a network in memory: what answers at an address, and what was dialled when.
type town struct {
	mu      sync.Mutex
	answers map[netip.AddrPort]func(conn net.Conn)
	dialled []dialledAt
	open    int
	most    int // dials under way at a time
}

type dialledAt struct {
	addr netip.AddrPort
	at   time.Time
}

func newTown() *town { return &town{answers: map[netip.AddrPort]func(net.Conn){}} }

var errNobody = errors.New("connection refused")

// dial is for HostConfig. Who is not there does not answer.
func (n *town) dial(ctx context.Context, addr netip.AddrPort) (net.Conn, error) {
	n.mu.Lock()
	n.dialled = append(n.dialled, dialledAt{addr, time.Now()})
	n.open++
	n.most = max(n.most, n.open)
	answer := n.answers[addr]
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		n.open--
		n.mu.Unlock()
	}()
	if answer == nil {
		<-ctx.Done()
		return nil, errNobody
	}
	ours, theirs := net.Pipe()
	go answer(theirs)
	return ours, nil
}

// times returns how often addr was dialled, and all is how many dials there were.
func (n *town) times(addr string) (count int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, d := range n.dialled {
		if d.addr.String() == addr {
			count++
		}
	}
	return count
}

func (n *town) all() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.dialled)
}

// settle puts one at addr who answers handshakes with h and then listens.
func (n *town) settle(addr string, h peerwire.Handshake) {
	n.answers[netip.MustParseAddrPort(addr)] = func(conn net.Conn) {
		if _, err := peerwire.ReadHandshake(conn); err != nil {
			conn.Close()
			return
		}
		_, _ = conn.Write(h.AppendTo(nil))
		for buf := make([]byte, 4096); ; {
			if _, err := conn.Read(buf); err != nil {
				return
			}
		}
	}
}

// dialling runs a Host that dials in n.
func dialling(t *testing.T, n *town, cfg HostConfig, swarms ...*Swarm) *Host {
	cfg.Dial, cfg.PeerID = n.dial, ourID
	h := NewHost(cfg)
	for _, s := range swarms {
		h.Add(s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Dial(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	synctest.Wait()
	return h
}

// tell lets s hear of addrs from a tracker in this process.
func tell(t *testing.T, s *Swarm, addrs ...string) {
	t.Helper()
	var peers []candidates.Peer
	for _, a := range addrs {
		peers = append(peers, candidates.Peer{Addr: netip.MustParseAddrPort(a)})
	}
	require.True(t, s.AddCandidates(candidates.Tracker, netip.Addr{}, peers...))
	synctest.Wait()
}

func answerOf(cfg Config, name string) peerwire.Handshake {
	return peerwire.Handshake{
		Reserved: peerwire.NewExtensions(peerwire.Fast, peerwire.ExtensionProtocol), InfoHash: cfg.InfoHash,
		PeerID: peerwire.NewPeerID("-TR4000-", []byte(name+"............")),
	}
}

func TestCandidatesAreDialled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.PeerID = peerwire.PeerID{}
		n := newTown()
		n.settle("198.51.100.1:7000", answerOf(cfg, "one"))
		s := start(t, cfg)
		h := dialling(t, n, HostConfig{}, s)
		tell(t, s, "198.51.100.1:7000", "198.51.100.2:80")

		time.Sleep(9 * time.Second)
		require.Zero(t, n.all(), "it comes by itself if it can")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, s.Peers(), 1)
		require.True(t, s.Peers()[0].Dialled)
		require.Equal(t, "198.51.100.1:7000", s.Peers()[0].Addr.String())
		require.Equal(t, 1, h.Connections())

		tell(t, s, "198.51.100.1:7000")
		time.Sleep(time.Hour)
		require.LessOrEqual(t, n.times("198.51.100.1:7000"), 30, "it is silent, so it is dropped, and dialled again")
		require.Zero(t, n.times("198.51.100.2:80"), "never to ports below 1024")
	})
}

func TestDialsThatComeToNothing(t *testing.T) {
	cfg, _ := torrent(1<<20, 1<<18)
	cfg.PeerID = peerwire.PeerID{}
	other := answerOf(cfg, "other")
	other.InfoHash = [20]byte{9}
	ours := answerOf(cfg, "")
	ours.PeerID = ourID
	tests := []struct {
		name   string
		answer func(n *town)
		dials  int // within 20 minutes: at 10 s, then after 1, 2, 4, 8 minutes, each with up to a fifth more
	}{
		{"nobody there", func(*town) {}, 5},
		{"another torrent", func(n *town) { n.settle("198.51.100.1:7000", other) }, 5},
		{"ourselves", func(n *town) { n.settle("198.51.100.1:7000", ours) }, 1},
		{"another protocol", func(n *town) {
			n.answers[netip.MustParseAddrPort("198.51.100.1:7000")] = func(c net.Conn) {
				go func() { _, _ = peerwire.ReadHandshake(c) }()
				_, _ = c.Write([]byte("220 mail.example.org ESMTP and so on\r\n"))
			}
		}, 5},
		{"silence", func(n *town) {
			n.answers[netip.MustParseAddrPort("198.51.100.1:7000")] = func(c net.Conn) { _, _ = peerwire.ReadHandshake(c) }
		}, 5},
		{"hangs up", func(n *town) {
			n.answers[netip.MustParseAddrPort("198.51.100.1:7000")] = func(c net.Conn) { c.Close() }
		}, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				n := newTown()
				tt.answer(n)
				s := start(t, cfg)
				h := dialling(t, n, HostConfig{}, s)
				tell(t, s, "198.51.100.1:7000")
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				require.Equal(t, tt.dials, n.all())
				require.Empty(t, s.Peers())
				require.Zero(t, h.Connections(), "all are counted off")
				tell(t, s, "198.51.100.1:7000")
				time.Sleep(time.Minute)
				if tt.dials == 1 {
					require.Equal(t, 1, n.all(), "we know ourselves")
				}
			})
		})
	}
}

func TestDialsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newTown()
		var swarms []*Swarm
		for i := range 20 {
			cfg, _ := torrent(1<<20, 1<<18)
			cfg.InfoHash[19], cfg.DialPatience = byte(i), -1
			swarms = append(swarms, start(t, cfg))
		}
		dialling(t, n, HostConfig{DialRate: 10, MaxDials: 30}, swarms...)
		begin := time.Now()
		for i, s := range swarms {
			var addrs []string
			for j := range 100 {
				addrs = append(addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, byte(18 + j%2), byte(i), byte(j)}), 7000).String())
			}
			tell(t, s, addrs...)
		}
		time.Sleep(time.Minute)
		n.mu.Lock()
		defer n.mu.Unlock()
		require.LessOrEqual(t, n.most, 30)
		require.Greater(t, len(n.dialled), 150, "30 at a time, 10 s each")
		for i, d := range n.dialled {
			atMost := 3 + 10*d.at.Sub(begin).Seconds()
			require.LessOrEqual(t, float64(i), atMost)
		}
		perTorrent := map[byte]int{}
		for _, d := range n.dialled {
			perTorrent[d.addr.Addr().As4()[2]]++
		}
		for i := range 20 {
			require.InDelta(t, len(n.dialled)/20, perTorrent[byte(i)], 2, "each torrent has its turn")
		}
	})
}

// TestOneAddressIsNotFlooded has all torrents know one victim by many ports, and none of them can be reached.
func TestOneAddressIsNotFlooded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		n := newTown()
		var swarms []*Swarm
		for i := range 20 {
			cfg, _ := torrent(1<<20, 1<<18)
			cfg.InfoHash[19], cfg.DialPatience = byte(i), -1
			swarms = append(swarms, start(t, cfg))
		}
		dialling(t, n, HostConfig{}, swarms...)
		for _, s := range swarms {
			var addrs []string
			for j := range 50 {
				addrs = append(addrs, netip.AddrPortFrom(netip.MustParseAddr("198.51.100.9"), uint16(5000+j)).String())
			}
			tell(t, s, addrs...)
		}
		time.Sleep(time.Hour)
		require.LessOrEqual(t, n.all(), 100, "1,000 endpoints at one address")
	})
}

func TestWhoIsConnectedIsNotDialled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		cfg.DialPatience = -1
		n := newTown()
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		rc := modern
		rc.addr = "198.51.100.1:41000"
		r := connect(t, s, rc)
		tell(t, s, "198.51.100.1:7000")
		require.Zero(t, n.all(), "who it is will be seen")
		r.shakeHands()
		r.sendPort(7000)
		tell(t, s, "198.51.100.1:7000", "198.51.100.1:7001")
		time.Sleep(time.Second)
		require.Zero(t, n.times("198.51.100.1:7000"))
		require.Equal(t, 1, n.times("198.51.100.1:7001"), "another one behind that address")
	})
}

func TestWhoIsDialled(t *testing.T) {
	tests := []struct {
		name  string
		set   func(cfg *Config)
		dials []string
	}{
		{"plain", func(*Config) {}, []string{"198.51.100.1:7000"}},
		{"masquerade", func(cfg *Config) { cfg.Superseed = &Superseed{} }, []string{"198.51.100.1:7000", "203.0.113.1:7000"}},
		{"private", func(cfg *Config) { cfg.Info.Private = true }, nil},
		{"nobody", func(cfg *Config) { cfg.DialPeers = -1 }, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				cfg, _ := torrent(1<<20, 1<<18)
				tt.set(&cfg)
				n := newTown()
				s := start(t, cfg)
				dialling(t, n, HostConfig{}, s)
				require.True(t, s.AddCandidates(candidates.PEX, netip.MustParseAddr("192.0.2.1"),
					candidates.Peer{Addr: netip.MustParseAddrPort("198.51.100.1:7000")},
					candidates.Peer{Addr: netip.MustParseAddrPort("203.0.113.1:7000"), Seed: true}))
				time.Sleep(15 * time.Second)
				require.Equal(t, len(tt.dials), n.all())
				for _, a := range tt.dials {
					require.Equal(t, 1, n.times(a), a)
				}
			})
		})
	}
}

func TestPausedSwarmsDoNotDial(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		n := newTown()
		s := start(t, cfg)
		dialling(t, n, HostConfig{}, s)
		s.Pause()
		tell(t, s, "198.51.100.1:7000")
		time.Sleep(time.Minute)
		require.Zero(t, n.all())
		s.Resume()
		time.Sleep(time.Second)
		require.Equal(t, 1, n.all())
	})
}

func TestCandidatesOfASwarmThatEnded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		cfg, _ := torrent(1<<20, 1<<18)
		s, stop := startUntil(t, cfg)
		n := newTown()
		h := dialling(t, n, HostConfig{}, s)
		tell(t, s, "198.51.100.1:7000")
		time.Sleep(11 * time.Second)
		require.Equal(t, 1, n.all(), "one is under way")
		h.Remove(s)
		stop()
		require.False(t, s.AddCandidates(candidates.User, netip.Addr{}))
		time.Sleep(time.Minute)
		require.Zero(t, h.Connections())
	})
}
