package udptracker

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
)

var (
	start = time.Unix(1_700_000_000, 0)
	alice = netip.MustParseAddrPort("192.0.2.1:1000")
	sixer = netip.MustParseAddrPort("[2001:db8::1]:1000")
)

// newTestResponder returns a responder over an empty store.
func newTestResponder(cfg Config) *responder {
	if cfg.Store == nil {
		cfg.Store = peerstore.New(peerstore.Config{Seed: [32]byte{1}})
	}
	return newResponder(New(cfg))
}

// announce sends an announce with a good connection id.
func (r *responder) ask(from netip.AddrPort, req *tracker.AnnounceRequest, path string) []byte {
	id := r.connections.id(start, from.Addr())
	return r.respond(start, from, AppendAnnounceRequest(nil, id, 5, req, path), nil)
}

// leech is the announce of a peer that lacks something.
func leech(port uint16, numWant int) *tracker.AnnounceRequest {
	req := testRequest(tracker.EventNone, numWant)
	req.Left, req.Addr, req.Key = 1, netip.AddrPortFrom(netip.Addr{}, port), uint32(port)
	return req
}

// BEP 15: "Trackers should accept connection IDs until two minutes after they
// have been sent."
func TestConnectionIDs(t *testing.T) {
	c := newConnections([16]byte{1})
	id := c.id(start, alice.Addr())
	for after, good := range map[time.Duration]bool{
		0: true, 2 * time.Minute: true, 5 * time.Minute: true, 6*time.Minute + time.Second: false, 256 * time.Minute: false,
		-2 * time.Minute: false,
	} {
		require.Equal(t, good, c.verify(start.Add(after), alice.Addr(), id), "after %v", after)
	}
	require.False(t, c.verify(start, sixer.Addr(), id), "of another address")
	for bit := range 64 {
		require.False(t, c.verify(start, alice.Addr(), id^1<<bit), "bit %d changed", bit)
	}
	other := newConnections([16]byte{2})
	require.False(t, other.verify(start, alice.Addr(), id), "under another secret")
	same := newConnections([16]byte{1})
	require.True(t, same.verify(start, alice.Addr(), id), "under the same secret")
}

// Nothing longer than the request leaves before its sender is verified.
func TestStrangersGetNoMoreThanTheySent(t *testing.T) {
	r := newTestResponder(Config{})
	req := AppendAnnounceRequest(nil, 12345, 5, leech(1, 200), "/announce")
	require.Equal(t, AppendErrorResponse(nil, 5, strangerReason), r.respond(start, alice, req, nil))
	scrape := AppendScrapeRequest(nil, 12345, 5, make([][20]byte, 74))
	require.Equal(t, AppendErrorResponse(nil, 5, strangerReason), r.respond(start, alice, scrape, nil))
	require.Empty(t, r.respond(start, alice, scrape[:20], nil), "too short for the reason")
	require.Equal(t, uint64(3), r.stats.Strangers)
	_, known := r.cfg.Store.Scrape(testHash())
	require.False(t, known, "a stranger was recorded")
}

func TestOddSenders(t *testing.T) {
	r := newTestResponder(Config{})
	connect := AppendConnectRequest(nil, 1)
	for _, from := range []string{"192.0.2.1:0", "224.0.0.1:1000", "0.0.0.0:1000", "[ff02::1]:1000"} {
		require.Empty(t, r.respond(start, netip.MustParseAddrPort(from), connect, nil), from)
	}
	require.Empty(t, r.respond(start, netip.AddrPort{}, connect, nil))
	require.Equal(t, uint64(5), r.stats.Bad)
}

// However many are asked for, an answer fits into one packet.
func TestHugeNumWant(t *testing.T) {
	for _, from := range []netip.AddrPort{alice, sixer} {
		r := newTestResponder(Config{Policy: tracker.Policy{MaxNumWant: 1 << 30}, Own: func([20]byte, netip.Addr) []netip.AddrPort {
			return []netip.AddrPort{netip.MustParseAddrPort("198.51.100.1:6881"), netip.MustParseAddrPort("[2001:db8::ffff]:6881")}
		}})
		for port := range uint16(500) {
			r.ask(from, leech(port+1, 0), "")
		}
		answer := r.ask(from, leech(600, 1<<31-1), "")
		var res tracker.AnnounceResponse
		require.NoError(t, ParseAnnounceResponse(answer, from.Addr().Is6(), &res))
		peers := slices.Collect(res.Peers())
		if from.Addr().Is6() {
			require.Len(t, peers, 67)
			require.LessOrEqual(t, len(answer), 1232)
			require.Equal(t, "[2001:db8::ffff]:6881", peers[66].String(), "our own comes last")
		} else {
			require.Len(t, peers, 242)
			require.LessOrEqual(t, len(answer), 1472)
			require.Equal(t, "198.51.100.1:6881", peers[241].String(), "our own comes last")
		}
		require.Equal(t, 1, res.Complete)
	}
}

