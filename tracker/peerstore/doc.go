// Package peerstore remembers who is in which swarm, in memory.
//
// # Nouns
//
// A [Store] holds swarms by infohash, spread over 256 shards. A swarm holds its
// IPv4 and its IPv6 peers in a table each. [Store.Announce] records one client
// and samples peers for it; [Store.Scrape] counts; [Store.Expire] forgets who
// fell silent.
//
//	store := peerstore.New(peerstore.Config{})
//	standing, err := store.Announce(now, &request, &response)
//
// # Restarts
//
// [Store.Save] writes a state file and [Load] reads it. Whatever happens in
// between, the file is whole: one that is damaged all the same is put aside.
//
//	store, err := peerstore.Load(peerstore.Config{}, "tracker.state", time.Now())
//	if damaged := new(peerstore.DamagedError); errors.As(err, &damaged) {
//		log.Warn("starting afresh", "err", err)
//	} else if err != nil {
//		return err
//	}
//
// # Who is told
//
// An answer is a uniform sample of the peers the asker may know, those of its own
// address family first. [Store.Prefer] marks peers of which more is known: who
// was audited comes first, our own seed last, a liar not at all. Nobody is told
// of addresses that mean nothing where it is: of loopback but on loopback, of
// link-local ones but from such, of private ones from public ones
// ([tracker.ScopeOf]). In a swarm of which a part is out of an asker's reach an
// answer takes as long as one of a thousand peers.
//
// # Who is the same peer
//
// A peer is known by its address and port, and by a 32-bit keyed hash of peer
// id and key (BEP 7). The first finds the peer that announces again; the second
// finds it after its address changed, and its other half when it announces over
// IPv4 and IPv6: such a client is counted once. A client that sends no key is
// known by its address alone, as its peer id is no secret. Neither peer ids nor
// keys are kept.
//
// # Cost
//
// An entry is 16 bytes for IPv4 and 28 for IPv6, next to about 11 bytes of
// index in swarms of more than 24 peers, and up to an eighth of spare room:
// 30 and 44 bytes of heap for each of a million peers. No entry holds a pointer, so that the
// garbage collector does not walk the peers. Announcing takes constant time but
// for the peers it returns, and does not allocate once the tables have grown.
// One mutex per shard is held for map and slice work only.
//
// In swarms of 1,000 IPv4 peers, at 20,000 announces a second for 50 peers each,
// on two processors of which others used a part:
//
//	peers                heap   99 % under    longest    takes
//	 1 million   idle    30 MB       93 us     0.3 ms
//	             save                 7 us     0.7 ms    0.03 s
//	             expire half          8 us     5.5 ms    0.08 s
//	10 million   idle   296 MB      136 us     0.2 ms
//	             save                32 us     3.1 ms    0.18 s
//	             expire none          7 us     0.2 ms    0.03 s
//	             expire half        121 us     1.2 ms    0.56 s
//
// Of that, a shard is held for 0.3 to 0.5 ms a step by [Store.Snapshot] and for
// 0.04 to 0.06 ms by [Store.Expire]; what is longer is the wait for a processor.
// BenchmarkPauses and BenchmarkHolds measure it.
//
// # Which clause is where
//
//	BEP 3   events, complete and incomplete          swarm.go
//	BEP 7   one client on several addresses          swarm.go, keys.go
//	BEP 7   peers6, 23 compact peers                 sample.go
//	BEP 21  partial seeds                            swarm.go
//	BEP 48  counts                                   store.go
//
// # Limitations
//
// A full torrent and a full store do not record newcomers rather than replace peers;
// the caps are the only defence against a client that invents ports and IPv6
// addresses. A state file may lack what happened since it was last saved; peers
// announce again within an interval.
package peerstore
