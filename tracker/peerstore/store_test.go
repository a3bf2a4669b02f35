package peerstore

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

var start = time.Unix(1_700_000_000, 0)

// client is a peer that announces to a store.
type client struct {
	t     *testing.T
	store *Store
	now   time.Time
	req   tracker.AnnounceRequest
	res   tracker.AnnounceResponse
}

// newClient returns a leech at addr. A client with key 0 sends none.
func newClient(t *testing.T, s *Store, addr string, key uint32) *client {
	c := &client{t: t, store: s, now: start}
	c.req = tracker.AnnounceRequest{Addr: netip.MustParseAddrPort(addr), Key: key, Left: 9, NumWant: 50}
	c.req.PeerID[0] = byte(key)
	return c
}

func (c *client) announce(event tracker.Event, left int64) []string {
	c.req.Event, c.req.Left = event, left
	c.res.Reset()
	_, err := c.store.Announce(c.now, &c.req, &c.res)
	require.NoError(c.t, err)
	checkInvariants(c.t, c.store)
	var got []string
	for addr := range c.res.Peers() {
		got = append(got, addr.String())
	}
	return got
}

func scrape(t *testing.T, s *Store) tracker.ScrapeStats {
	stats, ok := s.Scrape([20]byte{})
	require.True(t, ok)
	return stats
}

func TestSeedsAreToldOfLeechesOnly(t *testing.T) {
	s := New(Config{})
	seed := newClient(t, s, "192.0.2.1:1", 1)
	done := newClient(t, s, "192.0.2.2:2", 2)
	leech := newClient(t, s, "192.0.2.3:3", 3)
	require.Empty(t, seed.announce(tracker.EventStarted, 0))
	require.ElementsMatch(t, []string{"192.0.2.1:1"}, done.announce(tracker.EventStarted, 9))
	require.ElementsMatch(t, []string{"192.0.2.1:1", "192.0.2.2:2"}, leech.announce(tracker.EventStarted, 9))
	require.ElementsMatch(t, []string{"192.0.2.3:3"}, done.announce(tracker.EventCompleted, 0))
	require.ElementsMatch(t, []string{"192.0.2.2:2", "192.0.2.3:3"}, seed.announce(tracker.EventNone, 0), "it may lack the metadata")
	require.Equal(t, tracker.ScrapeStats{Complete: 2, Incomplete: 1, Downloaded: 1, Downloaders: 1}, scrape(t, s))
}

func TestStopped(t *testing.T) {
	s := New(Config{})
	a, b := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "192.0.2.2:2", 2)
	a.announce(tracker.EventStopped, 9)
	_, known := s.Scrape(a.req.InfoHash)
	require.False(t, known, "a stop begins no swarm")
	a.announce(tracker.EventStarted, 9)
	b.announce(tracker.EventStarted, 9)
	require.Empty(t, a.announce(tracker.EventStopped, 9), "peers for one who leaves")
	require.Equal(t, 1, a.res.Incomplete)
	a.announce(tracker.EventStopped, 9)
	require.Equal(t, 1, scrape(t, s).Incomplete)

	// A client that has the address of a former one is not stopped by its late word.
	late := newClient(t, s, "192.0.2.2:2", 3)
	late.announce(tracker.EventStopped, 9)
	require.Equal(t, 1, scrape(t, s).Incomplete)
}

// BEP 7: "Together with the peer_id this allows trackers to uniquely identify
// clients for the purpose of statistics-keeping when they announce from
// multiple IP".
func TestOneClientOnTwoFamiliesIsCountedOnce(t *testing.T) {
	s := New(Config{})
	four, six := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "[2001:db8::1]:1", 1)
	four.announce(tracker.EventStarted, 9)
	require.Empty(t, six.announce(tracker.EventStarted, 9), "told of itself")
	require.Empty(t, four.announce(tracker.EventNone, 9), "told of itself")
	require.Equal(t, tracker.ScrapeStats{Incomplete: 1, Downloaders: 1}, scrape(t, s))
	four.announce(tracker.EventCompleted, 0)
	six.announce(tracker.EventCompleted, 0)
	require.Equal(t, tracker.ScrapeStats{Complete: 1, Downloaded: 1}, scrape(t, s))
	require.Equal(t, Stats{Torrents: 1, Peers4: 1, Peers6: 1}, s.Stats())
	four.announce(tracker.EventStopped, 0)
	require.Equal(t, tracker.ScrapeStats{Complete: 1, Downloaded: 1}, scrape(t, s), "it is still there on IPv6")
	six.announce(tracker.EventStopped, 0)
	require.Equal(t, tracker.ScrapeStats{Downloaded: 1}, scrape(t, s))
}

