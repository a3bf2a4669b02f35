package peerstore

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

func TestEach(t *testing.T) {
	s, now := New(Config{}), time.Unix(1e9, 0)
	want := map[[20]byte]tracker.ScrapeStats{}
	for i := range byte(5) {
		infohash := [20]byte{i, 19: i * 50}
		req := tracker.AnnounceRequest{InfoHash: infohash, Addr: netip.MustParseAddrPort("192.0.2.1:6881")}
		_, err := s.Announce(now, &req, new(tracker.AnnounceResponse))
		require.NoError(t, err)
		want[infohash] = tracker.ScrapeStats{Complete: 1}
	}
	got := map[[20]byte]tracker.ScrapeStats{}
	s.Each(func(infohash [20]byte, stats tracker.ScrapeStats) bool {
		s.Forget(infohash) // no lock is held
		got[infohash] = stats
		return true
	})
	require.Equal(t, want, got)
	s.Each(func([20]byte, tracker.ScrapeStats) bool { t.Error("all are forgotten"); return true })
}

func TestAddresses(t *testing.T) {
	for _, n := range []int{0, 1, 7, 1000, 65_536, 65_537, 200_000} {
		s, now := New(Config{MaxPeers: -1, Seed: [32]byte{1}}), time.Unix(1e9, 0)
		for i := range n {
			var ip netip.Addr
			if i%4 == 0 {
				b := [16]byte{0x20, 1}
				binary.BigEndian.PutUint64(b[8:], uint64(i))
				ip = netip.AddrFrom16(b)
			} else {
				ip = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			}
			for _, port := range []uint16{6881, 6882} {
				req := tracker.AnnounceRequest{InfoHash: [20]byte{byte(i)}, Addr: netip.AddrPortFrom(ip, port)}
				_, err := s.Announce(now, &req, new(tracker.AnnounceResponse))
				require.NoError(t, err)
			}
		}
		addresses, peers := s.Addresses(nil)
		require.Equal(t, 2*n, peers)
		if n <= 65_536 {
			require.Equal(t, n, addresses)
			continue
		}
		require.InEpsilon(t, n, addresses, 0.02)
		addresses, peers = s.Addresses(map[[20]byte]bool{{7}: true})
		require.Less(t, peers, 2*n)
		require.InEpsilon(t, peers/2, addresses, 0.02)
	}
}

// A client that nobody can connect to is told of others, and nobody of it.
func TestUnlisted(t *testing.T) {
	s, now := New(Config{}), time.Unix(1e9, 0)
	announce := func(ip string, unlisted bool) (res tracker.AnnounceResponse, standing tracker.Standing) {
		standing, err := s.Announce(now, &tracker.AnnounceRequest{
			Addr: netip.MustParseAddrPort(ip), Left: 9, NumWant: 50, Unlisted: unlisted}, &res)
		require.NoError(t, err)
		return res, standing
	}
	announce("192.0.2.1:1", false)
	res, standing := announce("192.0.2.2:2", true)
	require.Len(t, res.Peers4, 6)
	require.True(t, standing.WantsSeeds())
	res, _ = announce("192.0.2.1:1", false)
	require.Empty(t, res.Peers4)
	require.Equal(t, 1, res.Incomplete)
}
