// Package httptracker answers BitTorrent announces and scrapes over HTTP, and
// asks other trackers.
//
// # Nouns
//
// A [Handler] is an [http.Handler] for /announce and /scrape; a [Config] says
// what it tracks and how. An [AnnounceQuery] is what an announce URL says. A
// [Store] remembers the peers. An [Access] is a request in the eyes of a log.
//
//	handler := httptracker.New(httptracker.Config{Store: peerstore.New(peerstore.Config{})})
//	http.ListenAndServe(":6969", handler)
//
// A [Front] answers plain announces before they reach net/http, which costs
// several times as much as an answer; all else goes on to it.
//
// A [Client] is the other side: it announces to a tracker and scrapes it.
//
// The owner of the store calls its Expire from time to time.
//
// # Which clause is where
//
//	BEP 3   announce query, failure reason           query.go, answer.go
//	BEP 7   key, peers6; ipv4= and ipv6= ignored     query.go, answer.go
//	BEP 21  event paused, downloaders                query.go, answer.go
//	BEP 23  compact peers                            answer.go
//	BEP 24  external ip                              answer.go
//	BEP 31  retry in                                 answer.go
//	BEP 48  scrape                                   query.go, answer.go
//
// # Whose address
//
// A peer is recorded under the address its request came from. Behind a reverse
// proxy that is the proxy's, unless [Config].ClientAddr reads what the proxy
// says. "ip=" is believed only of loopback and trusted networks, and only if
// nothing says that they speak for somebody else.
//
// # Speed
//
// On two processors shared with 32 clients, 50 peers an answer, 100,000 peers in
// 1,000 torrents, beside opentracker (C), which closes every connection:
//
//	                                 announces/s   CPU seconds per 100,000
//	kept connections   [Front]            69,000   0.74
//	                   net/http           57,000   1.22
//	new connections    [Front]            17,000   2.7
//	                   net/http           20,000   3.3
//	                   opentracker        26,000   1.3
//
// New connections are the work of the system for the most part; what others do
// with the processors moves those lines by a third.
//
// # Limitations
//
// Peer ids are not kept, so that peers in dictionaries come without them.
// Answers are not compressed: packed addresses hardly shrink. A full scrape, if
// it is allowed, lists 100,000 torrents at most and is up to a minute old. A
// client that announces more often than it should is answered all the same. A
// [Front] answers requests of a short list of header fields: behind a reverse
// proxy all announces go the longer way.
package httptracker
