package candidates

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestPriorityVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/bep40.json")
	require.NoError(t, err)
	var file struct {
		Vectors []struct {
			A        string `json:"a"`
			APort    uint16 `json:"a_port"`
			B        string `json:"b"`
			BPort    uint16 `json:"b_port"`
			Priority string
		}
	}
	require.NoError(t, json.Unmarshal(raw, &file))
	require.NotEmpty(t, file.Vectors)
	for _, v := range file.Vectors {
		a := netip.AddrPortFrom(netip.MustParseAddr(v.A), v.APort)
		b := netip.AddrPortFrom(netip.MustParseAddr(v.B), v.BPort)
		require.Equal(t, v.Priority, fmt.Sprintf("%08x", Priority(a, b)), "%v %v", a, b)
	}
}

// TestPriorityIsSymmetric: both ends of a connection come to the same number.
func TestPriorityIsSymmetric(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.AddrPort {
		size := rapid.SampledFrom([]int{4, 16}).Draw(t, "size")
		ip, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "ip"))
		return netip.AddrPortFrom(ip, rapid.Uint16().Draw(t, "port"))
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := addr.Draw(t, "a"), addr.Draw(t, "b")
		require.Equal(t, Priority(a, b), Priority(b, a))
	})
}
