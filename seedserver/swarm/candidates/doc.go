// Package candidates decides which of the addresses heard of is dialled next, and when.
//
// # Nouns
//
// A candidate is an address at which a peer of a torrent may listen, and the [Source] it was heard from. A [Pool] holds those
// of one torrent: it is told what was heard and how dials went, and names the next one to dial. [Targets] stands between the
// pools of all torrents and the network: it bounds what is dialled at one address, whoever wants it.
//
//	p := candidates.New(candidates.Config{}, rng)
//	p.Add(now, candidates.Tracker, trackerAddr, peers...)
//	if c, ok := p.Next(now, anybody); ok {
//		... // dial c.Addr, then one of
//		p.Connected(now, c.Addr)
//		p.Failed(now, c.Addr)
//	}
//
// # What strangers can do
//
// All addresses are what strangers say. Ports below 1024 are not dialled, nor addresses nobody can have, nor such as mean
// another machine to us than to who told them: loopback counts only from loopback, a private network only from one. Each source
// has room of its own, so that poison from one crowds nobody out of another, and has its turn when the next one is chosen; one
// informant has at most [MaxPerInformant] addresses, and none when most of those that were dialled came to nothing. Within a
// source, the network (/24, /48) with the fewest dials comes first, and the one with the most addresses makes room. An address
// that fails is dialled again after a minute, then after twice the time of before, up to an hour; one that is missed, since it
// gave us what we lack more of, for the first time after five seconds.
//
// Among equals the canonical priority decides ([Priority], BEP 40), so that swarms become well connected whoever wants a say in it.
//
// # Limitations
//
// Nothing here dials, reads a clock or starts a goroutine; a Pool and a Targets belong to one goroutine each. Names are not
// resolved. What a peer exchange message drops is not forgotten: who lost a peer may be the one that was unreachable.
package candidates
