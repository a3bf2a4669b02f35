package dhtnet_test

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/seedserver/bittorrent/dht/dhtnet"
)

func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	run := func() *dhtnet.Server {
		conns, err := dhtnet.Listen(ctx, netip.MustParseAddrPort("127.0.0.1:0"))
		if err != nil {
			panic(err)
		}
		s, err := dhtnet.New(dhtnet.Config{Conns: conns})
		if err != nil {
			panic(err)
		}
		go s.Run(ctx)
		return s
	}
	one, two := run(), run()
	pong, err := one.Ping(ctx, two.Addrs()[0])
	fmt.Println(pong.OK, err)
	// Output: true <nil>
}
