// Package swarm serves one torrent's data to many peers, and takes the connections of all torrents on one port.
//
// # Nouns
//
// A [Swarm] is our side of one torrent's swarm: a complete seed. A [Host] accepts connections, answers their handshakes and
// hands each to the Swarm of the infohash it asks for. A [Content] is where the bytes come from, a [Limiter] paces them.
//
//	s := swarm.New(swarm.Config{Info: t.Info, InfoBytes: t.InfoBytes, InfoHash: t.InfoHash, Content: content})
//	h := swarm.NewHost(swarm.HostConfig{PeerID: id})
//	h.Add(s)
//	go s.Run(ctx)
//	err := h.Serve(ctx, listener)
//
// # How a block leaves
//
// Each connection has a reader; each torrent has one loop, which owns all its state. What one read delivers is one event in
// the loop's bounded inbox. The loop judges requests and turns them into promises in the peer's outbox. A writer, which is
// there only while the outbox holds something, waits for the limiter, reads the content of consecutive promises with one call
// just before they leave, and writes them with one call, control messages in front. Readers and writers may wait for the loop,
// never it for them: a peer that lets its outbox fill up is dropped.
//
//	socket -> reader -> inbox -> loop -> outbox -> writer <- Content
//	                                                 |
//	                                               socket
//
// With the fast extension (BEP 6) every request gets exactly one answer, its piece or a reject, whatever comes between: cancel,
// choke, pause, a full queue, a file that cannot be read. A request that repeats one still queued is one with it.
//
// # Who may have what
//
// The unexported interface policy is the one place that decides what a peer is shown of our pieces, and which peer may have
// which of them when. Its implementation, plain, shows everything and lets package choke share the slots; one that reveals
// pieces one by one stands beside it and answers the same questions. Nothing else in the package knows how seeding is done.
//
// # Peers that are not well
//
// A frame that breaks the protocol ends the connection, as do ten requests for what does not exist, a thousand messages of no
// use within ten seconds, 150 s of silence, and a write that makes no way for a minute. A peer that is complete is let go after
// a short grace, without blame. Handshakes have ten seconds. Connections are bounded per address, per torrent and in all.
//
// # Content that changes
//
// When a read says that the file is no longer what was published, no byte of that read leaves. The Swarm pauses itself, so
// that every peer is choked and every request rejected, and calls Config.Changed once; Resume goes on. A piece that cannot be
// read for another reason is taken back from who asked for it (lt_donthave, BEP 54).
//
// # Limitations
//
// A Swarm seeds: it never downloads, dials nobody, and takes peers over plain TCP connections only. It keeps no allowed-fast
// set, suggests no pieces, and does not take part in peer exchange; a DHT node's port is neither told nor asked for. Memory
// that a peer holds while it is served is at most 256 KiB and the kernel's socket buffer.
package swarm
