package seedserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// TestNodesByName: BEP 5, "nodes": [["<host>", <port>], ...] - a host may be a name. Names are few, lead to no private network, and are
// looked up again when they cannot be found.
func TestNodesByName(t *testing.T) {
	nodes := []metainfo.Node{
		{Host: "198.51.100.1", Port: 6881}, {Host: "router.example", Port: 6882}, {Host: "router.example", Port: 6882}, {Host: "late.example", Port: 6883},
		{Host: "never.example", Port: 6884}, {Host: "inside.example", Port: 6885}, {Host: "2001:db8::1", Port: 6886}, {Host: "many.example", Port: 6887},
	}
	many := make([]netip.AddrPort, 100)
	for i := range many {
		many[i] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 6887)
	}
	tests := []struct {
		local bool
		want  string
	}{
		{false, "0s 198.51.100.1:6881\n0s [2001:db8::1]:6886\n0s 192.0.2.1:6882\n0s 203.0.113.0:6887\n0s 203.0.113.1:6887\n0s 203.0.113.2:6887\n0s 203.0.113.3:6887\n1m0s 192.0.2.2:6883\n"},
		{true, "0s 198.51.100.1:6881\n0s [2001:db8::1]:6886\n0s 192.0.2.1:6882\n0s 127.0.0.1:6882\n0s 10.0.0.1:6885\n0s 203.0.113.0:6887\n0s 203.0.113.1:6887\n0s 203.0.113.2:6887\n0s 203.0.113.3:6887\n1m0s 192.0.2.2:6883\n"},
	}
	for _, tt := range tests {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			asked, got := map[string]int{}, ""
			f := nodeFinder{local: tt.local, lookups: make(chan struct{}, 1),
				resolve: func(_ context.Context, node string) ([]netip.AddrPort, error) {
					asked[node]++
					switch node {
					case "router.example:6882":
						return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:6882"), netip.MustParseAddrPort("127.0.0.1:6882")}, nil
					case "late.example:6883":
						if time.Since(began) > 0 {
							return []netip.AddrPort{netip.MustParseAddrPort("192.0.2.2:6883")}, nil
						}
					case "inside.example:6885":
						return []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:6885")}, nil
					case "many.example:6887":
						return many, nil
					}
					return nil, errors.New("no such host")
				},
				add: func(addrs ...netip.AddrPort) {
					for _, a := range addrs {
						got += fmt.Sprintln(time.Since(began), a)
					}
				}}
			f.find(t.Context(), nodes)
			require.Equal(t, tt.want, got)
			require.Equal(t, map[string]int{
				"router.example:6882": 1, "late.example:6883": 2, "never.example:6884": 3, "inside.example:6885": 1, "many.example:6887": 1,
			}, asked)
		})
	}
}

// TestNodesAreBounded: a torrent may name as many nodes as it likes. Whoever waits for a name ends with the transfer.
func TestNodesAreBounded(t *testing.T) {
	var nodes []metainfo.Node
	for i := range 1000 {
		nodes = append(nodes, metainfo.Node{Host: fmt.Sprint("h", i), Port: 1}, metainfo.Node{Host: fmt.Sprintf("192.0.%d.%d", i/250, i%250), Port: 6881})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		added, asked := 0, 0
		f := nodeFinder{lookups: make(chan struct{}, 1), add: func(addrs ...netip.AddrPort) { added += len(addrs) },
			resolve: func(context.Context, string) ([]netip.AddrPort, error) {
				asked++
				return nil, errors.New("no such host")
			}}
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		f.find(ctx, nodes)
		require.Equal(t, time.Second, time.Since(began))
		require.Equal(t, maxNodes, added)
		require.Equal(t, maxNodeNames, asked)
	})
}
