// Package swarm serves one torrent's data to many peers, gets it from them, and takes the connections of all torrents on one port.
//
// # Nouns
//
// A [Swarm] is our side of one torrent's swarm: we are complete, whatever we show. A [Host] accepts connections, answers their handshakes and
// hands each to the Swarm of the infohash it asks for. A [Content] is where the bytes come from, a [Limiter] paces them.
//
//	s := swarm.New(swarm.Config{Info: t.Info, InfoBytes: t.InfoBytes, InfoHash: t.InfoHash, Content: content})
//	h := swarm.NewHost(swarm.HostConfig{PeerID: id})
//	h.Add(s)
//	go s.Run(ctx)
//	err := h.Serve(ctx, listener)
//
// # One connection for each peer
//
// A client is known by its peer id. Of two connections with one client, both ends keep the same: of two that were opened in opposite
// directions the one that the greater peer id opened, of two that came to us the first, and the other gets no handshake of ours; of two
// that we opened the one that the client leaves open. So who has an address of IPv4 and one of IPv6 can be called at both.
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
// which of them when. Nothing else in the package knows how seeding is done. There are two:
//
// plain shows everything and lets package choke share the slots.
//
// masquerade, with Config.Superseed, looks like a leech that has nothing: HAVE_NONE, or no bitfield; never upload_only, an
// allowed-fast set or a suggestion. It tells a piecepicker.Picker what peers have and what they were sent, and carries out what
// that decides: a HAVE to one peer for each piece it is offered, unchoke and choke with it, the end of a connection. A request
// for what was not offered is rejected, and nobody is sent a piece more than three times in one connection, however often it asks.
// Complete peers stay connected: they are the holders that are counted on. [Swarm.Status] says what is decided and why,
// [Swarm.Snapshot] what must survive a restart.
//
// Bytes have a [Class], and a limiter for each may stand below that of the torrent. Of a peer's requests the most urgent class
// leaves first. Only assistance has a rate of its own there; the picker counts the others in whole pieces before it offers
// them. What was offered leaves within some two seconds as far as its class is concerned, since what trickles is taken for a stall.
// Nobody waits at a limiter longer than there is something to send, and nothing more urgent.
//
// # What we ask for
//
// A policy that is an asker, too, may ask peers for blocks: loop.ask sends requests where the peer answers them, that is while it does
// not choke us, or for pieces of its allowed-fast set (BEP 6). Each has one answer, its block or why there is none: rejected, void by
// a choke, out of time, or the connection is over. The reader takes in no more blocks than were asked for, each into a buffer of
// a pool, which belongs to who asked. A block that nobody asked for ends the connection.
//
// # Whom we dial
//
// [Swarm.AddCandidates] tells a Swarm where peers may be; package candidates keeps them. While the torrent has few peers, and one
// is there that the policy wants, the Swarm gets in the line of its Host. [Host.Dial] takes the torrents in turn, at its pace,
// asks each for the best candidate, connects, shakes hands, and hands the connection over like one that came by itself. A seed
// wants leeches; one that hides what it has also wants a few seeds, to count on.
//
// Peers tell each other of peers through us, and us of others (BEP 11): once a minute, at most fifty, other ones to each. Of itself
// a Swarm says nothing, of liars neither, and to liars nothing at all. Of a crowd that came together sixteen
// peers are looked after in a second, since for each there are thousands to choose from. One that hides what it has tells of those that took a piece of
// us and say so, or are audited, as soon as that is so, and them of each other; of a stranger it tells after ten seconds, and after ten minutes
// of one that claims to be complete without having shown it. Where there is no room, a peer of no use makes way, else the
// one of the lowest canonical priority for one of a higher (BEP 40), unless it gets or gives more than most. In a private torrent nobody is told of, and only those are
// dialled that its tracker or a person told (BEP 27).
//
// # Audits
//
// The masquerade asks peers that claim to be complete, and others the picker names, for random blocks, and compares them with ours off
// the loop. Bytes that differ make a liar, if our piece has the hash it was published with: its address is banned for a week, over
// restarts, by [Swarm.Snapshot]. Silence is no verdict. Config.Judged is told what was found. We look like a leech that has nothing, never send
// upload_only or HAVE ALL, send no request while choked but for allowed pieces, and ask in the same event as an unchoke.
// Seeds of these clients, each with two leeches beside it and slots free, came by our tracker; a hundredth of what we sent to the
// leeches was to be spent. Then the same with thirty peers beside them that unchoke us and answer nothing:
//
//	client             runs  verdict within 40 s   runs among silent peers, verdict within 100 s
//	libtorrent 2.0.8     1   holder                  1  holder
//	qBittorrent 4.5.2    1   holder                  1  holder
//	aria2 1.36           1   holder                  1  holder; kept by 128 bytes every 48 s or so
//	rtorrent 0.9.8       1   holder                  1  holder
//	Transmission 3.00    4   holder                  2  holder; kept by 128 bytes every 3 min
//
// Nobody was called a liar, and nobody ended the connection over it.
// With all of its slots taken rtorrent, and Transmission for minutes, choke us: that is no verdict, and they do not count meanwhile.
//
// Two seeds that are found to hold it bring assistance to its floor. Two of libtorrent among fifty liars that never unchoke us, and
// three leeches, of which we sent 0.8 MiB a second: both were audited 4 s after they came, and 31 s later the rate was 15 KiB/s on
// average of the next 36 s, in which what had been revealed before was still asked for. Among fifty that unchoke us and answer
// nothing it was 19 and 32 s after they came: a hundredth of what was sent was what held it up. When both left, the pieces they
// had were needed at once, and a newcomer had its first block 1.2 to 1.9 s after it was started.
//
// # Liars
//
// Ten libtorrent leeches of 2 MiB/s and fifty liars, half of these in one /24, all of whom know all addresses; 32 MiB at 2 MiB/s, in
// pieces of 16 KiB, which is what the server chooses. Seconds until all ten are complete and copies sent, of six runs each, ten of
// the first row and twelve of the last, two at a time, beside single runs of libtorrent's own seeds, with pieces of 16 KiB in the
// first row and the last, and of 128 KiB else. The leeches take many connections of an address, so that liars that are banned come back:
//
//	liars that                         this package            super seed    plain seed
//	are not there                      18.2 to 20.6 1.00       29   1.00     27   1.61
//	claim all and are silent           18.5 to 19.5 1.00-1.02  29   1.09
//	claim one piece after the other    19.7 to 22.5 1.02-1.06  64   1.91     38   2.10
//	claim back what they are shown     19.9 to 22.5 1.02-1.06  33   1.14     36   1.94
//	answer audits and nobody else      18.7 to 19.5 1.00-1.02
//	unchoke and answer late or never   20.2 to 22.4 1.04-1.06  115  1.02     32   1.77
//	send junk                          18.1 to 19.3 1.00-1.05  39   1.01     27   1.55
//
// Junk does harm where a piece is more than a block, and a liar sends some of it. With pieces of 128 KiB, and leeches that take one
// connection of an address, as libtorrent does unless told otherwise, eight of ten runs were complete, after 18.7 to 24.6 s, with 1.01 to
// 1.41 copies, 1.04 in the middle; in the others one leech had banned all it knew. Of 256 MiB at 8 MiB/s, in such pieces, all of twelve
// were, ten after 33.6 to 36.3 s with 1.00 to 1.08 copies, two after 48 and 54 s with 1.41 and 1.63 (33.7 s without liars). Where liars that are banned come
// back for ever, pieces of 128 KiB have no end of it: of two runs one was complete, after 79 s with 2.1 copies; libtorrent's plain and super
// seed were after 78 and 88 s with 3.3 and 2.2.
//
// What is done about it: of strangers our tracker tells few, and of who claims to be complete and did not show it nobody for minutes;
// leeches are made to choose anew whom they unchoke (package piecepicker, rechoke.go); who waits for liars with what it was shown is
// reminded that it may ask for something else (KindRemind), and the last pieces go from leech to leech until one takes them (blocked.go);
// audits spare nothing that never left us until leeches get such of others; no piece is kept back at the end; leeches that get nothing are
// rescued sooner. What remains is done inside the leeches, out of reach of a seed: liars that ask first have the slots of a leech for
// its first 15 s; blocks that were asked of liars are asked of nobody else for up to a minute, until all that is missing was asked for.
//
// libtorrent keeps its trust in whoever sent it pieces in four bits, so that the eighth right one makes it distrust (package piecepicker, mixed.go),
// and one peer in four is banned for the next piece that a liar spoilt. Leeches lose each other by that; we count along, and take back what
// would have us banned, and keep other pieces to win points with. Who is left with few partners is served sooner, for an eighth of what is sent (harmed.go).
//
// # Strangers
//
// Writers wait for the limiter in two lanes: those of strangers, who have not passed anything on, or taken 256 KiB where everybody is
// shown everything, and those of the others. Strangers get as much each as the others while strangers of late turned out well, and down
// to a fifteenth of what the others get together when none did. Where only one of the lanes is used it has everything; one of the others
// who was just sent something is waited for, for 5 ms. Strangers who do not read what they are sent, or leave, did not turn out well;
// while these are most, strangers are served one after the other, at random.
//
// # Peers that are not well
//
// A frame that breaks the protocol ends the connection, as do ten requests for what does not exist, a thousand messages of no
// use within ten seconds, 150 s of silence, and a write that makes no way for a minute; after two seconds of one, or one
// of who is new, the peer's slot is free for others, it is offered nothing, and what it was lent goes to others as soon as the line
// would idle. Who is new is sent one block at a time, so that a write does not end before somebody reads. Requests that are refused,
// repeated or taken back, 2,000 of them, have a peer heard slowly, 20,000 end the connection. A peer that is complete is let go after a short grace, without blame. Handshakes have ten seconds. Connections are bounded per address, per torrent and in all.
//
// # Content that changes
//
// When a read says that the file is no longer what was published, no byte of that read leaves. The Swarm pauses itself, so
// that every peer is choked and every request rejected, and calls Config.Changed once; Resume goes on. A piece that cannot be
// read for another reason is taken back from who asked for it (lt_donthave, BEP 54).
//
// # Downloading
//
// With Config.Download pieces are lacking. A piecepicker.Asker decides which block is asked of whom; each peer is asked for as
// much in advance as it sends in two seconds. Blocks gather in their piece, in memory, and a full piece is hashed and written by
// a few goroutines. How much may be begun is bounded (Download.Memory), and so is their queue: the loop never waits for the disk.
// What is written is shown with a HAVE and given to others, first to those that give in turn. A full disk is waited for. A peer that
// sent junk is let go, and its address is not taken again. When nothing is lacking any more, it is plain seeding.
// A [Source] is asked like a peer that is complete, for runs of blocks of which it is sent the next when it gave the last: what a
// web seed gives (BEP 19) goes the way of all blocks, and one that gives junk is let go.
//
// A [MetadataFetch] gets the info dict that a Swarm is made with, from peers, where only the infohash is known (BEP 9).
//
// # Limitations
//
// A torrent of one piece is seeded plainly: there is nothing to spread, and libtorrent (2.0.8) closes a connection at a HAVE that
// makes us complete before it was interested. A picker is made when the first peer comes and stays until the Swarm ends. aria2
// leaves after half a minute without interest on either side, and comes back by itself: only those that are audited are kept by
// being asked for something now and then, since interest in leeches would take their slots from others.
//
// A Swarm speaks with peers over plain TCP connections only. It keeps no allowed-fast
// set and suggests no pieces; a DHT node's port is neither told nor asked for. Memory that a peer holds while it is served is at
// most 512 KiB and the kernel's socket buffer.
package swarm
