package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxAdmitted = 50_000 // addresses and peer ids of one torrent
	maxTorrents = 100_000
)

// Admissions remember from where private torrents were announced with a good key. The zero value is empty. Its methods may be
// called by many goroutines at once.
type Admissions struct {
	mu  sync.Mutex                     // a leaf
	all map[[20]byte]map[any]admission // by infohash, then by netip.Addr or peer id
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
		a.all = map[[20]byte]map[any]admission{}
	}
	of := a.all[infohash]
	if of == nil {
		if len(a.all) >= maxTorrents {
			return
		}
		of = map[any]admission{}
		a.all[infohash] = of
	}
	if len(of) >= maxAdmitted-1 {
		return // Expire makes room
	}
	grant := admission{key: key, until: now.Add(last)}
	of[addr] = grant
	if id != ([20]byte{}) {
		of[id] = grant
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
		if expire(of, now); len(of) == 0 {
			delete(a.all, infohash)
		}
	}
}

func expire(of map[any]admission, now time.Time) {
	for who, g := range of {
		if !now.Before(g.until) {
			delete(of, who)
		}
	}
}