func TestClientChangesItsAddress(t *testing.T) {
	s := New(Config{})
	c, other := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "192.0.2.9:9", 9)
	c.announce(tracker.EventStarted, 9)
	c.req.Addr = netip.MustParseAddrPort("192.0.2.2:1")
	c.announce(tracker.EventNone, 0)
	require.Equal(t, []string{"192.0.2.2:1"}, other.announce(tracker.EventStarted, 9), "the old address is gone")
	require.Empty(t, c.announce(tracker.EventStopped, 0))

	// Without a key its peer id proves nothing.
	c = newClient(t, s, "192.0.2.1:1", 0)
	c.announce(tracker.EventStarted, 9)
	c.req.Addr = netip.MustParseAddrPort("192.0.2.2:1")
	c.announce(tracker.EventNone, 9)
	require.ElementsMatch(t, []string{"192.0.2.1:1", "192.0.2.2:1"}, other.announce(tracker.EventNone, 9))
}

func TestAnotherClientTakesAnAddressOver(t *testing.T) {
	s := New(Config{})
	old, young := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "192.0.2.1:1", 2)
	old.announce(tracker.EventStarted, 9)
	old.announce(tracker.EventCompleted, 0)
	newClient(t, s, "192.0.2.9:9", 9).announce(tracker.EventStarted, 0)
	require.Equal(t, []string{"192.0.2.9:9"}, young.announce(tracker.EventNone, 0), "it has not leeched under this name")
	require.Equal(t, 2, scrape(t, s).Complete)
}

func TestOwnFamilyFirst(t *testing.T) {
	s := New(Config{})
	for i := range 5 {
		newClient(t, s, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String(), uint32(10+i)).announce(tracker.EventStarted, 9)
		newClient(t, s, netip.AddrPortFrom(netip.AddrFrom16([16]byte{0x20, 15: byte(i)}), 1).String(), uint32(20+i)).announce(tracker.EventStarted, 9)
	}
	for _, tt := range []struct {
		addr           string
		want, in4, in6 int
	}{
		{"192.0.2.100:1", 3, 3, 0},
		{"192.0.2.100:1", 7, 5, 2},
		{"192.0.2.100:1", 50, 5, 5},
		{"[2001:db8::100]:1", 3, 0, 3},
		{"[2001:db8::100]:1", 7, 2, 5},
		{"[::ffff:192.0.2.100]:1", 3, 3, 0},
		{"192.0.2.100:1", 0, 0, 0},
		{"192.0.2.100:1", -1, 0, 0},
	} {
		c := newClient(t, s, tt.addr, 1)
		c.req.NumWant = tt.want
		c.announce(tracker.EventStarted, 9)
		require.Len(t, c.res.Peers4, 6*tt.in4, "%+v", tt)
		require.Len(t, c.res.Peers6, 18*tt.in6, "%+v", tt)
		c.announce(tracker.EventStopped, 9)
	}
}

func TestAnswerIsAppended(t *testing.T) {
	s := New(Config{})
	newClient(t, s, "192.0.2.1:258", 1).announce(tracker.EventStarted, 9)
	c := newClient(t, s, "192.0.2.2:2", 2)
	c.res = tracker.AnnounceResponse{Peers4: []byte("before"), Peers6: []byte("too"), Interval: time.Second}
	_, err := s.Announce(start, &c.req, &c.res)
	require.NoError(t, err)
	require.Equal(t, "before\xc0\x00\x02\x01\x01\x02", string(c.res.Peers4))
	require.Equal(t, "too", string(c.res.Peers6))
	require.Equal(t, time.Second, c.res.Interval)
}

func TestPartialSeedsAreNoDownloaders(t *testing.T) {
	s := New(Config{})
	newClient(t, s, "192.0.2.1:1", 1).announce(tracker.EventStarted, 9)
	c := newClient(t, s, "192.0.2.2:2", 2)
	c.announce(tracker.EventPaused, 9)
	require.Equal(t, tracker.ScrapeStats{Incomplete: 2, Downloaders: 1}, scrape(t, s))
	c.announce(tracker.EventNone, 9)
	require.Equal(t, tracker.ScrapeStats{Incomplete: 2, Downloaders: 2}, scrape(t, s))
}

