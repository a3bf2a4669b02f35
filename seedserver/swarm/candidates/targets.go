package candidates

import (
	"net/netip"
	"time"
)

const (
	maxTargets  = 16384 // addresses remembered
	maxOwn      = 64
	maxAtOnce   = 4                // dials to one address at a time
	targetRetry = 5 * time.Second  // after a failure at an address, until the next dial to any of its ports
	targetMax   = 10 * time.Minute // that doubles up to here
	targetKeep  = 10 * time.Minute // a failure is remembered as long after that
)

// Targets bounds what the pools of all torrents together dial at one address, an address of IPv4 or a /64 of IPv6: a few at a
// time, and after each failure none for 5 s, then twice as long, up to 10 minutes. The zero value is ready; it belongs to one
// goroutine, or is locked by its owner.
type Targets struct {
	byHost map[netip.Addr]*target
	own    map[netip.AddrPort]struct{}
}

type target struct {
	dialling, failures int
	due                time.Time
}

// Take reports whether addr may be dialled now; the caller does so, and then calls Done. If not, it returns when to ask again; the
// zero time for never, since the address is our own.
func (t *Targets) Take(now time.Time, addr netip.AddrPort) (again time.Time, ok bool) {
	addr = plain(addr)
	if _, ours := t.own[addr]; ours {
		return time.Time{}, false
	}
	h := t.at(now, host(addr.Addr()))
	switch {
	case h.due.After(now):
		return h.due, false
	case h.dialling >= maxAtOnce:
		return now.Add(targetRetry), false
	}
	h.dialling++
	return time.Time{}, true
}

// Done notes whether a dial came to a handshake.
func (t *Targets) Done(now time.Time, addr netip.AddrPort, ok bool) {
	h := t.byHost[host(addr.Addr().Unmap())]
	if h == nil {
		return
	}
	h.dialling--
	if ok {
		h.failures, h.due = 0, time.Time{}
		if h.dialling == 0 {
			delete(t.byHost, host(addr.Addr().Unmap()))
		}
		return
	}
	wait := targetMax
	if h.failures < 7 {
		wait = targetRetry << h.failures
	}
	h.failures++
	h.due = now.Add(wait)
}

// Own notes that we were found at addr: it is never dialled again.
func (t *Targets) Own(addr netip.AddrPort) {
	if t.own == nil {
		t.own = map[netip.AddrPort]struct{}{}
	}
	if len(t.own) < maxOwn {
		t.own[plain(addr)] = struct{}{}
	}
}

func (t *Targets) at(now time.Time, addr netip.Addr) *target {
	if t.byHost == nil {
		t.byHost = map[netip.Addr]*target{}
	}
	h := t.byHost[addr]
	if h == nil {
		t.makeRoom(now)
		h = &target{}
		t.byHost[addr] = h
	}
	return h
}

// makeRoom forgets what is no longer of use, and where that is little, an eighth of whatever comes first: so that it is not looked
// for each time.
func (t *Targets) makeRoom(now time.Time) {
	if len(t.byHost) < maxTargets {
		return
	}
	for addr, h := range t.byHost {
		if h.dialling == 0 && now.Sub(h.due) >= targetKeep {
			delete(t.byHost, addr)
		}
	}
	for addr, h := range t.byHost {
		if len(t.byHost) < maxTargets/8*7 {
			return
		}
		if h.dialling == 0 {
			delete(t.byHost, addr)
		}
	}
}
