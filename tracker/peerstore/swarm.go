package peerstore

import "github.com/seedserver/bittorrent/tracker"

// swarm is all peers of one infohash.
type swarm struct {
	v4 table[v4]
	v6 table[v6]

	// Clients by standing. One that is in both tables is counted once, as its
	// IPv4 entry has it: adding both up doubles a swarm of dual-stack clients.
	seeds, leeches, paused int // paused are among the leeches

	marks []mark // of few peers in few swarms

	downloaded int
	last       uint32 // latest announce, Unix seconds
}

func (sw *swarm) len() int { return len(sw.v4.peers) + len(sw.v6.peers) }

func (sw *swarm) stats() tracker.ScrapeStats {
	return tracker.ScrapeStats{
		Complete:    sw.seeds,
		Incomplete:  sw.leeches,
		Downloaded:  sw.downloaded,
		Downloaders: sw.leeches - sw.paused,
	}
}

// count adds n clients of this standing.
func (sw *swarm) count(s tracker.Standing, n int) {
	if s.Seed() {
		sw.seeds += n
		return
	}
	sw.leeches += n
	if !s.Downloader() {
		sw.paused += n
	}
}

// visit is what one announce works with.
type visit struct {
	keys     *keys
	sampler  *sampler
	swarm    *swarm
	req      *tracker.AnnounceRequest
	scope    tracker.Scope // of the asker
	maxPeers int
}

// announce records who in its table, mine, and appends peers to minePeers, then
// to othersPeers from the table of the other family.
func announce[A, B words](v *visit, mine *table[A], others *table[B], who peer[A], minePeers, othersPeers *[]byte) tracker.Standing {
	if v.req.Event == tracker.EventStopped {
		return stop(v, mine, others, who)
	}
	var at int
	var standing tracker.Standing
	if v.req.Unlisted {
		at = mine.findAddr(v.keys, who.addr, who.port) // it is not told of itself
		standing = standing.After(v.req.Event, v.req.Left)
	} else {
		at, standing = record(v, mine, others, who)
	}
	if want := v.req.NumWant; want > 0 {
		seeds := standing.WantsSeeds()
		n := appendPeers(v, minePeers, mine, want, seeds, at)
		if n < want {
			appendPeers(v, othersPeers, others, want-n, seeds, others.findID(who.id))
		}
	}
	return standing
}

// stop takes who out. A peer that has since taken its address over stays.
func stop[A, B words](v *visit, mine *table[A], others *table[B], who peer[A]) tracker.Standing {
	at := mine.findAddr(v.keys, who.addr, who.port)
	if at < 0 || mine.peers[at].id != who.id {
		at = mine.findID(who.id)
	}
	if at < 0 {
		return 0
	}
	p := leave(v.keys, v.swarm, mine, others, at)
	standing := p.standing.After(v.req.Event, v.req.Left)
	finished(v.swarm, p.standing, standing, others, who.id)
	return standing
}

// record updates the entry of who, or makes one. It returns the position, -1 if
// there is no room for a newcomer, and the new standing.
func record[A, B words](v *visit, mine *table[A], others *table[B], who peer[A]) (int, tracker.Standing) {
	at := mine.findAddr(v.keys, who.addr, who.port)
	if at >= 0 && mine.peers[at].id == who.id {
		return refresh(v, mine, others, who, at)
	}
	if at >= 0 { // another client has this address now
		leave(v.keys, v.swarm, mine, others, at)
	}
	var before tracker.Standing
	if was := mine.findID(who.id); was >= 0 { // this client has another address now
		before = leave(v.keys, v.swarm, mine, others, was).standing
	}
	who.standing = before.After(v.req.Event, v.req.Left)
	if v.swarm.len() >= v.maxPeers {
		return -1, who.standing
	}
	finished(v.swarm, before, who.standing, others, who.id)
	return join(v.keys, v.swarm, mine, others, who), who.standing
}

// refresh updates the entry at position at, which is that of who.
func refresh[A, B words](v *visit, mine *table[A], others *table[B], who peer[A], at int) (int, tracker.Standing) {
	p := &mine.peers[at]
	before, after := p.standing, p.standing.After(v.req.Event, v.req.Left)
	finished(v.swarm, before, after, others, who.id)
	if before.Seed() != after.Seed() { // it changes sides in its table
		leave(v.keys, v.swarm, mine, others, at)
		who.standing = after
		return join(v.keys, v.swarm, mine, others, who), after
	}
	if !p.shadow && before != after {
		v.swarm.count(before, -1)
		v.swarm.count(after, +1)
	}
	p.standing, p.seen = after, who.seen
	return at, after
}

// finished counts a download that has just ended, once for a client that tells
// over IPv4 and IPv6.
func finished[B words](sw *swarm, before, after tracker.Standing, others *table[B], id uint32) {
	if after&^before&tracker.Finished == 0 {
		return
	}
	if twin := others.findID(id); twin >= 0 {
		if others.peers[twin].standing&tracker.Finished != 0 {
			return
		}
		others.peers[twin].standing |= tracker.Finished // this entry may be gone when the twin tells
	}
	sw.downloaded++
}

// join adds p to mine and counts it. It returns the position.
func join[A, B words](k *keys, sw *swarm, mine *table[A], others *table[B], p peer[A]) int {
	if twin := others.findID(p.id); twin >= 0 {
		if isV4(p) {
			q := &others.peers[twin]
			q.shadow = true
			sw.count(q.standing, -1)
		} else {
			p.shadow = true
		}
	}
	if !p.shadow {
		sw.count(p.standing, +1)
	}
	return mine.insert(k, p)
}

// leave takes the peer at position at out of mine and no longer counts it.
func leave[A, B words](k *keys, sw *swarm, mine *table[A], others *table[B], at int) peer[A] {
	p := mine.remove(k, at)
	if p.shadow {
		return p
	}
	sw.count(p.standing, -1)
	if twin := others.findID(p.id); twin >= 0 && isV4(p) {
		q := &others.peers[twin]
		q.shadow = false
		sw.count(q.standing, +1)
	}
	return p
}

func isV4[A words](p peer[A]) bool { return len(p.addr) == 1 }
