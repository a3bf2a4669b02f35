package access

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxFailures   = 10               // wrong passwords from one address in a row
	failureFades  = 10 * time.Second // one of them is forgiven
	maxStrangers  = 10_000           // addresses that are remembered
	failureMemory = maxFailures * failureFades
)

// failures counts wrong passwords for each address, for an IPv6 one for its /64 network. What it holds is bounded: when there are
// too many addresses, some are forgotten.
type failures struct {
	mu    sync.Mutex               // a leaf
	since map[netip.Addr]time.Time // when the count was, or will be, zero, less what has not faded
}

// begin counts a guess from addr, or reports after what time the next is looked at.
func (f *failures) begin(now time.Time, addr netip.Addr) (wait time.Duration) {
	key := network(addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.since == nil {
		f.since = map[netip.Addr]time.Time{}
	}
	clear := f.since[key]
	if clear.Before(now) {
		clear = now
	}
	if clear = clear.Add(failureFades); clear.Sub(now) > failureMemory {
		return clear.Sub(now) - failureMemory
	}
	if _, known := f.since[key]; !known && len(f.since) >= maxStrangers {
		f.forget(now)
	}
	f.since[key] = clear
	return 0
}

// forgive takes back what begin counted: the password was right.
func (f *failures) forgive(addr netip.Addr) {
	key := network(addr)
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.since[key]; ok {
		f.since[key] = at.Add(-failureFades)
	}
}

// forget makes room: of some that the map happens to give first, those go whose count has faded, or else the first.
func (f *failures) forget(now time.Time) {
	const looks = 50
	var first netip.Addr
	looked, gone := 0, false
	for addr, clear := range f.since {
		if looked == 0 {
			first = addr
		}
		if clear.Before(now) {
			delete(f.since, addr)
			gone = true
		}
		if looked++; looked == looks {
			break
		}
	}
	if !gone {
		delete(f.since, first)
	}
}

// network returns what counts as one address: in IPv6, where a host has as many as it likes, the /64.
func network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if !addr.Is6() {
		return addr
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return addr
	}
	return p.Addr()
}
