package swarm

import (
	"bytes"
	"slices"
	"time"
)

// Two connections of one client waste one of them, and are common: who has an address of IPv4 and one of IPv6 is told of twice, and
// called twice at once; two who hear of each other call each other. Both sides have to close the same one, or none is left.
//
// Of two that were opened in opposite directions, the one opened by the peer with the greater id stays; other clients hold it so,
// too. Of two that one side opened, the other side keeps the first, and lets the second see nothing of its handshake (see
// door.shakeHands). Others choose differently, so of what we opened twice the second waits until they have chosen.

// replaces reports whether a is to take the place of old, a connection of the same client. A connection that has been there for
// longer than a handshake takes stays: a peer id is no secret, and whoever uses that of another must not throw it out.
func replaces(now time.Time, a admission, old *peer) bool {
	if old.addr.Addr() == a.addr.Addr() && now.Sub(old.heard) >= staleTimeout {
		return true // it may be dead, and its peer back
	}
	oursIsGreater := bytes.Compare(a.ours[:], a.id[:]) > 0
	return a.dialled != old.dialled && a.dialled == oursIsGreater && now.Sub(old.connected) < handshakeTimeout
}

// spareTimeout is how long a second connection waits for the other side to close one of them: a round trip, and then some.
const spareTimeout = 3 * time.Second

// A spare is a second connection that we opened to a peer. Nothing is sent or read on it.
type spare struct {
	admission
	until time.Time
}

// setAside keeps a, a second connection to old's client, if both were opened by us and there is no other; else it closes it.
func (l *loop) setAside(now time.Time, a admission, old *peer) {
	kept := slices.ContainsFunc(l.spares, func(x spare) bool { return x.id == a.id })
	if !a.dialled || !old.dialled || kept {
		l.refuse(now, a, "connected already")
		return
	}
	l.spares = append(l.spares, spare{a, now.Add(spareTimeout)})
}

// lookAtSpares takes those in whose peer closed the other connection, and closes those that waited long enough.
func (l *loop) lookAtSpares(now time.Time) {
	for i := 0; i < len(l.spares); {
		x := l.spares[i]
		first := l.ids[x.id] == nil
		if !first && now.Before(x.until) {
			i++
			continue
		}
		l.spares = slices.Delete(l.spares, i, i+1)
		if first {
			l.takeIn(now, x.admission)
		} else {
			l.refuse(now, x.admission, "connected already")
		}
	}
}

// refuse closes a connection that was not taken in.
func (l *loop) refuse(now time.Time, a admission, reason string) {
	l.log.Debug("peer refused", "peer", a.addr, "reason", reason)
	a.conn.Close()
	a.release()
	if a.dialled {
		l.dialRefused(now, a.addr)
	}
}