func TestOwnSeedIsNotToldToSeedsAndWhoAskedForNone(t *testing.T) {
	own := netip.MustParseAddrPort("198.51.100.1:6881")
	r := newTestResponder(Config{Own: func([20]byte, netip.Addr) []netip.AddrPort { return []netip.AddrPort{own} }})
	told := func(req *tracker.AnnounceRequest) bool {
		return bytes.Contains(r.ask(alice, req, ""), compact.AppendPeer(nil, own))
	}
	require.True(t, told(leech(1, -1)))
	require.False(t, told(leech(1, 0)))
	stopped, completed := leech(1, -1), testRequest(tracker.EventCompleted, -1)
	stopped.Event = tracker.EventStopped
	require.False(t, told(completed))
	require.False(t, told(stopped))
	unknown := testRequest(tracker.EventNone, -1)
	unknown.Addr, unknown.Key = netip.AddrPortFrom(netip.Addr{}, 3), 3
	require.True(t, told(unknown), "left=0 alone does not prove a seed")
}

func TestRefusals(t *testing.T) {
	reason := func(err error) string {
		r := newTestResponder(Config{Policy: tracker.Policy{Allow: func([20]byte) error { return err }}})
		return ParseErrorResponse(r.ask(alice, leech(1, -1), "")).Error()
	}
	require.Contains(t, reason(tracker.ErrNotRegistered), "not registered")
	require.Contains(t, reason(errors.New("secret")), "internal error")
	require.Len(t, reason(&tracker.FailureError{Reason: strings.Repeat("x", 5000)}), len("tracker: ")+1232-8)

	r := newTestResponder(Config{})
	require.ErrorIs(t, ParseErrorResponse(r.ask(alice, leech(0, -1), "")), tracker.ErrFailure, "port 0")
}

// BEP 41: the path tells the announce key.
func TestKeys(t *testing.T) {
	var keys []string
	r := newTestResponder(Config{Policy: tracker.Policy{AllowKey: func(key string, _ [20]byte) error {
		keys = append(keys, key)
		return nil
	}}})
	for _, path := range []string{"", "/announce", "/announce/secret", "/announce/secret?a=/announce/b", "/x/secret"} {
		r.ask(alice, leech(1, -1), path)
	}
	require.Equal(t, []string{"", "", "secret", "secret", ""}, keys)
}

// The address in a packet is believed of loopback and trusted networks only.
func TestNamedAddress(t *testing.T) {
	r := newTestResponder(Config{Trusted: []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}})
	peers := func(from string) string {
		addr := netip.MustParseAddrPort(from)
		packet := AppendAnnounceRequest(nil, r.connections.id(start, addr.Addr()), 5, leech(1, -1), "")
		copy(packet[84:], []byte{203, 0, 113, 7})
		r.respond(start, addr, packet, nil)
		answer := r.ask(netip.MustParseAddrPort("192.0.2.99:1"), leech(9, -1), "")
		var res tracker.AnnounceResponse
		require.NoError(t, ParseAnnounceResponse(answer, false, &res))
		packet[83] = byte(tracker.EventStopped)
		r.respond(start, addr, packet, nil)
		return slices.Collect(res.Peers())[0].String()
	}
	require.Equal(t, "192.0.2.1:1", peers("192.0.2.1:1000"))
	require.Equal(t, "203.0.113.7:1", peers("127.0.0.1:1000"))
	require.Equal(t, "203.0.113.7:1", peers("198.51.100.3:1000"))
}

func TestAccessLog(t *testing.T) {
	var log []Access
	r := newTestResponder(Config{Log: func(a Access) {
		a.Request, a.InfoHashes = nil, slices.Clone(a.InfoHashes)
		log = append(log, a)
	}})
	r.ask(alice, leech(1, -1), "")
	r.ask(sixer, leech(2, -1), "")
	r.ask(alice, leech(0, -1), "")
	r.respond(start, alice, AppendScrapeRequest(nil, r.connections.id(start, alice.Addr()), 1, [][20]byte{testHash()}), nil)
	r.respond(start, alice, AppendConnectRequest(nil, 1), nil)
	require.Equal(t, []Access{
		{Time: start, From: alice, Bytes: 20},
		{Time: start, From: sixer, Bytes: 20},
		{Time: start, From: alice, Bytes: 56, Failure: "peers cannot be reached at this address and port"},
		{Time: start, From: alice, Scrape: true, InfoHashes: [][20]byte{testHash()}, Bytes: 20},
	}, log)
}

