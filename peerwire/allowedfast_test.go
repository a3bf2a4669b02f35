package peerwire_test

import (
	"net/netip"
	"testing"

	"github.com/seedserver/bittorrent/peerwire"
	"github.com/stretchr/testify/require"
)

func TestAllowedFastVectors(t *testing.T) {
	var v struct {
		Vectors []struct {
			K        int
			Pieces   uint32
			InfoHash string `json:"info_hash"`
			IP       netip.Addr
			Set      []uint32 `json:"set_in_order"`
		}
	}
	load(t, "allowed_fast.json", &v)
	require.Len(t, v.Vectors, 8)
	for _, row := range v.Vectors {
		infohash := [20]byte(fromHex(t, row.InfoHash))
		require.Equal(t, row.Set, peerwire.AllowedFastSet(infohash, row.IP, row.Pieces, row.K))
		mapped := netip.AddrFrom16(row.IP.As16())
		require.Equal(t, row.Set, peerwire.AllowedFastSet(infohash, mapped, row.Pieces, row.K), "mapped into IPv6")
	}
}

func TestAllowedFastSet(t *testing.T) {
	infohash := [20]byte{1, 2, 3}
	set := func(ip string, n uint32, k int) []uint32 {
		return peerwire.AllowedFastSet(infohash, netip.MustParseAddr(ip), n, k)
	}
	// "If two peers offer k pieces fast it will be the same k, and if one offers k+1 it will be the same k plus one more."
	require.Equal(t, set("192.0.2.7", 1000, 10), set("192.0.2.7", 1000, 11)[:10])
	// "a user that obtains more than one IP address on the same network" gets one set.
	require.Equal(t, set("192.0.2.7", 1000, 10), set("192.0.2.250", 1000, 10))
	require.NotEqual(t, set("192.0.2.7", 1000, 10), set("192.0.3.7", 1000, 10))
	require.Equal(t, set("2001:db8::1", 1000, 10), set("2001:db8::2:3%eth0", 1000, 10))
	require.NotEqual(t, set("2001:db8::1", 1000, 10), set("2001:db8:0:1::1", 1000, 10))

	require.Len(t, set("192.0.2.7", 7, 10), 7, "no more than there are")
	require.Empty(t, set("192.0.2.7", 0, 10))
	require.Empty(t, set("192.0.2.7", 10, 0))
	require.Empty(t, set("192.0.2.7", 10, -1))
	require.Empty(t, peerwire.AllowedFastSet(infohash, netip.Addr{}, 10, 10))
}
