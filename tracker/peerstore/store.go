package peerstore

import (
	crand "crypto/rand"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

const (
	shards = 256

	defaultTTL         = 45 * time.Minute
	defaultRemember    = 30 * 24 * time.Hour
	defaultMaxTorrents = 1_000_000
	defaultMaxPeers    = 100_000
	defaultMaxTotal    = 20_000_000
)

// Config is what a [Store] is made with. The zero value works.
type Config struct {
	// TTL is how long a peer that does not announce stays: a little over the
	// announce interval, so that one late announce does no harm. If zero or
	// negative, 45 minutes.
	TTL time.Duration

	// Remember is how long the downloaded count of a swarm without peers is
	// kept. If zero, 30 days. If negative, it goes with the last peer.
	Remember time.Duration

	// MaxTorrents bounds the number of swarms. When it is reached, an announce
	// that would begin one more is refused with a [tracker.FailureError] that
	// says when to retry. If zero, 1,000,000. If negative, off.
	MaxTorrents int

	// MaxPeers bounds the peers of one swarm. When it is reached, a newcomer is
	// told of peers like any other but is not recorded: nobody is told of it,
	// and it is not counted. If zero, 100,000. If negative, or over that,
	// 16,000,000.
	MaxPeers int

	// MaxTotal bounds the peers of all swarms, and with them the memory: a
	// million needs 30 MB over IPv4, 50 MB over IPv6. When it is reached, a
	// newcomer anywhere is answered as in a swarm that is full. If zero,
	// 20,000,000. If negative, off.
	MaxTotal int

	// Seed is the secret behind hashes and samples. If zero, it is drawn from
	// crypto/rand. Two stores with one Seed, in one order of calls, answer the
	// same.
	Seed [32]byte
}

// Store holds swarms. Its methods may be called concurrently.
type Store struct {
	ttl, remember int64 // seconds
	maxTorrents   int64
	maxPeers      int
	maxTotal      int64
	keys          keys
	secret        [32]byte
	torrents      atomic.Int64
	peers         atomic.Int64
	shards        []shard
	clock         clock
}

// shard is a part of the swarms, chosen by the last byte of the infohash.
type shard struct {
	mu     sync.Mutex
	swarms map[[20]byte]*swarm
	sampler
	_ [48]byte // the rest of two cache lines: neighbours do not slow each other down
}

// New returns an empty store.
func New(cfg Config) *Store {
	if cfg.Seed == [32]byte{} {
		crand.Read(cfg.Seed[:]) // never fails: it ends the process instead
	}
	secrets := rand.NewChaCha8(cfg.Seed)
	s := &Store{
		ttl:         int64(defaultTTL / time.Second),
		remember:    int64(defaultRemember / time.Second),
		maxTorrents: defaultMaxTorrents,
		maxPeers:    defaultMaxPeers,
		maxTotal:    defaultMaxTotal,
		secret:      cfg.Seed,
		keys:        keys{secrets.Uint64(), secrets.Uint64() | 1},
		shards:      make([]shard, shards),
	}
	if cfg.TTL > 0 {
		s.ttl = int64(cfg.TTL / time.Second)
	}
	if cfg.Remember != 0 {
		s.remember = max(-1, int64(cfg.Remember/time.Second))
	}
	if cfg.MaxTorrents != 0 {
		s.maxTorrents = int64(cfg.MaxTorrents)
	}
	if cfg.MaxPeers != 0 {
		s.maxPeers = cfg.MaxPeers
	}
	if cfg.MaxTotal != 0 {
		s.maxTotal = int64(cfg.MaxTotal)
	}
	if s.maxPeers < 0 || s.maxPeers > maxTable {
		s.maxPeers = maxTable
	}
	for i := range s.shards {
		s.shards[i].swarms = make(map[[20]byte]*swarm)
		s.shards[i].rng = *rand.NewPCG(secrets.Uint64(), secrets.Uint64())
	}
	return s
}

func (s *Store) shard(infohash [20]byte) *shard { return &s.shards[infohash[19]] }

// Announce records req and answers it: the counts of the swarm go into res, and
// up to req.NumWant peers are appended to res.Peers4 and res.Peers6, 1,000 of
// each family at most. A negative NumWant is none: the caller has resolved it
// ([tracker.NumWant]). The other fields of res are left as they are.
//
// The peers are a uniform random sample, without the asker and without those
// whose addresses mean nothing where it is: loopback is told of to loopback
// only, link-local addresses also to those, private ones to all but public ones
// ([tracker.ScopeOf]). All of them count. Those of the
// asker's own address family come first; the other family only fills up what is
// missing. Seeds are left out for a peer that does not want them
// ([tracker.Standing.WantsSeeds]). A peer that stops gets none.
//
// The standing returned is the asker's after this announce. An error is a
// [*tracker.FailureError]: the address is not one that can be dialled, or the
// store is full. Nothing is kept of req or res.
func (s *Store) Announce(now time.Time, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse) (tracker.Standing, error) {
	ip, port := req.Addr.Addr().Unmap(), req.Addr.Port()
	if !ip.IsValid() || ip.IsUnspecified() || ip.IsMulticast() || port == 0 {
		return 0, errAddress
	}
	id, seen := s.keys.identity(req), uint32(s.clock.seconds(now))

	sh := s.shard(req.InfoHash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sw, err := s.swarm(sh, req)
	if err != nil || sw == nil {
		return 0, err
	}
	sw.last = seen

	v := visit{keys: &s.keys, sampler: &sh.sampler, swarm: sw, req: req, scope: tracker.ScopeOf(ip), maxPeers: s.maxPeers}
	if s.maxTotal >= 0 && s.peers.Load() >= s.maxTotal {
		v.maxPeers = 0
	}
	before := sw.len()
	var standing tracker.Standing
	if ip.Is4() {
		who := peer[v4]{addr: words4(ip), port: port, id: id, seen: seen}
		standing = announce(&v, &sw.v4, &sw.v6, who, &res.Peers4, &res.Peers6)
	} else {
		who := peer[v6]{addr: words6(ip), port: port, id: id, seen: seen}
		standing = announce(&v, &sw.v6, &sw.v4, who, &res.Peers6, &res.Peers4)
	}
	if n := sw.len() - before; n != 0 {
		s.peers.Add(int64(n))
	}
	stats := sw.stats()
	res.Complete, res.Incomplete, res.Downloaded = stats.Complete, stats.Incomplete, stats.Downloaded
	return standing, nil
}

var (
	errAddress = &tracker.FailureError{Reason: "peers cannot be reached at this address and port"}
	errFull    = &tracker.FailureError{Reason: "tracker is full", RetryAfter: time.Hour}
)

// swarm returns the swarm of req, and begins it unless req ends a session: then
// it may return nil.
func (s *Store) swarm(sh *shard, req *tracker.AnnounceRequest) (*swarm, error) {
	if sw := sh.swarms[req.InfoHash]; sw != nil || req.Event == tracker.EventStopped {
		return sw, nil
	}
	if n := s.torrents.Add(1); s.maxTorrents >= 0 && n > s.maxTorrents {
		s.torrents.Add(-1)
		return nil, errFull
	}
	sw := new(swarm)
	sh.swarms[req.InfoHash] = sw
	return sw, nil
}

// Scrape returns the counts of a swarm, and false if nothing is known of it.
func (s *Store) Scrape(infohash [20]byte) (tracker.ScrapeStats, bool) {
	sh := s.shard(infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sw := sh.swarms[infohash]
	if sw == nil {
		return tracker.ScrapeStats{}, false
	}
	return sw.stats(), true
}

// Forget drops a swarm with its counts, and reports whether there was one.
func (s *Store) Forget(infohash [20]byte) bool {
	sh := s.shard(infohash)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sw := sh.swarms[infohash]
	if sw == nil {
		return false
	}
	delete(sh.swarms, infohash)
	s.torrents.Add(-1)
	s.peers.Add(-int64(sw.len()))
	return true
}

// Stats are the totals of a [Store].
type Stats struct {
	Torrents int // swarms, those that are only remembered included
	Peers4   int // entries with an IPv4 address
	Peers6   int // entries with an IPv6 address; a client on both has two
}

// Stats returns the totals. It visits all swarms, holding one shard at a time.
func (s *Store) Stats() Stats {
	var total Stats
	for i := range s.shards {
		sh := &s.shards[i]
		sh.mu.Lock()
		total.Torrents += len(sh.swarms)
		for _, sw := range sh.swarms {
			total.Peers4 += len(sw.v4.peers)
			total.Peers6 += len(sw.v6.peers)
		}
		sh.mu.Unlock()
	}
	return total
}
