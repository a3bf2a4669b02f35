package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxAdmitted = 50_000 // addresses and peer ids of one torrent
	maxOfKey    = 10_000 // of these, that one key announced: it may be that of many
	maxTorrents = 100_000
)

// Admissions remember from where private torrents were announced with a good key. The zero value is empty. Its methods may be
// called by many goroutines at once.
type Admissions struct {
	mu  sync.Mutex                     // a leaf
	all map[[20]byte]map[any]admission // by infohash, then by netip.Addr or peer id
	// ofKey counts those of each key, which is good for one torrent only.
	ofKey map[string]int
}

// admission is one address or peer id that a key announced.
type admission struct {
	key   string
	until time.Time
}

// Add notes that a peer announced a torrent with key, from addr and as id, which is good for so long. A zero id is not noted.
func (a *Admissions) Add(now time.Time, infohash [20]byte, addr netip.Addr, id [20]byte, key string, last time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.all == nil {
		a.all, a.ofKey = map[[20]byte]map[any]admission{}, map[string]int{}
	}
	of := a.all[infohash]
	if of == nil {
		if len(a.all) >= maxTorrents {
			return
		}
		of = map[any]admission{}
		a.all[infohash] = of
	}
	grant := admission{key: key, until: now.Add(last)}
	a.set(of, addr, grant)
	if id != ([20]byte{}) {
		a.set(of, id, grant)
	}
}

// set notes grant for who, unless there is no room for somebody new: Expire makes some. a.mu is held.
func (a *Admissions) set(of map[any]admission, who any, grant admission) {
	before, known := of[who]
	if before.key != grant.key && a.ofKey[grant.key] >= maxOfKey || !known && len(of) >= maxAdmitted-1 {
		return
	}
	if known {
		a.release(before.key)
	}
	of[who] = grant
	a.ofKey[grant.key]++
}

// release counts one less of a key. a.mu is held.
func (a *Admissions) release(key string) {
	if a.ofKey[key]--; a.ofKey[key] == 0 {
		delete(a.ofKey, key)
	}
}

// Key returns the key with which addr, or else id, announced a torrent, "" if none did lately. Whether the key is still good has to
// be asked.
func (a *Admissions) Key(now time.Time, infohash [20]byte, addr netip.Addr, id [20]byte) (byAddr, byID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	of := a.all[infohash]
	if g, ok := of[addr]; ok && now.Before(g.until) {
		byAddr = g.key
	}
	if g, ok := of[id]; ok && now.Before(g.until) && id != ([20]byte{}) {
		byID = g.key
	}
	return byAddr, byID
}

// Any reports whether anybody has announced a torrent lately.
func (a *Admissions) Any(infohash [20]byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.all[infohash]) > 0
}

// Expire forgets what is over.
func (a *Admissions) Expire(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for infohash, of := range a.all {
		for who, g := range of {
			if !now.Before(g.until) {
				delete(of, who)
				a.release(g.key)
			}
		}
		if len(of) == 0 {
			delete(a.all, infohash)
		}
	}
}