func TestDownloadedIsCountedOnceASession(t *testing.T) {
	s := New(Config{})
	c := newClient(t, s, "192.0.2.1:1", 1)
	c.announce(tracker.EventStarted, 9)
	c.announce(tracker.EventCompleted, 0)
	c.announce(tracker.EventCompleted, 0) // the answer to the first was lost
	require.Equal(t, 1, scrape(t, s).Downloaded)
	c.announce(tracker.EventStarted, 9)
	c.announce(tracker.EventCompleted, 0)
	require.Equal(t, 2, scrape(t, s).Downloaded)
	c.announce(tracker.EventStarted, 9)
	c.announce(tracker.EventStopped, 0)
	c.announce(tracker.EventStopped, 0)
	require.Equal(t, 3, scrape(t, s).Downloaded, "it ended with its download")
	c.announce(tracker.EventStarted, 0)
	c.announce(tracker.EventStopped, 0)
	require.Equal(t, 3, scrape(t, s).Downloaded, "it was a seed")
}

// TestEndWithTheDownloadOnBothFamilies: "stopped" over IPv4 takes out what would tell that the one over IPv6 is of the same download.
func TestEndWithTheDownloadOnBothFamilies(t *testing.T) {
	s := New(Config{})
	c4, c6 := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "[2001:db8::1]:1", 1)
	c4.announce(tracker.EventStarted, 9)
	c6.announce(tracker.EventStarted, 9)
	c4.announce(tracker.EventStopped, 0)
	c6.announce(tracker.EventStopped, 0)
	require.Equal(t, 1, scrape(t, s).Downloaded)
}

func TestRefusedAddresses(t *testing.T) {
	s := New(Config{})
	for _, addr := range []netip.AddrPort{
		{},
		netip.AddrPortFrom(netip.Addr{}, 1),
		netip.MustParseAddrPort("192.0.2.1:0"),
		netip.MustParseAddrPort("0.0.0.0:1"),
		netip.MustParseAddrPort("[::]:1"),
		netip.MustParseAddrPort("224.0.0.1:1"),
		netip.MustParseAddrPort("[ff02::1]:1"),
	} {
		_, err := s.Announce(start, &tracker.AnnounceRequest{Addr: addr}, &tracker.AnnounceResponse{})
		require.ErrorIs(t, err, tracker.ErrFailure, "%v", addr)
	}
	require.Zero(t, s.Stats())
}

func TestFullTorrentAnswersWithoutRecording(t *testing.T) {
	s := New(Config{MaxPeers: 2})
	a, b, c := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "[2001:db8::2]:2", 2), newClient(t, s, "192.0.2.3:3", 3)
	a.announce(tracker.EventStarted, 9)
	b.announce(tracker.EventStarted, 9)
	require.ElementsMatch(t, []string{"192.0.2.1:1", "[2001:db8::2]:2"}, c.announce(tracker.EventStarted, 9))
	c.announce(tracker.EventCompleted, 0)
	require.Equal(t, tracker.ScrapeStats{Incomplete: 2, Downloaders: 2}, scrape(t, s))
	require.Equal(t, []string{"192.0.2.1:1"}, b.announce(tracker.EventNone, 9), "who is in stays in")
	a.req.Addr = netip.MustParseAddrPort("192.0.2.4:4")
	require.Equal(t, []string{"[2001:db8::2]:2"}, a.announce(tracker.EventNone, 9), "also at another address")
	require.Equal(t, 2, scrape(t, s).Incomplete)
}

func TestFullStoreRefusesNewTorrents(t *testing.T) {
	s := New(Config{MaxTorrents: 1})
	c := newClient(t, s, "192.0.2.1:1", 1)
	c.announce(tracker.EventStarted, 9)
	c.req.InfoHash[0] = 1
	_, err := s.Announce(start, &c.req, &c.res)
	var failure *tracker.FailureError
	require.ErrorAs(t, err, &failure)
	require.Positive(t, failure.RetryAfter)
	require.True(t, s.Forget([20]byte{}))
	require.False(t, s.Forget([20]byte{}))
	c.announce(tracker.EventStarted, 9)
}

