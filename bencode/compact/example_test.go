package compact_test

import (
	"fmt"
	"net/netip"

	"github.com/seedserver/bittorrent/bencode/compact"
)

func Example() {
	peers := compact.AppendPeer(nil, netip.MustParseAddrPort("192.0.2.1:6881"))
	peers = compact.AppendPeer(peers, netip.MustParseAddrPort("192.0.2.2:51413"))
	fmt.Printf("%x\n", peers)

	list, err := compact.Peers4(peers)
	fmt.Println(list, err)
	// Output:
	// c00002011ae1c0000202c8d5
	// [192.0.2.1:6881 192.0.2.2:51413] <nil>
}
