package dht_test

import (
	"container/heap"
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht"
)

// network is a DHT in virtual time: every packet takes its while, and nothing else happens but packets and deadlines.
type network struct {
	now     time.Time
	rand    *rand.Rand
	hosts   map[netip.AddrPort]*host
	queue   events
	order   uint64
	loss    float64
	packets int
}

// host is one address of the network: a node, or something that answers as it likes.
type host struct {
	addr    netip.AddrPort
	node    *dht.Node
	answer  func(n *network, from netip.AddrPort, data []byte) []byte // instead of a node
	results []dht.Result
	woken   time.Time // the deadline that is queued
}

type event struct {
	at    time.Time
	order uint64
	to    netip.AddrPort
	from  netip.AddrPort
	data  []byte // nil: a deadline
}

type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	if d := e[i].at.Compare(e[j].at); d != 0 {
		return d < 0
	}
	return e[i].order < e[j].order
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	*e = (*e)[:last]
	return x
}

func newNetwork(seed uint64) *network {
	return &network{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), rand: rand.New(rand.NewPCG(seed, 1)), hosts: map[netip.AddrPort]*host{}}
}

// address returns a public address that nobody has.
func (n *network) address() netip.AddrPort {
	for {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], n.rand.Uint32())
		addr := netip.AddrPortFrom(netip.AddrFrom4(b), 6881)
		if b[0] > 0 && b[0] < 224 && b[0] != 127 && !dht.IsLocal(addr.Addr()) && n.hosts[addr] == nil {
			return addr
		}
	}
}

// config is a node's, with an id that its address admits.
func (n *network) config(addr netip.AddrPort) dht.Config {
	var secret [16]byte
	binary.LittleEndian.PutUint64(secret[:], n.rand.Uint64())
	return dht.Config{Rand: rand.New(rand.NewPCG(n.rand.Uint64(), 2)), Secret: secret, Port: 7000, Version: [4]byte{'S', 'S', 0, 1}, IPv4: addr.Addr().Is4(), IPv6: addr.Addr().Is6(),
		External: []netip.Addr{addr.Addr()}}
}

// add puts a node at addr.
func (n *network) add(addr netip.AddrPort, c dht.Config, routers ...netip.AddrPort) *host {
	h := &host{addr: addr, node: dht.New(n.now, c)}
	n.hosts[addr] = h
	h.node.AddRouters(n.now, routers...)
	n.after(h)
	return h
}

// do lets a caller use the node of h.
func (n *network) do(h *host, f func(now time.Time, node *dht.Node)) {
	f(n.now, h.node)
	n.after(h)
}

// after sends what the node wants to send, and sets its alarm.
func (n *network) after(h *host) {
	for _, p := range h.node.Drain() {
		n.send(h.addr, p.Addr, p.Data)
	}
	h.results = append(h.results, h.node.Results()...)
	at := h.node.Deadline()
	if at.Before(n.now) {
		at = n.now
	}
	if h.woken.IsZero() || at.Before(h.woken) {
		h.woken = at
		n.push(event{at: at, to: h.addr})
	}
}

func (n *network) send(from, to netip.AddrPort, data []byte) {
	n.packets++
	if n.rand.Float64() < n.loss || n.hosts[to] == nil {
		return
	}
	delay := 10*time.Millisecond + time.Duration(n.rand.IntN(90))*time.Millisecond
	n.push(event{at: n.now.Add(delay), to: to, from: from, data: append([]byte(nil), data...)})
}

func (n *network) push(e event) {
	n.order++
	e.order = n.order
	heap.Push(&n.queue, e)
}

// run lets time pass.
func (n *network) run(d time.Duration) { n.until(n.now.Add(d), func() bool { return false }) }

// until lets time pass until something holds, or the time is over.
func (n *network) until(end time.Time, holds func() bool) bool {
	for len(n.queue) > 0 && !n.queue[0].at.After(end) {
		e := heap.Pop(&n.queue).(event)
		n.now = e.at
		h := n.hosts[e.to]
		switch {
		case h == nil:
		case h.node == nil:
			if reply := h.answer(n, e.from, e.data); reply != nil {
				n.send(h.addr, e.from, reply)
			}
		case e.data != nil:
			h.node.Receive(n.now, dht.Packet{Addr: e.from, Data: e.data})
			n.after(h)
		case e.at.Equal(h.woken):
			h.woken = time.Time{}
			h.node.Advance(n.now)
			n.after(h)
		}
		if holds() {
			return true
		}
	}
	n.now = end
	return holds()
}

// take returns the results of h that are of type R, and removes all.
func take[R dht.Result](h *host) (list []R) {
	for _, r := range h.results {
		if r, ok := r.(R); ok {
			list = append(list, r)
		}
	}
	h.results = nil
	return list
}

// finished lets time pass until lookup id of h has ended, and returns that with the peers it found.
func (n *network) finished(h *host, id dht.LookupID) (done dht.Finished, peers []netip.AddrPort) {
	n.until(n.now.Add(2*time.Minute), func() bool {
		for _, r := range h.results {
			if f, ok := r.(dht.Finished); ok && f.Lookup == id {
				done = f
				return true
			}
		}
		return false
	})
	for _, r := range h.results {
		if f, ok := r.(dht.Found); ok && f.Lookup == id {
			peers = append(peers, f.Peers...)
		}
	}
	h.results = nil
	return done, peers
}
