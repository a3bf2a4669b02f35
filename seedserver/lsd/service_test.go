package lsd

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// A lan carries datagrams between the services on it, and back to who sent them.
type lan struct {
	mu      sync.Mutex
	members []*member
	sent    []datagram
}

type datagram struct {
	at      time.Time
	from    netip.AddrPort
	payload []byte
}

type member struct {
	lan   *lan
	addr  netip.AddrPort
	inbox chan datagram
	done  chan struct{}
}

func (l *lan) join(addr string) *member {
	m := &member{lan: l, addr: netip.MustParseAddrPort(addr), inbox: make(chan datagram, 1000), done: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.members = append(l.members, m)
	return m
}

func (m *member) read(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-m.inbox:
		return copy(b, d.payload), d.from, nil
	case <-m.done:
		return 0, netip.AddrPort{}, errors.New("closed")
	}
}

func (m *member) send(b []byte) error {
	m.lan.mu.Lock()
	defer m.lan.mu.Unlock()
	d := datagram{time.Now(), m.addr, slices.Clone(b)}
	m.lan.sent = append(m.lan.sent, d)
	for _, other := range m.lan.members {
		other.inbox <- d
	}
	return nil
}

func (m *member) name() string { return group4.String() }
func (m *member) close()       { close(m.done) }

// heardLog is what a service heard.
type heardLog struct {
	mu   sync.Mutex
	list map[netip.AddrPort]map[[20]byte]int
}

func (h *heardLog) heard(infohash [20]byte, peer netip.AddrPort) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.list == nil {
		h.list = map[netip.AddrPort]map[[20]byte]int{}
	}
	if h.list[peer] == nil {
		h.list[peer] = map[[20]byte]int{}
	}
	h.list[peer][infohash]++
}

// of returns a copy of what was heard of each peer.
func (h *heardLog) of() map[netip.AddrPort]map[[20]byte]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := map[netip.AddrPort]map[[20]byte]int{}
	for peer, list := range h.list {
		all[peer] = maps.Clone(list)
	}
	return all
}

// all returns what was sent.
func (l *lan) all() []datagram {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.sent)
}

func run(t *testing.T, l *lan, addr string, port uint16, torrents ...[20]byte) *heardLog {
	log := &heardLog{}
	s := New(Config{
		Port: port, Torrents: func() [][20]byte { return slices.Clone(torrents) }, Heard: log.heard,
		open: func() []group { return []group{l.join(addr)} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	})
	synctest.Wait()
	return log
}

func TestServicesHearEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lan{}
		one := run(t, l, "192.168.1.1:6771", 7001, hash10)
		two := run(t, l, "192.168.1.2:6771", 7002, hash10, hashAA)
		time.Sleep(24*time.Minute + time.Second)
		require.Equal(t, map[netip.AddrPort]map[[20]byte]int{
			netip.MustParseAddrPort("192.168.1.2:7002"): {hash10: 5, hashAA: 5},
		}, one.of(), "every five minutes, and never oneself")
		require.Contains(t, two.of(), netip.MustParseAddrPort("192.168.1.1:7001"))
	})
}

// TestManyTorrents: each has its turn, and a datagram goes out once a minute.
func TestManyTorrents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lan{}
		torrents := make([][20]byte, 1000)
		for i := range torrents {
			torrents[i] = [20]byte{byte(i >> 8), byte(i)}
		}
		run(t, l, "192.168.1.1:6771", 7001, torrents...)
		listener := run(t, l, "192.168.1.2:6771", 7002)
		time.Sleep(42 * time.Minute)
		synctest.Wait()
		sent := l.all()
		for i := 1; i < len(sent); i++ {
			require.GreaterOrEqual(t, sent[i].at.Sub(sent[i-1].at), time.Minute)
			require.LessOrEqual(t, len(sent[i].payload), MaxSize)
		}
		heard := listener.of()[netip.MustParseAddrPort("192.168.1.1:7001")]
		require.GreaterOrEqual(t, len(heard), 1000-MaxInfoHashes, "the listener came after the first")
	})
}

func TestFloodsAreNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lan{}
		log := run(t, l, "192.168.1.1:6771", 7001)
		flooder, honest := l.join("192.168.1.66:6771"), l.join("192.168.1.2:6771")
		for i := range 500 {
			require.NoError(t, flooder.send(Announce{Port: uint16(8000 + i), InfoHashes: [][20]byte{hash10}}.AppendTo(nil)))
		}
		require.NoError(t, honest.send(Announce{Port: 7002, InfoHashes: [][20]byte{hash10}}.AppendTo(nil)))
		require.NoError(t, honest.send([]byte("nonsense")))
		synctest.Wait()
		require.Len(t, log.of(), perSource+1)
		require.Contains(t, log.of(), netip.MustParseAddrPort("192.168.1.2:7002"))
	})
}

func TestMeterIsBounded(t *testing.T) {
	var m meter
	now, read := time.Unix(0, 0), 0
	for i := range 100_000 {
		if m.allows(now, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})) {
			read++
		}
	}
	require.Equal(t, maxSources, read)
	require.Len(t, m.by, maxSources)
	require.True(t, m.allows(now.Add(countWindow), netip.MustParseAddr("10.0.0.1")))
}
