// Package lsd finds peers of our torrents in the local network, by multicast (BEP 14).
//
// # Nouns
//
// An [Announce] is a datagram that says on which port somebody takes peers of some torrents. A [Service] sends ours and hears
// those of others, on every interface that does multicast, for IPv4 and IPv6:
//
//	s := lsd.New(lsd.Config{Port: 6881, Torrents: torrents, Heard: heard})
//	err := s.Run(ctx)
//
// # What strangers can do
//
// Whoever is on the local network can send datagrams. Those count that came to the multicast group from an address of that
// network, of a source no more than 20 a minute, of all sources together 600. At most 1,400 bytes and [MaxInfoHashes] torrents of
// one are read. The address of a peer is that of the datagram, never one inside it. Our own datagrams are known by their cookie.
//
// # Limitations
//
// "A client should send no more than one announce per minute" (BEP 14), and one has room for 24 torrents: up to 120 are announced
// every five minutes, more of them in turn, the longest ago first. Networks are looked for once a minute. An announce of others is
// not answered by one of ours. Private torrents must not be given to a Service (BEP 27): that is the caller's to see to.
package lsd
