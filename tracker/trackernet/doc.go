// Package trackernet announces torrents to their trackers, over HTTP and UDP,
// IPv4 and IPv6.
//
// # Nouns
//
// A [Client] makes one call to one tracker, whatever its URL says it speaks. A
// [Session] announces one torrent from its start to its end: it carries out what
// a [tracker.Announcer] decides.
//
//	client := trackernet.New(trackernet.Config{})
//	session := trackernet.NewSession(trackernet.SessionConfig{
//		Client: client, Tiers: [][]string{{"udp://tracker.example:6969"}},
//		InfoHash: infohash, PeerID: id, Port: 6881,
//		Progress: func() (uploaded, downloaded, left int64) { return 0, 0, 0 },
//		Found:    func(peers []netip.AddrPort) { dial(peers) },
//	})
//	err := session.Run(ctx) // until ctx ends, then says so to the trackers
//
// # Which clause is where
//
//	BEP 7   over each address family, with one key   client.go
//	BEP 12  tiers                                    tracker.Announcer
//	BEP 15  UDP                                      udptracker.Client
//	BEP 48  scrape                                   client.go
//
// # Safety
//
// Announce URLs mostly come from a stranger's torrent. A Client speaks to public
// addresses only ([tracker.Public]), whatever names resolve or redirects lead
// to, unless [Config].Private is set because the user chose the tracker. Answers
// have bounds, and so has the time of a call.
//
// # Limitations
//
// Proxies are not used. A host's further addresses are tried by package net when
// the first does not answer, for HTTP only.
package trackernet