// A flood from one address goes unanswered, others are not affected.
func TestFlood(t *testing.T) {
	r := newTestResponder(Config{PerAddress: 100})
	connect := AppendConnectRequest(nil, 1)
	answered := func(n int, from string) (count int) {
		for range n {
			count += len(r.respond(start, netip.MustParseAddrPort(from), connect, nil)) / 16
		}
		return count
	}
	require.Equal(t, 100, answered(5000, "192.0.2.1:1"))
	require.Equal(t, 0, answered(10, "192.0.2.1:2"), "from another port")
	require.Equal(t, 100, answered(100, "192.0.2.2:1"))
	require.Equal(t, 100, answered(3000, "[2001:db8:1::1]:1"))
	require.Equal(t, 0, answered(10, "[2001:db8:1::2]:1"), "of the same /64")
	require.Equal(t, 10, answered(10, "[2001:db8:1:1::2]:1"))
	require.Equal(t, uint64(4900+10+2900+10), r.stats.Flooded)
	require.Len(t, r.respond(start.Add(time.Second), alice, connect, nil), 16, "a second later")
}

// A flood from addresses that are invented keeps nobody out.
func TestFloodFromManyAddresses(t *testing.T) {
	f := newFlood(defaultPerAddress)
	for i := range 1_000_000 {
		f.over(start, netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	require.False(t, f.over(start, alice.Addr()))
}

func TestRespondDoesNotAllocate(t *testing.T) {
	r := newTestResponder(Config{})
	for port := range uint16(100) {
		r.ask(alice, leech(port+1, 50), "")
	}
	id := r.connections.id(start, alice.Addr())
	packets := [][]byte{
		AppendConnectRequest(nil, 1), AppendAnnounceRequest(nil, id, 2, leech(7, 50), "/announce"),
		AppendAnnounceRequest(nil, id+1, 2, leech(7, 50), ""), AppendScrapeRequest(nil, id, 3, make([][20]byte, 74)), {1, 2, 3},
	}
	dst := make([]byte, 0, maxReply)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for _, packet := range packets {
			r.respond(start, alice, packet, dst)
		}
	}))
}

// FuzzRespond: whatever comes, of whomever, there is no panic, the answer fits
// a packet and the input stays as it is; and a stranger gets no more than it
// sent.
func FuzzRespond(f *testing.F) {
	for _, packet := range vectors(f) {
		f.Add(packet, true, false)
		f.Add(packet, false, true)
	}
	f.Fuzz(func(t *testing.T, packet []byte, known, six bool) {
		r := newTestResponder(Config{Policy: tracker.Policy{MaxNumWant: 1 << 30}})
		from := alice
		if six {
			from = sixer
		}
		packet = slices.Clone(packet[:min(len(packet), maxPacket)])
		if known && len(packet) >= 16 && packet[11] != byte(ActionConnect) {
			copy(packet, AppendScrapeRequest(nil, r.connections.id(start, from.Addr()), 0, nil)[:8])
		}
		before := string(packet)
		answer := r.respond(start, from, packet, nil)
		require.Equal(t, before, string(packet))
		if len(answer) == 0 {
			return
		}
		head, err := ParseResponse(answer)
		require.NoError(t, err)
		request, err := ParseRequest(packet)
		require.NoError(t, err)
		require.Equal(t, request.Transaction, head.Transaction)
		require.LessOrEqual(t, len(answer), maxReply4)
		if six {
			require.LessOrEqual(t, len(answer), maxReply6)
		}
		if !r.connections.verify(start, from.Addr(), request.ConnectionID) {
			require.LessOrEqual(t, len(answer), len(packet))
		}
	})
}

func BenchmarkRespond(b *testing.B) {
	r := newTestResponder(Config{PerAddress: -1})
	var packets [][]byte
	for i := range 100_000 {
		req := leech(uint16(i/1000+1), 50)
		req.InfoHash[18], req.InfoHash[19], req.Left = byte(i%1000>>8), byte(i%1000), int64(i/1000%2)
		packet := AppendAnnounceRequest(nil, r.connections.id(start, alice.Addr()), 5, req, "")
		packets = append(packets, packet)
		r.respond(start, alice, packet, nil)
	}
	dst := make([]byte, 0, maxReply)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i*5 + 12345) % len(packets)
		r.respond(start, alice, packets[i], dst)
	}
}
