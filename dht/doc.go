// Package dht is a node of the BitTorrent DHT: it finds the peers of an infohash without a tracker, makes ours be found, and
// does for others what they do for us (BEP 5, 32, 42 and 43).
//
// # Nouns
//
// A [Node] is pure: datagrams and the time come in, datagrams and [Result] values go out; package dht/dhtnet gives it sockets.
// It has an [ID] in each of the two DHTs, that of IPv4 and that of IPv6, and a table of contacts in each: nodes that have
// answered. A lookup goes towards a target through ever closer nodes; its [Goal] is those nodes, the peers of an infohash, or to
// announce us there. A token proves that an announce comes from where it says. Published infohashes are announced again and
// again, evenly spread over time.
//
//	node := dht.New(now, dht.Config{Rand: r, Secret: secret, Port: 6881})
//	node.AddRouters(now, router)
//	node.Publish(now, infohash)
//	for { // the driver, see dht/dhtnet
//		node.Receive(now, packet) // or node.Advance(now) at node.Deadline()
//		for _, p := range node.Drain() { ... }
//		for _, r := range node.Results() { ... }
//	}
//
// # Files
//
//	answer.go       what others ask us            lookup.go       what we ask others
//	source.go       how often each may            transaction.go  queries under way, lost and slow ones
//	token.go        proof of an address           schedule.go     what is announced when
//	peers.go        whom others announced         recent.go       lookups nearby share the way
//	table.go        who is where                  family.go       bootstrap, refresh, doubtful contacts
//	closest.go      who is closest to a target    vote.go         our address, as others see it
//
// # Limits by default
//
//	queries answered       10 a second of each source (an IPv4 address, a /64 of IPv6), 50 at once; 1,000 a second in all
//	an answer              1,200 bytes at most, 1,024 over IPv6; 600 to a source that has not answered a query of ours
//	queries sent           250 a second; to one node 4 a second, 8 at once; none to ports below 1024
//	the table              one contact of each address (or /64), 4 of each /24 (or /48); 8 a bucket, 128, 64, 32, 16 in the first four
//	stored peers           100,000, of 20,000 infohashes, 1,000 of each, 4 of each address; for 45 minutes
//	lookups                64 at a time beside those of callers; each asks 96 nodes at most, 4 at a time, for a minute at most
//	announces              every 25 minutes; 10,000 infohashes take about 7 lookups a second
//
// How much longer an answer to a stranger is than what was asked, at most, counting the payload of UDP: ping 1.3 times, find_node
// 3.2 times (6 with the nodes of both families), get_peers 6.5 times, an announce and errors less than 1.5 times. As one source gets 10 answers a second, one who forges
// its address can direct at it no more than 6,000 bytes a second through this node.
//
// # Limitations
//
// Stored items, scrapes and samples (BEP 44, 33 and 51) are not there yet; their queries are answered like find_node. Nothing
// is known of private torrents (BEP 27): the caller does not publish them.
//
// A Node is used by one goroutine at a time. Answering a query does not allocate.
package dht
