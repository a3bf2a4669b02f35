package dht

import (
	"encoding/binary"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht/krpc"
)

const (
	slowAfter       = 1500 * time.Millisecond // a lookup asks another node meanwhile
	lostAfter       = 5 * time.Second         // no answer is waited for any longer
	maxTransactions = 4096                    // under way at a time
)

// transaction is a query of ours under way.
type transaction struct {
	family *family
	addr   netip.AddrPort
	id     ID // who should be there, if known
	known  bool
	method krpc.Method
	lookup *lookup    // whose query it is
	asked  *candidate // of that lookup
	ping   PingID     // of a caller
	sent   time.Time
}

// timeout is when something is due for the transaction key, if it still is under way.
type timeout struct {
	key uint32
	at  time.Time
}

// timeouts is a queue in order of time, because all of it wait equally long.
type timeouts struct {
	queue []timeout
	head  int
}

func (t *timeouts) push(key uint32, at time.Time) {
	if t.head > 64 && 2*t.head > len(t.queue) {
		t.queue = append(t.queue[:0], t.queue[t.head:]...)
		t.head = 0
	}
	t.queue = append(t.queue, timeout{key, at})
}

// pop returns the next one that is due.
func (t *timeouts) pop(now time.Time) (key uint32, ok bool) {
	if t.head == len(t.queue) || t.queue[t.head].at.After(now) {
		return 0, false
	}
	t.head++
	return t.queue[t.head-1].key, true
}

// next returns when the next one is due, passing over those that running says are over.
func (t *timeouts) next(running func(uint32) bool) time.Time {
	for ; t.head < len(t.queue); t.head++ {
		if running(t.queue[t.head].key) {
			return t.queue[t.head].at
		}
	}
	return time.Time{}
}

// mayAsk reports whether a query to addr can be sent now: not more often than others bear, libtorrent for one bans a source that
// sends more than 5 in a second for long; never to a port below 1024, where no node is but somebody else's service may be.
func (n *Node) mayAsk(now time.Time, addr netip.AddrPort) bool {
	return len(n.running) < maxTransactions && n.sending.left(now) >= 1 && n.asked.allow(now, n.asked.ofPort(addr))
}

// ask sends a query of ours. The caller has asked mayAsk.
func (n *Node) ask(now time.Time, t transaction, target ID) {
	n.sending.spend(now)
	key := n.rand.Uint32()
	for _, taken := n.running[key]; taken; _, taken = n.running[key] {
		key = n.rand.Uint32()
	}
	t.sent = now
	n.running[key] = t
	n.slow.push(key, now.Add(slowAfter))
	n.lost.push(key, now.Add(lostAfter))
	q := krpc.Message{Kind: krpc.Query, Method: t.method, ID: t.family.id, Target: target, ReadOnly: n.config.ReadOnly, Version: n.version}
	if n.both() {
		q.Want = t.family.wants()
	}
	if t.method == krpc.AnnouncePeer {
		q.Token, q.Port, q.Seed = t.asked.token, n.config.Port, true
	}
	n.key = [4]byte{}
	binary.BigEndian.PutUint32(n.key[:], key)
	q.T = n.key[:]
	n.send(t.family, t.addr, &q)
	n.stats.Queries[t.method]++
}

// expire looks after the queries that have waited too long.
func (n *Node) expire(now time.Time) {
	for {
		key, ok := n.slow.pop(now)
		if !ok {
			break
		}
		if t, running := n.running[key]; running && t.lookup != nil {
			t.lookup.stalled(now, t.asked)
		}
	}
	for {
		key, ok := n.lost.pop(now)
		if !ok {
			break
		}
		if t, running := n.running[key]; running {
			delete(n.running, key)
			n.stats.Lost++
			n.unanswered(now, t)
		}
	}
}

// unanswered tells everyone concerned that a query got no answer.
func (n *Node) unanswered(now time.Time, t transaction) {
	if t.known {
		t.family.table.failed(&t.id, t.addr)
	}
	delete(t.family.verifying, t.addr)
	if t.lookup != nil {
		t.lookup.failed(now, t.asked, t.method)
	}
	if t.ping != 0 {
		n.results = append(n.results, Pong{Ping: t.ping, Addr: t.addr})
	}
}

// response handles the answer to a query of ours, if it is one: the transaction and the address must be right.
func (n *Node) response(now time.Time, f *family, from netip.AddrPort, m *krpc.Message) {
	if len(m.T) != 4 {
		return
	}
	key := binary.BigEndian.Uint32(m.T)
	t, running := n.running[key]
	if !running || t.addr != from || t.family != f {
		n.stats.Stray++
		return
	}
	delete(n.running, key)
	delete(f.verifying, from)
	f.heard = now
	if m.Kind == krpc.Failure {
		n.stats.Refused++
		if t.lookup != nil {
			t.lookup.failed(now, t.asked, t.method)
		}
		if t.ping != 0 {
			n.results = append(n.results, Pong{Ping: t.ping, Addr: t.addr})
		}
		return
	}
	n.stats.Responses++
	if t.known && t.id != ID(m.ID) { // another node took its place
		f.table.failed(&t.id, from)
	}
	if id := ID(m.ID); id != f.id && !f.isRouter(from) && !f.shunned(from.Addr()) {
		if doubtful := f.table.answered(now, &id, from); doubtful != nil {
			f.verify(now, doubtful.addr, doubtful.id, true)
		}
	}
	if m.External.IsValid() {
		f.told(now, from.Addr(), m.External.Addr().Unmap())
	}
	if t.lookup != nil {
		t.lookup.answered(now, t.asked, t.method, m)
	}
	if t.ping != 0 {
		n.results = append(n.results, Pong{Ping: t.ping, Addr: t.addr, OK: true, ID: ID(m.ID), RTT: now.Sub(t.sent), Version: string(m.Version), External: m.External})
	}
}
