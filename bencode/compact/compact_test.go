package compact_test

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/bencode/compact"
)

type vector struct {
	ID   string `json:"id_ascii"`
	Addr string
	Hex  string
}

func (v vector) bytes(t testing.TB) []byte {
	b, err := hex.DecodeString(v.Hex)
	require.NoError(t, err)
	return b
}

type vectors struct {
	V4, V6, Nodes, Nodes6, Bad []vector
}

func loadVectors(t testing.TB) vectors {
	b, err := os.ReadFile("testdata/compact.json")
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(b, &v))
	for _, rows := range [][]vector{v.V4, v.V6, v.Nodes, v.Nodes6, v.Bad} {
		require.NotEmpty(t, rows)
	}
	return v
}

// unmapped is the address a vector means; "[::ffff:192.0.2.1]:80" comes out as
// the IPv4 address it maps.
func unmapped(s string) netip.AddrPort {
	a := netip.MustParseAddrPort(s)
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// BEP 23: "each peer is represented using only 6 bytes. The first 4 bytes
// contain the 32-bit ipv4 address. The remaining two bytes contain the port
// number. Both address and port use network-byte order."
// BEP 7: "This key has the same layout as peers in compact mode, but instead of
// using 6 bytes per endpoint, 18 bytes are used."
func TestPeerVectors(t *testing.T) {
	v := loadVectors(t)
	for _, family := range []struct {
		rows  []vector
		parse func([]byte) ([]netip.AddrPort, error)
	}{{v.V4, compact.Peers4}, {v.V6, compact.Peers6}} {
		var all []byte
		var want []netip.AddrPort
		for _, row := range family.rows {
			b, addr := row.bytes(t), unmapped(row.Addr)
			all, want = append(all, b...), append(want, addr)

			one, err := compact.ParsePeer(b)
			require.NoError(t, err)
			require.Equal(t, addr, one)
			if addr == netip.MustParseAddrPort(row.Addr) {
				require.Equal(t, b, compact.AppendPeer(nil, addr))
			}
		}
		got, err := family.parse(all)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// BEP 5: "Contact information for nodes is encoded as a 26-byte string. [...]
// the 20-byte Node ID in network byte order has the compact IP-address/port info
// concatenated to the end."
// BEP 32: "The "nodes6" parameter is analogous to the "nodes" parameter".
func TestNodeVectors(t *testing.T) {
	v := loadVectors(t)
	for _, family := range []struct {
		rows  []vector
		parse func([]byte) ([]compact.Node, error)
	}{{v.Nodes, compact.Nodes4}, {v.Nodes6, compact.Nodes6}} {
		for _, row := range family.rows {
			b := row.bytes(t)
			want := compact.Node{ID: [20]byte([]byte(row.ID)), Addr: netip.MustParseAddrPort(row.Addr)}
			got, err := family.parse(append(b, b...))
			require.NoError(t, err)
			require.Equal(t, []compact.Node{want, want}, got)
			require.Equal(t, b, compact.AppendNode(nil, want))
		}
	}
}

// BEP 32: "Implementations of this specification must be able to properly parse
// hybrid "values" lists -- lists containing an arbitrary mixture of 6-octet IPv4
// values and 18-octet IPv6 values."
func TestParsePeerTellsFamiliesByLength(t *testing.T) {
	for _, want := range []string{"192.0.2.1:6881", "[2001:db8::1]:6881"} {
		addr := netip.MustParseAddrPort(want)
		got, err := compact.ParsePeer(compact.AppendPeer(nil, addr))
		require.NoError(t, err)
		require.Equal(t, addr, got)
	}
}

func TestBadVectors(t *testing.T) {
	v := loadVectors(t)
	require.Len(t, v.Bad, 2)
	got, err := compact.Peers4(v.Bad[0].bytes(t))
	require.ErrorIs(t, err, compact.ErrLength, "not a multiple of 6")
	require.Nil(t, got)
	got, err = compact.Peers4(v.Bad[1].bytes(t))
	require.NoError(t, err, "port 0")
	require.Empty(t, got)
}

func TestPort0IsLeftOutOfLists(t *testing.T) {
	b := compact.AppendPeer(nil, netip.MustParseAddrPort("192.0.2.1:0"))
	b = compact.AppendPeer(b, netip.MustParseAddrPort("192.0.2.2:1"))
	got, err := compact.Peers4(b)
	require.NoError(t, err)
	require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("192.0.2.2:1")}, got)

	n := compact.AppendNode(nil, compact.Node{Addr: netip.MustParseAddrPort("[2001:db8::1]:0")})
	nodes, err := compact.Nodes6(n)
	require.NoError(t, err)
	require.Empty(t, nodes)

	one, err := compact.ParsePeer(b[:6])
	require.NoError(t, err)
	require.Equal(t, netip.MustParseAddrPort("192.0.2.1:0"), one)
}

func TestLengths(t *testing.T) {
	peers := func(f func([]byte) ([]netip.AddrPort, error)) func([]byte) error {
		return func(b []byte) error { _, err := f(b); return err }
	}
	nodes := func(f func([]byte) ([]compact.Node, error)) func([]byte) error {
		return func(b []byte) error { _, err := f(b); return err }
	}
	for _, tt := range []struct {
		name  string
		size  int
		parse func([]byte) error
	}{
		{"Peers4", compact.Peer4Size, peers(compact.Peers4)},
		{"Peers6", compact.Peer6Size, peers(compact.Peers6)},
		{"Nodes4", compact.Node4Size, nodes(compact.Nodes4)},
		{"Nodes6", compact.Node6Size, nodes(compact.Nodes6)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.parse(nil))
			for n := 1; n < 4*tt.size; n++ {
				err := tt.parse(make([]byte, n))
				if n%tt.size == 0 {
					require.NoError(t, err)
					continue
				}
				var le *compact.LengthError
				require.ErrorAs(t, err, &le)
				require.Equal(t, compact.LengthError{Length: n, Size: tt.size}, *le)
			}
		})
	}
	for n := range 40 {
		_, err := compact.ParsePeer(make([]byte, n))
		if n == 6 || n == 18 {
			require.NoError(t, err)
			continue
		}
		require.ErrorIs(t, err, compact.ErrLength)
	}
}

