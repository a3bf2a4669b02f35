package krpc_test

import (
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/dht/krpc"
)

type vectors struct {
	Messages []struct{ Name, Hex string }
	Bad      []struct{ Name, ASCII string }
}

func loadVectors(t testing.TB) vectors {
	b, err := os.ReadFile("testdata/krpc.json")
	require.NoError(t, err)
	var v vectors
	require.NoError(t, json.Unmarshal(b, &v))
	require.NotEmpty(t, v.Messages)
	require.NotEmpty(t, v.Bad)
	return v
}

// later are the vectors of BEP 33, 44 and 51: they must parse, but do not come back as they were.
func later(name string) bool {
	for _, s := range []string{"BEP 44", "BEP 51", "BEP 33"} {
		if strings.Contains(name, s) && !strings.Contains(name, "seed=1") {
			return true
		}
	}
	return false
}

// BEP 5: the examples byte for byte, and those of BEP 32, 42 and 43: what is parsed encodes to the same bytes.
func TestVectors(t *testing.T) {
	for _, v := range loadVectors(t).Messages {
		t.Run(v.Name, func(t *testing.T) {
			packet, err := hex.DecodeString(v.Hex)
			require.NoError(t, err)
			var m krpc.Message
			require.NoError(t, m.Parse(packet))
			if !later(v.Name) {
				require.Equal(t, string(packet), string(m.AppendTo(nil)))
			}
		})
	}
}

func TestBadVectors(t *testing.T) {
	bad := loadVectors(t).Bad
	parse := func(i int) (m krpc.Message, err error) { err = m.Parse([]byte(bad[i].ASCII)); return m, err }

	m, err := parse(0)
	var refused *krpc.Error
	require.ErrorAs(t, err, &refused, bad[0].Name)
	require.Equal(t, krpc.CodeProtocol, refused.Code)
	require.Equal(t, "aa", string(m.T))

	_, err = parse(1)
	require.ErrorIs(t, err, krpc.ErrMalformed, bad[1].Name)

	m, err = parse(2)
	require.NoError(t, err, bad[2].Name)
	require.Equal(t, krpc.Unknown, m.Method)
	require.True(t, m.HasTarget)

	m, err = parse(3)
	require.NoError(t, err, bad[3].Name)
	require.Equal(t, "abcdefghijklmnopqrst", string(m.T))
}

func TestParseRefuses(t *testing.T) {
	const id = "2:id20:abcdefghij0123456789"
	for _, tt := range []struct {
		name, packet string
		code         int // 0: malformed
	}{
		{"empty", "", 0},
		{"not a dict", "l1:ae", 0},
		{"bytes behind", "d1:rd" + id + "e1:t1:a1:y1:rex", 0},
		{"unknown kind", "d1:t1:a1:y1:ze", 0},
		{"no kind", "d1:t1:ae", 0},
		{"response without id", "d1:rde1:t1:a1:y1:re", 0},
		{"response without results", "d1:t1:a1:y1:re", 0},
		{"transaction is a number", "d1:ad" + id + "e1:q4:ping1:ti7e1:y1:qe", 0},
		{"method is a list", "d1:ad" + id + "e1:qle1:t1:a1:y1:qe", 0},
		{"deep", "d1:a" + strings.Repeat("l", 2000) + strings.Repeat("e", 2000) + "1:t1:a1:y1:qe", 0},
		{"large", "d1:a" + strings.Repeat("i1e", 2000) + "1:t1:a1:y1:qe", 0},
		{"transaction too long", "d1:ad" + id + "e1:q4:ping1:t257:" + strings.Repeat("x", 257) + "1:y1:qe", 0},
		{"no arguments", "d1:q4:ping1:t1:a1:y1:qe", 203},
		{"arguments are a list", "d1:ale1:q4:ping1:t1:a1:y1:qe", 203},
		{"no target", "d1:ad" + id + "e1:q9:find_node1:t1:a1:y1:qe", 203},
		{"short infohash", "d1:ad" + id + "9:info_hash3:abce1:q9:get_peers1:t1:a1:y1:qe", 203},
		{"no token", "d1:ad" + id + "9:info_hash20:abcdefghij01234567894:porti7ee1:q13:announce_peer1:t1:a1:y1:qe", 203},
		{"port 0", "d1:ad" + id + "9:info_hash20:abcdefghij01234567894:porti0e5:token1:xe1:q13:announce_peer1:t1:a1:y1:qe", 203},
		{"port 65536", "d1:ad" + id + "9:info_hash20:abcdefghij01234567894:porti65536e5:token1:xe1:q13:announce_peer1:t1:a1:y1:qe", 203},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var m krpc.Message
			err := m.Parse([]byte(tt.packet))
			if tt.code == 0 {
				require.ErrorIs(t, err, krpc.ErrMalformed)
				return
			}
			var refused *krpc.Error
			require.ErrorAs(t, err, &refused)
			require.Equal(t, tt.code, refused.Code)
			require.Equal(t, "a", string(m.T))
		})
	}
}

// Lists of nodes that cannot be right are passed over, keys out of order and unknown ones too.
func TestParseTolerates(t *testing.T) {
	var m krpc.Message
	require.NoError(t, m.Parse([]byte("d1:y1:r1:t1:a1:rd5:nodes3:abc6:nodes60:2:id20:abcdefghij01234567893:newd1:xleeee")))
	require.Nil(t, m.Nodes)
	require.Equal(t, "abcdefghij0123456789", string(m.ID[:]))

	require.NoError(t, m.Parse([]byte("d1:eli202e4:oops1:xe1:t1:a1:y1:ee")))
	require.Equal(t, 202, m.Code)
}

// BEP 5: "values": "a list of strings. Each string containing 'compact' format peer information for a single peer". BEP 32:
// "hybrid 'values' lists".
func TestValues(t *testing.T) {
	want := []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6881"), netip.MustParseAddrPort("[2001:db8::1]:7000")}
	var peers krpc.Peers
	require.Nil(t, peers.Values())
	for _, p := range want {
		peers.Add(p)
		_ = peers.Values() // does not end the list
	}
	m := krpc.Message{Kind: krpc.Response, T: []byte("a"), Values: peers.Values()}
	require.NoError(t, m.Parse(m.AppendTo(nil)))
	require.Equal(t, want, slices.Collect(m.Values.All()))

	odd := krpc.Values("l6:abcd\x00\x005:abcdei5el1:ae6:abcdefe")
	require.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("97.98.99.100:25958")}, slices.Collect(odd.All()))
	peers.Reset()
	require.Nil(t, peers.Values())
}

func TestErrorText(t *testing.T) {
	require.EqualError(t, &krpc.Error{Code: 203, Message: "bad token"}, "krpc: error 203: bad token")
	require.Equal(t, "get_peers", krpc.GetPeers.String())
	require.Equal(t, "unknown", krpc.Method(99).String())
}

func TestDoesNotAllocate(t *testing.T) {
	for _, v := range loadVectors(t).Messages {
		packet, err := hex.DecodeString(v.Hex)
		require.NoError(t, err)
		var m krpc.Message
		dst := make([]byte, 0, 2*len(packet))
		require.Zero(t, testing.AllocsPerRun(100, func() {
			_ = m.Parse(packet)
			dst = m.AppendTo(dst[:0])
		}), v.Name)
	}
}
