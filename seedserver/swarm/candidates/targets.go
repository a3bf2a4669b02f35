package candidates

import (
	"net/netip"
	"slices"
	"time"
)

const (
	maxTargets  = 16384 // addresses remembered
	maxOwn      = 64
	maxAtOnce   = 4                // dials to one address at a time
	maxDead     = 8                // ports of one address that fail before all of it has to wait
	targetRetry = 5 * time.Second  // after a failure at a port, or at an address with more dead ports, until the next dial
	targetMax   = 10 * time.Minute // that doubles up to here
	targetKeep  = 10 * time.Minute // a failure is remembered as long after that
)

// Targets bounds what the pools of all torrents together dial at one address, an address of IPv4 or a /64 of IPv6: a few at a
// time, and after a failure at a port none there for 5 s, then twice as long, up to 10 minutes. An address with more than eight ports
// that failed is left alone as a whole for as long: whoever names ports of somebody who runs no client must not make us knock at
// all of them, and a client that moved to another port must not wait for its old ones. The zero value is ready; it belongs to one
// goroutine, or is locked by its owner.
type Targets struct {
	byHost map[netip.Addr]*target
	own    map[netip.AddrPort]struct{}
}

type target struct {
	dialling int
	backOff
	dead []deadPort // those that failed last
}

type deadPort struct {
	addr netip.AddrPort
	backOff
}

// backOff is for how long something that failed is left alone.
type backOff struct {
	failures int
	due      time.Time
}

func (b *backOff) fail(now time.Time) {
	wait := targetMax
	if b.failures < 7 {
		wait = targetRetry << b.failures
	}
	b.failures++
	b.due = now.Add(wait)
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
	if k := h.find(addr); k >= 0 && h.dead[k].due.After(now) {
		return h.dead[k].due, false
	}
	h.dialling++
	return time.Time{}, true
}

// Done notes whether a dial came to a handshake.
func (t *Targets) Done(now time.Time, addr netip.AddrPort, ok bool) {
	addr = plain(addr)
	h := t.byHost[host(addr.Addr())]
	if h == nil {
		return
	}
	h.dialling--
	if !ok {
		h.fail(now, addr)
		return
	}
	h.backOff = backOff{}
	if k := h.find(addr); k >= 0 {
		h.dead = slices.Delete(h.dead, k, k+1)
	}
	if h.dialling == 0 && len(h.dead) == 0 {
		delete(t.byHost, host(addr.Addr()))
	}
}

// fail notes a failure at addr. When more ports are dead than are remembered, the whole address is: the one that may be dialled
// first gives its place to addr.
func (h *target) fail(now time.Time, addr netip.AddrPort) {
	k := h.find(addr)
	switch {
	case k >= 0:
	case len(h.dead) < maxDead:
		k = len(h.dead)
		h.dead = append(h.dead, deadPort{addr: addr})
	default:
		h.backOff.fail(now)
		k = 0
		for i := range h.dead {
			if h.dead[i].due.Before(h.dead[k].due) {
				k = i
			}
		}
		h.dead[k] = deadPort{addr: addr}
	}
	h.dead[k].fail(now)
}

func (h *target) find(addr netip.AddrPort) int {
	return slices.IndexFunc(h.dead, func(d deadPort) bool { return d.addr == addr })
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
		if h.dialling == 0 && h.stale(now) {
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

// stale reports whether all that failed here is long ago.
func (h *target) stale(now time.Time) bool {
	return now.Sub(h.due) >= targetKeep &&
		!slices.ContainsFunc(h.dead, func(d deadPort) bool { return now.Sub(d.due) < targetKeep })
}
