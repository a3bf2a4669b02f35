package dht

import (
	"net/netip"
	"time"
)

const (
	votesNeeded = 10        // distinct nodes that must have told our address (BEP 42 practice), and more than half of all
	votesKept   = 32        // the last ones
	renameEvery = time.Hour // an id is changed that often at most
)

// votes collects what others say our address is: the key "ip" of their answers (BEP 42).
type votes struct {
	voters   [votesKept]netip.Addr
	claims   [votesKept]netip.Addr
	next     int
	external netip.Addr
}

// add counts what voter says, one vote each. It reports whether the outcome changed.
func (v *votes) add(voter, claim netip.Addr) (changed bool) {
	at := v.next
	for i := range v.voters {
		if v.voters[i] == voter {
			at = i
			break
		}
	}
	if at == v.next {
		v.next = (v.next + 1) % votesKept
	}
	if v.claims[at] == claim && v.voters[at] == voter {
		return false
	}
	v.voters[at], v.claims[at] = voter, claim
	count, all := 0, 0
	for i := range v.claims {
		if v.claims[i].IsValid() {
			all++
		}
		if v.claims[i] == claim {
			count++
		}
	}
	if count < votesNeeded || 2*count <= all || v.external == claim {
		return false
	}
	v.external = claim
	return true
}
