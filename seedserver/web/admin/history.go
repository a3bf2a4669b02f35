package admin

import (
	"math"
	"sync"
	"time"

	"github.com/seedserver/bittorrent/bencode/metainfo"
)

// The charts of the last hour: a point for each ten seconds.
const (
	sampleEvery = 10 * time.Second
	samples     = 360
)

// history keeps the rates of the last hour: in total, and of each torrent that sent anything in it.
type history struct {
	mu       sync.Mutex // held for map and slice work only
	epoch    time.Time  // slots are counted from here: a wall clock that is set moves none
	sampled  time.Time
	sent     int64 // Sent.All at the last sample
	total    ring
	torrents map[metainfo.InfoHash]*track
}

// track is what the history knows about one torrent that has sent anything.
type track struct {
	sent   int64 // at the last sample
	seen   int64 // the slot of the last sample it was in
	recent *ring // nil when nothing was sent in the last hour
}

func newHistory() *history { return &history{torrents: map[metainfo.InfoHash]*track{}} }

// due reports whether the last sample was before the slot of now.
func (h *history) due(now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sampled.IsZero() || h.slot(now) > h.slot(h.sampled)
}

// sample notes the counters of a moment, unless it was done less than sampleEvery ago.
func (h *history) sample(s Sent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.slot(s.Time)
	if !h.sampled.IsZero() && now <= h.slot(h.sampled) {
		return
	}
	elapsed := sampleEvery
	if !h.sampled.IsZero() {
		elapsed = s.Time.Sub(h.sampled)
	}
	before := now - 1
	if !h.sampled.IsZero() {
		before = h.slot(h.sampled)
	}
	h.sampled = s.Time
	h.total.put(before, now, perSecond(&h.sent, s.All, elapsed))
	for hash, sent := range s.Torrents {
		k := h.torrents[hash]
		if k == nil {
			k = &track{}
			h.torrents[hash] = k
		}
		k.seen = now
		k.note(before, now, perSecond(&k.sent, sent, elapsed))
	}
	for hash, k := range h.torrents {
		if k.seen != now {
			delete(h.torrents, hash)
		}
	}
}

// perSecond returns the rate at which a counter went to sent, and keeps that. A counter that went back started anew.
func perSecond(last *int64, sent int64, elapsed time.Duration) int64 {
	delta := sent - *last
	if delta < 0 {
		delta = sent
	}
	*last = sent
	return int64(math.Round(float64(delta) / elapsed.Seconds()))
}

// note keeps rate in the slots after before until now; a torrent that sends nothing for an hour costs no more than its counter.
func (k *track) note(before, now, rate int64) {
	switch {
	case rate > 0:
		if k.recent == nil {
			k.recent = &ring{}
		}
		k.recent.put(before, now, rate)
	case k.recent != nil && now-k.recent.newest >= samples:
		k.recent = nil
	}
}

// points returns the bytes per second of the last hour until now, oldest first; of all torrents when hash is zero.
func (h *history) points(now time.Time, hash metainfo.InfoHash) []int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := h.slot(now)
	if !h.sampled.IsZero() && last-h.slot(h.sampled) <= 1 { // else nobody samples: time goes on all the same
		last = h.slot(h.sampled)
	}
	if hash == (metainfo.InfoHash{}) {
		return h.total.points(last)
	}
	if k := h.torrents[hash]; k != nil && k.recent != nil {
		return k.recent.points(last)
	}
	return make([]int64, samples)
}

// slot returns which ten seconds t is in. They begin when those of the wall clock did at the first call, and an hour that was before is
// above zero, so that rings can be as they are. h.mu is held.
func (h *history) slot(t time.Time) int64 {
	if h.epoch.IsZero() {
		h.epoch = t.Add(-time.Duration(t.UnixNano()%int64(sampleEvery)) - samples*sampleEvery)
	}
	return int64(t.Sub(h.epoch) / sampleEvery)
}

// ring holds the rates of the last samples slots, in bytes per second.
type ring struct {
	newest int64 // slot
	rates  [samples]uint32
}

// put sets the rate of the slots after before until now. In those between the newest and before nothing was sent.
func (r *ring) put(before, now, rate int64) {
	oldest := now - samples + 1
	for s := max(r.newest+1, oldest); s <= before; s++ {
		r.rates[s%samples] = 0
	}
	for s := max(before+1, oldest); s <= now; s++ {
		r.rates[s%samples] = uint32(min(max(rate, 0), math.MaxUint32))
	}
	r.newest = now
}

// points returns the rates until slot last, oldest first.
func (r *ring) points(last int64) []int64 {
	points := make([]int64, samples)
	for i := range points {
		s := last - samples + 1 + int64(i)
		if s <= r.newest && s > r.newest-samples {
			points[i] = int64(r.rates[s%samples])
		}
	}
	return points
}
