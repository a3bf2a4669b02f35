package compact_test

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/compact"
)

// FuzzLists reads strangers' lists in every form. Bytes of a list that is
// accepted come back, but for what is documented: port 0, mapped addresses.
func FuzzLists(f *testing.F) {
	v := loadVectors(f)
	for _, rows := range [][]vector{v.V4, v.V6, v.Nodes, v.Nodes6, v.Bad} {
		for _, row := range rows {
			f.Add(row.bytes(f))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		for size, parse := range map[int]func([]byte) ([]netip.AddrPort, error){
			compact.Peer4Size: compact.Peers4, compact.Peer6Size: compact.Peers6,
		} {
			list, err := parse(b)
			var again []byte
			for _, addr := range list {
				again = compact.AppendPeer(again, addr)
			}
			requireList(t, b, again, size, len(list), err)
		}
		for size, parse := range map[int]func([]byte) ([]compact.Node, error){
			compact.Node4Size: compact.Nodes4, compact.Node6Size: compact.Nodes6,
		} {
			list, err := parse(b)
			var again []byte
			for _, n := range list {
				again = compact.AppendNode(again, n)
			}
			requireList(t, b, again, size, len(list), err)
		}
		if addr, err := compact.ParsePeer(b); err != nil {
			require.ErrorIs(t, err, compact.ErrLength)
		} else if len(b) == compact.Peer4Size || !mapped(b) {
			require.Equal(t, b, compact.AppendPeer(nil, addr))
		}
		require.Equal(t, before, b, "input changed")
	})
}

func requireList(t *testing.T, b, again []byte, size, entries int, err error) {
	if len(b)%size != 0 {
		require.ErrorIs(t, err, compact.ErrLength)
		require.Zero(t, entries)
		return
	}
	require.NoError(t, err)
	var want []byte
	kept := 0
	for entry := range slices.Chunk(b, size) {
		if bytes.HasSuffix(entry, []byte{0, 0}) {
			continue
		}
		kept++
		id := entry[:0]
		if size >= compact.Node4Size {
			id, entry = entry[:20], entry[20:]
		}
		if len(entry) == compact.Peer6Size && mapped(entry) {
			entry = entry[12:]
		}
		want = append(append(want, id...), entry...)
	}
	require.Equal(t, kept, entries)
	require.Equal(t, want, again)
}

func mapped(peer6 []byte) bool {
	return bytes.HasPrefix(peer6, append(make([]byte, 10), 0xff, 0xff))
}
