package peerstore

import (
	"encoding/binary"
	"net/netip"

	"github.com/seedserver/bittorrent/tracker"
)

// words is an address as big-endian words: of IPv4 or of IPv6.
type words interface{ [1]uint32 | [4]uint32 }

type (
	v4 = [1]uint32
	v6 = [4]uint32
)

func words4(ip netip.Addr) v4 {
	b := ip.As4()
	return v4{binary.BigEndian.Uint32(b[:])}
}

func words6(ip netip.Addr) v6 {
	b := ip.As16()
	return v6{
		binary.BigEndian.Uint32(b[0:]), binary.BigEndian.Uint32(b[4:]),
		binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:]),
	}
}

// peer is an entry of a table: 16 bytes for IPv4, 28 for IPv6, no pointer.
type peer[A words] struct {
	addr     A
	id       uint32 // keys.identity; 0: none
	seen     uint32 // last announce, Unix seconds
	port     uint16
	standing tracker.Standing
	shadow   bool // an IPv6 peer whose client has an IPv4 entry too, which is counted instead
}

const (
	indexFrom = 24         // peers up to which walking over them is as fast as an index
	shrinkAt  = 64         // capacity up to which memory is not given back
	maxTable  = 16_000_000 // peers: no more than a slot can point to
)

// table holds the peers of one address family in one swarm. No two have the
// same address and port, no two the same id other than 0. The leeches come
// first and the seeds after them, so that a sample of either is one of a range.
type table[A words] struct {
	peers   []peer[A]
	leeches int // peers[:leeches] lack something, peers[leeches:] are complete
	index   index
	narrow  [tracker.Scopes - 1]uint32 // peers of each scope but the widest, from the next one on
}

// beyond returns how many peers are of no use to who asks from an address of
// this scope: those of narrower ones.
func (t *table[A]) beyond(s tracker.Scope) (n int) {
	for _, peers := range t.narrow[s:] {
		n += int(peers)
	}
	return n
}

// countScope adds n peers of the scope that p has.
func (t *table[A]) countScope(p *peer[A], n int) {
	if s := p.scope(); s != tracker.Everywhere {
		t.narrow[s-1] += uint32(n)
	}
}

// scope returns how far away p can be reached.
func (p *peer[A]) scope() tracker.Scope { return tracker.ScopeOf(p.ip()) }

// ip returns the address of p.
func (p *peer[A]) ip() netip.Addr {
	var room [16]byte
	b := room[:0]
	for w := range len(p.addr) {
		b = binary.BigEndian.AppendUint32(b, p.addr[w])
	}
	ip, _ := netip.AddrFromSlice(b)
	return ip
}

// findAddr returns the position of the peer at this address and port, or -1.
func (t *table[A]) findAddr(k *keys, addr A, port uint16) int {
	if t.index.slots == nil {
		for i := range t.peers {
			if p := &t.peers[i]; p.addr == addr && p.port == port {
				return i
			}
		}
		return -1
	}
	c := t.index.lookup(hashAddr(k, addr, port), byAddr)
	for pos := c.next(); pos >= 0; pos = c.next() {
		if p := &t.peers[pos]; p.addr == addr && p.port == port {
			return pos
		}
	}
	return -1
}

// findID returns the position of the peer with this id, or -1. No peer is found
// by the id 0.
func (t *table[A]) findID(id uint32) int {
	if id == 0 {
		return -1
	}
	if t.index.slots == nil {
		for i := range t.peers {
			if t.peers[i].id == id {
				return i
			}
		}
		return -1
	}
	c := t.index.lookup(hashID(id), byID)
	for pos := c.next(); pos >= 0; pos = c.next() {
		if t.peers[pos].id == id {
			return pos
		}
	}
	return -1
}

// insert adds p, whose address and id are not in the table, and returns its
// position.
func (t *table[A]) insert(k *keys, p peer[A]) int {
	if len(t.peers) == cap(t.peers) {
		t.grow()
	}
	t.peers = append(t.peers, p)
	t.countScope(&p, +1)
	pos := len(t.peers) - 1
	if !p.standing.Seed() {
		if t.leeches < pos {
			t.move(k, t.leeches, pos)
			pos = t.leeches
			t.peers[pos] = p
		}
		t.leeches++
	}
	switch {
	case t.index.slots != nil && t.index.room():
		t.link(k, pos)
	case len(t.peers) > indexFrom:
		t.reindex(k)
	}
	return pos
}

// grow makes room for an eighth more peers, in small tables for as many again:
// less than append does, for memory is what a tracker runs out of.
func (t *table[A]) grow() {
	n := len(t.peers)
	t.peers = append(make([]peer[A], 0, n+max(min(n, 8), n/8, 1)), t.peers...)
}

// remove takes out the peer at pos and returns it. The positions of others may
// change, but only of those behind pos, and only to pos or behind it.
func (t *table[A]) remove(k *keys, pos int) peer[A] {
	p := t.peers[pos]
	t.countScope(&p, -1)
	if t.index.slots != nil {
		t.unlink(k, pos)
	}
	if pos < t.leeches {
		t.leeches--
		t.move(k, t.leeches, pos)
		pos = t.leeches
	}
	end := len(t.peers) - 1
	t.move(k, end, pos)
	t.peers = t.peers[:end]
	if cap(t.peers) > shrinkAt && end < cap(t.peers)/4 {
		t.peers = append(make([]peer[A], 0, end*3/2), t.peers...)
		t.reindex(k)
	}
	return p
}

// move puts the peer at from into the place to, which holds nobody.
func (t *table[A]) move(k *keys, from, to int) {
	if from == to {
		return
	}
	p := t.peers[from]
	t.peers[to] = p
	if t.index.slots == nil {
		return
	}
	t.index.repoint(hashAddr(k, p.addr, p.port), byAddr, from, to)
	if p.id != 0 {
		t.index.repoint(hashID(p.id), byID, from, to)
	}
}

// link adds the peer at pos to the index, which has room.
func (t *table[A]) link(k *keys, pos int) {
	p := &t.peers[pos]
	t.index.add(hashAddr(k, p.addr, p.port), byAddr, pos)
	if p.id != 0 {
		t.index.add(hashID(p.id), byID, pos)
	}
}

// unlink takes the peer at pos out of the index.
func (t *table[A]) unlink(k *keys, pos int) {
	hash := func(s slot) uint64 {
		p := &t.peers[s.pos()]
		if s.kind() == byID {
			return hashID(p.id)
		}
		return hashAddr(k, p.addr, p.port)
	}
	p := &t.peers[pos]
	t.index.drop(hashAddr(k, p.addr, p.port), byAddr, pos, hash)
	if p.id != 0 {
		t.index.drop(hashID(p.id), byID, pos, hash)
	}
}

// reindex builds the index anew for the present number of peers, or drops it
// when there are few.
func (t *table[A]) reindex(k *keys) {
	t.index = index{}
	if len(t.peers) <= indexFrom {
		return
	}
	entries := len(t.peers)
	for i := range t.peers {
		if t.peers[i].id != 0 {
			entries++
		}
	}
	t.index = newIndex(entries)
	for pos := range t.peers {
		t.link(k, pos)
	}
}