func TestExpire(t *testing.T) {
	s := New(Config{TTL: time.Hour, Remember: 3 * time.Hour})
	old, young := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "[2001:db8::2]:2", 2)
	old.announce(tracker.EventStarted, 9)
	old.announce(tracker.EventCompleted, 0)
	young.now = start.Add(time.Minute)
	young.announce(tracker.EventStarted, 9)
	require.Zero(t, s.Expire(start.Add(time.Hour)))
	require.Equal(t, 1, s.Expire(start.Add(time.Hour+time.Second)))
	checkInvariants(t, s)
	require.Equal(t, tracker.ScrapeStats{Incomplete: 1, Downloaded: 1, Downloaders: 1}, scrape(t, s))
	require.Equal(t, 1, s.Expire(start.Add(2*time.Hour)))
	require.Equal(t, tracker.ScrapeStats{Downloaded: 1}, scrape(t, s), "remembered without peers")
	s.Expire(start.Add(4 * time.Hour))
	_, known := s.Scrape([20]byte{})
	require.False(t, known)
	require.Zero(t, s.Stats())
	require.Zero(t, s.Expire(start.Add(-time.Hour)), "a clock that went back")
}

func TestTablesShrink(t *testing.T) {
	s := New(Config{TTL: time.Hour, Seed: [32]byte{5}})
	c := newClient(t, s, "10.0.0.0:1", 0)
	for i := range 5000 {
		c.req.Addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 1)
		c.req.Key, c.req.Left = uint32(i+1), int64(i%2)
		c.now = start
		switch {
		case i < 20:
			c.now = start.Add(2 * time.Hour)
		case i%2 == 0:
			c.now = start.Add(time.Hour)
		}
		_, err := s.Announce(c.now, &c.req, &c.res)
		require.NoError(t, err)
	}
	checkInvariants(t, s)
	sw := s.shards[0].swarms[[20]byte{}]
	require.Equal(t, 2490, s.Expire(start.Add(90*time.Minute)))
	checkInvariants(t, s)
	require.Equal(t, 2490, s.Expire(start.Add(150*time.Minute)))
	checkInvariants(t, s)
	require.Len(t, sw.v4.peers, 20)
	require.LessOrEqual(t, cap(sw.v4.peers), shrinkAt)
	require.Nil(t, sw.v4.index.slots)
}

// Every peer is as likely as any other to be in a sample.
func TestSampleIsUniform(t *testing.T) {
	const peers, want, rounds = 40, 10, 20_000
	s := New(Config{Seed: [32]byte{7}})
	c := newClient(t, s, "192.0.2.200:1", 999)
	for i := range peers {
		p := newClient(t, s, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String(), uint32(i+1))
		p.announce(tracker.EventStarted, int64(i%2))
	}
	c.req.NumWant = want
	var seen [peers]float64
	for range rounds {
		c.res.Reset()
		_, err := s.Announce(start, &c.req, &c.res)
		require.NoError(t, err)
		for addr := range c.res.Peers() {
			seen[addr.Addr().As4()[3]]++
		}
	}
	// Each count is binomial: mean 5000, deviation 61.
	mean := float64(rounds*want) / peers
	for i, n := range seen {
		require.InDelta(t, mean, n, 5*math.Sqrt(mean*(1-float64(want)/peers)), "peer %d", i)
	}
}

func TestChooseAllSubsets(t *testing.T) {
	s := New(Config{Seed: [32]byte{7}}).shards[0].sampler
	seen := map[[2]uint32]int{}
	const rounds = 15_000
	for range rounds {
		picks := slices.Sorted(slices.Values(s.choose(6, 2)))
		seen[[2]uint32(picks)]++
	}
	require.Len(t, seen, 15, "pairs of 6")
	for pair, n := range seen {
		require.InDelta(t, rounds/15, n, 160, "%v", pair) // deviation 31
	}
}

func TestSameSeedSameAnswers(t *testing.T) {
	answer := func() []string {
		s := New(Config{Seed: [32]byte{3}})
		for i := range 30 {
			newClient(t, s, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String(), 0).announce(tracker.EventStarted, 9)
		}
		c := newClient(t, s, "192.0.2.200:1", 0)
		c.req.NumWant = 5
		return c.announce(tracker.EventStarted, 9)
	}
	require.Equal(t, answer(), answer())
}

func TestAnnounceDoesNotAllocate(t *testing.T) {
	s := New(Config{})
	for i := range 200 {
		newClient(t, s, netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 1).String(), uint32(i+1)).announce(tracker.EventStarted, int64(i%2))
	}
	c := newClient(t, s, "192.0.2.9:1", 10)
	left := int64(0)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		left = 1 - left // it changes sides each time
		c.req.Left = left
		c.res.Reset()
		s.Announce(start, &c.req, &c.res)
	}))
}
