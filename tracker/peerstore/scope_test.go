package peerstore

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// TestPeersOutOfReach: nobody is told of addresses that mean nothing where it is.
func TestPeersOutOfReach(t *testing.T) {
	all := []string{
		"198.51.100.1:1", "[2001:db8::1]:1", // everywhere
		"10.0.0.1:1", "172.16.0.1:1", "192.168.0.1:1", "100.64.0.1:1", "[fd00::1]:1", // private
		"169.254.0.1:1", "[fe80::1]:1", // of one link
		"127.0.0.1:1", "[::1]:1", // of one host
	}
	tests := []struct {
		asker string
		told  int // of the first ones of all
	}{
		{"203.0.113.9:2", 2}, {"[2001:db8::9]:2", 2}, {"198.18.0.9:2", 2},
		{"10.9.9.9:2", 7}, {"[fd00::9]:2", 7}, {"100.99.0.1:2", 7},
		{"169.254.0.9:2", 9}, {"[fe80::9]:2", 9},
		{"127.0.0.9:2", 11}, {"[::1]:2", 11},
	}
	for _, tt := range tests {
		t.Run(tt.asker, func(t *testing.T) {
			s := New(Config{Seed: [32]byte{1}})
			now := time.Unix(1_800_000_000, 0)
			var res tracker.AnnounceResponse
			announce := func(addr string, want int) {
				req := tracker.AnnounceRequest{Addr: netip.MustParseAddrPort(addr), Left: 9, NumWant: want}
				res.Reset()
				_, err := s.Announce(now, &req, &res)
				require.NoError(t, err)
			}
			for _, addr := range all {
				announce(addr, 0)
			}
			check := func() {
				announce(tt.asker, 50)
				var got []string
				for addr := range res.Peers() {
					got = append(got, addr.String())
				}
				require.ElementsMatch(t, all[:tt.told], got)
				require.Equal(t, len(all)+1, res.Incomplete, "all count")
			}
			check()
			for _, addr := range all { // whoever is preferred
				require.True(t, s.Prefer([20]byte{}, netip.MustParseAddrPort(addr), tracker.Audited))
			}
			check()
			for _, addr := range all {
				s.Prefer([20]byte{}, netip.MustParseAddrPort(addr), tracker.Own)
			}
			check()
			checkInvariants(t, s)
		})
	}
}

// TestFewWithinReach: an answer is full though most peers of the swarm are out of reach, and whoever is within is as likely to be in it.
func TestFewWithinReach(t *testing.T) {
	s := New(Config{Seed: [32]byte{1}})
	now := time.Unix(1_800_000_000, 0)
	var res tracker.AnnounceResponse
	for i := range 900 {
		addr := fmt.Sprintf("192.168.%d.%d:1", i/250, i%250+1)
		if i%15 == 0 {
			addr = fmt.Sprintf("198.51.100.%d:1", i/15+1)
		}
		_, err := s.Announce(now, &tracker.AnnounceRequest{Addr: netip.MustParseAddrPort(addr), Left: 9}, &res)
		require.NoError(t, err)
	}
	told := map[netip.AddrPort]int{}
	for range 2000 {
		res.Reset()
		_, err := s.Announce(now, &tracker.AnnounceRequest{Addr: netip.MustParseAddrPort("203.0.113.9:2"), Left: 9, NumWant: 30}, &res)
		require.NoError(t, err)
		got := slices.Collect(res.Peers())
		require.Len(t, got, 30)
		for _, addr := range got {
			told[addr]++
		}
	}
	require.Len(t, told, 60)
	for addr, n := range told { // 1000 expected, deviation 22
		require.InDelta(t, 1000, n, 150, "%v", addr)
	}
}
