package dht

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// sources limits how often each of many addresses gets something: a rate with a burst, in memory that does not grow however
// many addresses there are. An address that has its share used up leaves the others theirs.
//
// Each address has a place in one set of four; the one that is owed the least gives way. Addresses are hashed with a key that
// no stranger knows, so that nobody can choose whom to push out.
type sources struct {
	key   uint64
	epoch time.Time     // times are counted from here: a wall clock that is set changes none
	every time.Duration // one each
	burst time.Duration // that much ahead of time
	sets  [][4]source
}

// source is when an address will have paid for what it got: in the past, it may have a full burst.
type source struct {
	hash uint64
	paid int64 // nanoseconds since the epoch
}

// newSources has room for 4 times sets addresses; sets is a power of two. A rate of 0 or below admits everything.
func newSources(epoch time.Time, key uint64, perSecond float64, burst, sets int) *sources {
	if perSecond <= 0 {
		return nil
	}
	every := time.Duration(float64(time.Second) / perSecond)
	return &sources{key: key, epoch: epoch, every: every, burst: every * time.Duration(burst-1), sets: make([][4]source, sets)}
}

// allow reports whether the address behind hash may have one more, and counts it if so.
func (s *sources) allow(now time.Time, hash uint64) bool {
	if s == nil {
		return true
	}
	at := int64(now.Sub(s.epoch))
	set := &s.sets[hash>>32%uint64(len(s.sets))]
	slot := &set[0]
	for i := range set {
		if set[i].hash == hash {
			slot = &set[i]
			break
		}
		if set[i].paid < slot.paid {
			slot = &set[i]
		}
	}
	if slot.hash != hash {
		*slot = source{hash: hash}
	}
	paid := max(slot.paid, at)
	if paid-at > int64(s.burst) {
		return false
	}
	slot.paid = paid + int64(s.every)
	return true
}

// ofHost hashes an address without its port: all of IPv4, the first 64 bits of IPv6, as one host has all the rest.
func (s *sources) ofHost(addr netip.Addr) uint64 {
	if s == nil {
		return 0
	}
	if addr.Is4() {
		b := addr.As4()
		return mix(s.key ^ uint64(binary.BigEndian.Uint32(b[:])))
	}
	b := addr.As16()
	return mix(mix(s.key^binary.BigEndian.Uint64(b[:])) + 1)
}

// ofPort hashes an address with its port: hosts behind one address have ports of their own.
func (s *sources) ofPort(addr netip.AddrPort) uint64 {
	if s == nil {
		return 0
	}
	return mix(s.ofHost(addr.Addr()) + uint64(addr.Port())<<1)
}

// mix spreads x over 64 bits (the finalizer of splitmix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// allowance is a rate with a burst for one thing. The zero allowance is full.
type allowance struct {
	perSecond float64 // 0 or below: no limit
	burst     float64
	spent     float64
	at        time.Time
}

// left returns how many may go now.
func (a *allowance) left(now time.Time) float64 {
	if a.perSecond <= 0 {
		return 1 << 30
	}
	if d := now.Sub(a.at); d > 0 {
		a.spent = max(0, a.spent-d.Seconds()*a.perSecond)
		a.at = now
	}
	return a.burst - a.spent
}

// take counts one if one may go.
func (a *allowance) take(now time.Time) bool {
	if a.left(now) < 1 {
		return false
	}
	a.spent++
	return true
}

// spend counts one that goes, whether it may or not.
func (a *allowance) spend(now time.Time) {
	a.left(now)
	a.spent++
}

// next returns when n may go, if nothing goes before.
func (a *allowance) next(now time.Time, n float64) time.Time {
	if missing := n - a.left(now); missing > 0 {
		return now.Add(time.Duration(missing/a.perSecond*float64(time.Second)) + time.Millisecond)
	}
	return now
}
