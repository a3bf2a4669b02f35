package peerstore

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// crowd puts n seeds at 192.0.2.0:1 and on into s.
func crowd(t *testing.T, s *Store, n int) []netip.AddrPort {
	var all []netip.AddrPort
	for i := range n {
		c := newClient(t, s, fmt.Sprintf("192.0.%d.%d:1", 2+i/256, i%256), uint32(i+1))
		c.req.Left = 0
		_, err := s.Announce(start, &c.req, &c.res)
		require.NoError(t, err)
		all = append(all, c.req.Addr)
	}
	return all
}

func TestPreferences(t *testing.T) {
	s := New(Config{Seed: [32]byte{3}})
	all := crowd(t, s, 60)
	require.True(t, s.Prefer([20]byte{}, all[10], tracker.Audited))
	require.True(t, s.Prefer([20]byte{}, all[11], tracker.Audited))
	require.True(t, s.Prefer([20]byte{}, all[20], tracker.Liar))
	require.True(t, s.Prefer([20]byte{}, all[30], tracker.Own))
	require.False(t, s.Prefer([20]byte{1}, all[30], tracker.Own), "of a swarm that is not known")
	require.False(t, s.Prefer([20]byte{}, netip.MustParseAddrPort("192.0.2.1:2"), tracker.Own), "nobody is there")
	require.False(t, s.Prefer([20]byte{}, netip.AddrPort{}, tracker.Own))
	require.Equal(t, 60, scrape(t, s).Complete, "all count")

	leech := newClient(t, s, "198.51.100.1:1", 999)
	leech.req.NumWant = 5
	firsts := map[string]int{}
	for range 200 {
		told := leech.announce(tracker.EventNone, 1)
		require.Len(t, told, 5)
		require.ElementsMatch(t, []string{all[10].String(), all[11].String()}, told[:2])
		require.NotContains(t, told, all[20].String())
		require.NotContains(t, told, all[30].String())
		firsts[told[0]]++
	}
	require.InDelta(t, 100, firsts[all[10].String()], 40, "the audited are told in random order")
	leech.req.NumWant = 1000
	told := leech.announce(tracker.EventNone, 1)
	require.Len(t, told, 59)
	require.Equal(t, all[30].String(), told[58])

	require.True(t, s.Prefer([20]byte{}, all[20], tracker.Neutral))
	require.Len(t, leech.announce(tracker.EventNone, 1), 60)
	done := newClient(t, s, "198.51.100.2:1", 998)
	require.Equal(t, []string{"198.51.100.1:1"}, done.announce(tracker.EventCompleted, 0), "a seed is told of no seed")
}

// Marks do not change how likely the others are.
func TestSampleBesideMarksIsUniform(t *testing.T) {
	const peers, want, rounds = 40, 10, 20_000
	s := New(Config{Seed: [32]byte{4}})
	all := crowd(t, s, peers)
	for i, p := range []tracker.Preference{tracker.Audited, tracker.Liar, tracker.Own, tracker.Audited} {
		require.True(t, s.Prefer([20]byte{}, all[i*9], p))
	}
	leech := newClient(t, s, "198.51.100.1:1", 999)
	leech.req.NumWant = want
	counts := map[string]int{}
	for range rounds {
		leech.res.Reset()
		_, err := s.Announce(start, &leech.req, &leech.res)
		require.NoError(t, err)
		for addr := range leech.res.Peers() {
			counts[addr.String()]++
		}
	}
	expect := float64(rounds) * (want - 2) / (peers - 4)
	for i, addr := range all {
		if i%9 != 0 || i > 27 {
			require.InDelta(t, expect, counts[addr.String()], expect/10, addr)
		}
	}
}

func TestMarksAreBounded(t *testing.T) {
	s := New(Config{})
	all := crowd(t, s, maxMarks+1)
	for _, addr := range all[:maxMarks] {
		require.True(t, s.Prefer([20]byte{}, addr, tracker.Audited))
	}
	require.False(t, s.Prefer([20]byte{}, all[maxMarks], tracker.Audited))
	require.True(t, s.Prefer([20]byte{}, all[maxMarks-1], tracker.Liar), "who is marked can be marked anew")
	s.Expire(start.Add(defaultTTL * 2))
	require.Empty(t, s.shards[0].swarms)
}

func TestFullStoreAnswersWithoutRecording(t *testing.T) {
	s := New(Config{MaxTotal: 2})
	a, b := newClient(t, s, "192.0.2.1:1", 1), newClient(t, s, "192.0.2.2:2", 2)
	a.announce(tracker.EventStarted, 9)
	b.req.InfoHash[19] = 1
	b.announce(tracker.EventStarted, 9)
	c := newClient(t, s, "192.0.2.3:3", 3)
	require.Equal(t, []string{"192.0.2.1:1"}, c.announce(tracker.EventStarted, 9))
	require.Equal(t, 1, scrape(t, s).Incomplete)
	b.announce(tracker.EventStopped, 9)
	c.announce(tracker.EventStarted, 9)
	require.Equal(t, 2, scrape(t, s).Incomplete)
	checkInvariants(t, s)
	require.True(t, s.Forget([20]byte{}))
	checkInvariants(t, s)
}
