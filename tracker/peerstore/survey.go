package peerstore

import (
	"slices"

	"github.com/seedserver/bittorrent/tracker"
)

// Each calls visit with the counts of each swarm, in no order, until it returns
// false. No lock is held then: visit may use the store, and swarms that come or
// go meanwhile may be missing.
func (s *Store) Each(visit func(infohash [20]byte, stats tracker.ScrapeStats) bool) {
	type counted struct {
		infohash [20]byte
		stats    tracker.ScrapeStats
	}
	var some []counted
	for i := range s.shards {
		some = some[:0]
		sh := &s.shards[i]
		sh.mu.Lock()
		for infohash, sw := range sh.swarms {
			some = append(some, counted{infohash, sw.stats()})
		}
		sh.mu.Unlock()
		for _, one := range some {
			if !visit(one.infohash, one.stats) {
				return
			}
		}
	}
}

// Addresses returns how many peers the swarms have, but for those of except, and
// how many different IP addresses. Up to 65,536 addresses the number is exact;
// beyond that it is an estimate that is mostly within 1 % of the truth. It visits
// all peers, holding one shard at a time, and needs 1 MiB at most.
func (s *Store) Addresses(except map[[20]byte]bool) (addresses, peers int) {
	var d distinct
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		for infohash, sw := range sh.swarms {
			if except[infohash] {
				continue
			}
			peers += sw.len()
			for j := range sw.v4.peers {
				d.add(mix(hashAddr(&s.keys, sw.v4.peers[j].addr, 0), s.keys.b))
			}
			for j := range sw.v6.peers {
				d.add(mix(hashAddr(&s.keys, sw.v6.peers[j].addr, 0), s.keys.b))
			}
		}
		sh.mu.Unlock()
	}
	return d.count(), peers
}

// keep is how many of the least hashes are kept.
const keep = 1 << 16

// distinct counts different hashes in bounded memory, by the least of them: if
// the keep-th least of uniform numbers is x, there are about keep/x of them.
type distinct struct {
	least []uint64
	full  bool   // keep different ones are there
	limit uint64 // if full, the greatest of them
}

func (d *distinct) add(hash uint64) {
	if d.full && hash >= d.limit {
		return
	}
	if d.least = append(d.least, hash); len(d.least) == 2*keep {
		d.shrink()
	}
}

func (d *distinct) shrink() {
	slices.Sort(d.least)
	d.least = slices.Compact(d.least)
	if len(d.least) > keep {
		d.least, d.full = d.least[:keep], true
		d.limit = d.least[keep-1]
	}
}

func (d *distinct) count() int {
	d.shrink()
	if !d.full {
		return len(d.least)
	}
	return int(float64(keep-1) / (float64(d.limit) / (1 << 64)))
}
