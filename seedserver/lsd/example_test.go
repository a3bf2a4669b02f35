package lsd_test

import (
	"fmt"

	"github.com/seedserver/bittorrent/seedserver/lsd"
)

func ExampleParse() {
	a, err := lsd.Parse([]byte("BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n" +
		"Infohash: 101112131415161718191a1b1c1d1e1f20212223\r\ncookie: mine\r\n\r\n\r\n"))
	fmt.Printf("%d %x %s %v\n", a.Port, a.InfoHashes, a.Cookie, err)
	// Output: 6881 [101112131415161718191a1b1c1d1e1f20212223] mine <nil>
}
