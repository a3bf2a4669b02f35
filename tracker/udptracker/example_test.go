package udptracker_test

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/seedserver/bittorrent/tracker"
	"github.com/seedserver/bittorrent/tracker/peerstore"
	"github.com/seedserver/bittorrent/tracker/udptracker"
)

// A server, and what a client sends to it and reads.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	server := udptracker.New(udptracker.Config{Store: peerstore.New(peerstore.Config{}), Policy: tracker.Policy{Jitter: -1}})
	conns, err := udptracker.Listen(ctx, "127.0.0.1:0", 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	address := conns[0].LocalAddr().String()
	done := make(chan error)
	go func() { done <- server.Serve(ctx, conns[0]) }()

	client, err := net.Dial("udp", address)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := make([]byte, 2048)
	client.Write(udptracker.AppendConnectRequest(nil, 1))
	n, _ := client.Read(answer)
	id, err := udptracker.ParseConnectResponse(answer[:n])
	if err != nil {
		fmt.Println(err)
		return
	}
	req := tracker.AnnounceRequest{Event: tracker.EventStarted, Left: 1000, NumWant: -1}
	req.Addr = netip.AddrPortFrom(netip.Addr{}, 6881)
	client.Write(udptracker.AppendAnnounceRequest(nil, id, 2, &req, "/announce"))
	n, _ = client.Read(answer)
	var res tracker.AnnounceResponse
	if err := udptracker.ParseAnnounceResponse(answer[:n], false, &res); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Complete, res.Incomplete, res.Interval)
	cancel()
	fmt.Println(<-done)
	// Output:
	// 0 1 30m0s
	// context canceled
}
