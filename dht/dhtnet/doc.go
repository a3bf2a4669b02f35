// Package dhtnet gives a node of the DHT its sockets, its clock and its file: it is the driver of package dht.
//
// # Nouns
//
// A [Server] runs one [dht.Node] on one UDP socket for each of IPv4 and IPv6. Its methods may be called from anywhere: each
// hands a function to the one goroutine that owns the node.
//
//	conns, err := dhtnet.Listen(ctx, netip.MustParseAddrPort("[::]:6881"))
//	server, err := dhtnet.New(dhtnet.Config{Conns: conns, Routers: dhtnet.PublicRouters, File: "dht"})
//	go server.Run(ctx)
//	server.Publish(infohash)
//	done, err := server.Lookup(ctx, infohash, dht.Peers, func(peers []netip.AddrPort) { ... })
//
// # How packets travel
//
// On Linux up to 64 packets are taken and sent with one system call each (recvmmsg, sendmmsg), and none of them costs memory.
// A reader for each socket fills a batch, the loop has the node answer all of it, and the answers leave together. There are
// four batches for a socket: when the loop is behind, the kernel's buffer fills and then drops, as UDP does.
//
// # Limitations
//
// A packet that cannot be sent at once is dropped and counted. Routers are looked up by the system's resolver at start, and
// again each minute until one was found. The file is written every 10 minutes and at the end.
package dhtnet
