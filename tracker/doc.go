// Package tracker holds the words and the rules of a BitTorrent tracker that do
// not depend on how a request arrived or where peers are kept.
//
// # Nouns
//
// An [AnnounceRequest] is what a client reports, an [AnnounceResponse] what it
// is told, an [Event] the reason of the report. [ScrapeStats] are the counts of
// one swarm. A [Standing] is what a tracker has learned about one peer from its
// announces; it decides what that peer may be told. A [FailureError] is a
// refusal whose text the client is meant to read. An [Announcer] is the other
// side: it decides which of a torrent's trackers is told what, and when.
//
// The packages around it do the rest: peerstore remembers swarms, httptracker
// and udptracker speak with clients and with trackers, trackernet announces for
// an Announcer.
//
// # Which clause is where
//
//	BEP 3   announce keys, events, failure reason    here, httptracker
//	BEP 7   peers6, one client on several addresses  peerstore, httptracker
//	BEP 12  tiers                                    announcer.go
//	BEP 15  event numbers                            here, udptracker
//	BEP 21  event paused, downloaders                here, peerstore, httptracker
//	BEP 23  compact peers                            peerstore, httptracker
//	BEP 24  external ip                              httptracker
//	BEP 31  retry in                                 here, httptracker
//	BEP 41  URL data over UDP                        udptracker
//	BEP 48  scrape                                   here, peerstore, httptracker
//
// # Limitations
//
// Everything is a plain value: no goroutine, clock, socket or lock. Uploaded
// and downloaded totals are carried, but nothing is derived from them, since a
// client may report what it likes.
package tracker