func TestErrorText(t *testing.T) {
	_, err := compact.Nodes4(make([]byte, 27))
	require.EqualError(t, err, "compact: 27 bytes are not a multiple of 26")
	_, err = compact.ParsePeer(nil)
	require.EqualError(t, err, "compact: a peer of 0 bytes, not 6 or 18")
}

func TestAppendOddAddresses(t *testing.T) {
	keep := []byte("kept")
	require.Equal(t, keep, compact.AppendPeer(keep, netip.AddrPort{}))
	require.Equal(t, keep, compact.AppendNode(keep, compact.Node{}))
	require.Equal(t, "\xc0\x00\x02\x01\x00\x50", string(compact.AppendPeer(nil, netip.MustParseAddrPort("[::ffff:192.0.2.1]:80"))))
	require.Len(t, compact.AppendPeer(nil, netip.MustParseAddrPort("[fe80::1%eth0]:80")), compact.Peer6Size)
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "address bytes")
		ip, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "address"))
		n := compact.Node{
			ID:   [20]byte(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "id")),
			Addr: netip.AddrPortFrom(ip.Unmap(), rapid.Uint16Min(1).Draw(t, "port")),
		}
		parse := compact.Nodes6
		if n.Addr.Addr().Is4() {
			parse = compact.Nodes4
		}
		got, err := parse(compact.AppendNode(nil, n))
		require.NoError(t, err)
		require.Equal(t, []compact.Node{n}, got)
	})
}

func TestAppendDoesNotAllocate(t *testing.T) {
	dst := make([]byte, 0, compact.Node6Size)
	n := compact.Node{Addr: netip.MustParseAddrPort("[2001:db8::1]:6881")}
	require.Zero(t, testing.AllocsPerRun(100, func() { dst = compact.AppendNode(dst[:0], n) }))
}
