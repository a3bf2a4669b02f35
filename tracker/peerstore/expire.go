package peerstore

import "time"

// work bounds what is done while a shard is held, in peers looked at: under a
// millisecond. Dropping a peer counts as dropCost, beginning a swarm as one.
const (
	work     = 16_384
	dropCost = 32
)

// walk calls visit for each swarm of a shard, under its lock, and lets others
// have it between calls: after each that has used up what may be done at once.
// visit gets what is left and returns what is left then, and is called again for
// the same swarm until it says that it has finished with it. Swarms that begin
// meanwhile are not visited. between is called each time the lock was let go.
func (sh *shard) walk(visit func(infohash [20]byte, sw *swarm, left int) (int, bool), between func()) {
	sh.mu.Lock()
	infohashes := make([][20]byte, 0, len(sh.swarms))
	for infohash := range sh.swarms {
		infohashes = append(infohashes, infohash)
	}
	left := work
	for _, infohash := range infohashes {
		for done := false; !done; {
			if left <= 0 {
				sh.mu.Unlock()
				between()
				sh.mu.Lock()
				left = work
			}
			sw := sh.swarms[infohash]
			if sw == nil {
				break
			}
			left, done = visit(infohash, sw, left-1)
		}
	}
	sh.mu.Unlock()
	between()
}

// Expire drops the peers that have not announced for the TTL, and the swarms
// that are empty and no longer remembered. It returns the number of peers
// dropped. It walks all peers, and holds a shard for less than a millisecond at
// a time: once a minute is often enough. In a swarm that changes meanwhile a
// peer may be passed over until the next time.
func (s *Store) Expire(now time.Time) int {
	dropped, unix := 0, s.clock.seconds(now)
	for i := range s.shards {
		dropped += s.expireShard(&s.shards[i], unix)
	}
	return dropped
}

func (s *Store) expireShard(sh *shard, unix int64) int {
	dropped, limit := 0, unix-s.ttl
	at4, at6 := -1, -1 // positions to go on at, from the end to 0; -1: begin
	sh.walk(func(infohash [20]byte, sw *swarm, left int) (int, bool) {
		before := sw.len()
		at4, left = expire(&s.keys, sw, &sw.v4, &sw.v6, limit, at4, left)
		if at4 == 0 {
			at6, left = expire(&s.keys, sw, &sw.v6, &sw.v4, limit, at6, left)
		}
		s.peers.Add(int64(sw.len() - before))
		dropped += before - sw.len()
		if at4 != 0 || at6 != 0 {
			return left, false
		}
		at4, at6 = -1, -1
		sw.unmark(&s.keys)
		if sw.len() == 0 && (sw.downloaded == 0 || unix-int64(sw.last) > s.remember) {
			delete(sh.swarms, infohash)
			s.torrents.Add(-1)
		}
		return left, true
	}, func() {})
	return dropped
}

// expire drops the peers of mine before position end, or all if that is -1,
// last seen before the Unix time limit. It returns where it stopped, 0 if it is
// through, and what work is left.
func expire[A, B words](k *keys, sw *swarm, mine *table[A], others *table[B], limit int64, end, left int) (int, int) {
	if end < 0 || end > len(mine.peers) {
		end = len(mine.peers)
	}
	for ; end > 0 && left > 0; end-- { // backwards: remove moves only what was seen already
		left--
		if int64(mine.peers[end-1].seen) < limit {
			leave(k, sw, mine, others, end-1)
			left -= dropCost
		}
	}
	return end, left
}
