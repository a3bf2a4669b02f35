package dht

import (
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht/krpc"
)

// Bounds of an answer in bytes. A stranger's address may be forged, so that the answer goes to somebody who did not ask: it is
// kept short until the address has proved to be real, by an answer to a query of ours.
const (
	MaxAnswer         = 1200 // to a node of our table, over IPv4
	MaxAnswer6        = 1024 // the same over IPv6 (BEP 32)
	MaxStrangerAnswer = 600  // to any other
)

var (
	badToken      = krpc.Error{Code: krpc.CodeProtocol, Message: "bad token"}
	unknownMethod = krpc.Error{Code: krpc.CodeMethod, Message: "method unknown"}
	serverFull    = krpc.Error{Code: krpc.CodeServer, Message: "no room for more peers"}
)

// query answers a query, within the limits. refused is what is wrong with it, if something is.
func (n *Node) query(now time.Time, f *family, from netip.AddrPort, m *krpc.Message, refused *krpc.Error) {
	if n.config.ReadOnly || ID(m.ID) == f.id {
		return
	}
	if !n.asking.allow(now, n.asking.ofHost(from.Addr())) || !n.answering.take(now) {
		n.stats.Dropped++
		return
	}
	n.stats.Received[m.Method]++
	if refused != nil {
		n.refuse(f, from, m.T, refused)
		return
	}
	known := false
	if !m.ReadOnly {
		known = f.queried(now, ID(m.ID), from)
	}
	a := &n.answer
	*a = krpc.Message{Kind: krpc.Response, T: m.T, ID: f.id, External: from, Version: n.version}
	target := ID(m.Target)
	switch {
	case m.Method == krpc.Ping:
	case m.Method == krpc.GetPeers:
		n.nodes(f, a, m.Want, target, from)
		if !f.full(&target) {
			n.token = n.tokens.make(now, from.Addr(), &target)
			a.Token = n.token[:]
		}
		n.values(now, f, a, target, known)
	case m.Method == krpc.AnnouncePeer:
		if refused := n.store(now, f, from, m); refused != nil {
			n.refuse(f, from, m.T, refused)
			return
		}
	case m.HasTarget: // find_node, and methods of the future
		n.nodes(f, a, m.Want, target, from)
	default:
		n.refuse(f, from, m.T, &unknownMethod)
		return
	}
	n.send(f, from, a)
	n.stats.Answered++
}

// nodes puts the closest nodes of the wanted families into an answer.
func (n *Node) nodes(f *family, a *krpc.Message, want krpc.Want, target ID, from netip.AddrPort) {
	if want == 0 {
		want = f.wants()
	}
	public := !IsLocal(from.Addr())
	if want&krpc.Want4 != 0 && n.families[0] != nil {
		n.list4 = n.families[0].list(n.list4[:0], target, public)
		a.Nodes = n.list4
	}
	if want&krpc.Want6 != 0 && n.families[1] != nil {
		n.list6 = n.families[1].list(n.list6[:0], target, public)
		a.Nodes6 = n.list6
	}
}

// list appends the contacts closest to target in their compact form.
func (f *family) list(dst []byte, target ID, public bool) []byte {
	near := &f.node.near
	near.target, near.public, near.size, near.limit = target, public, 0, bucketSize
	f.table.closest(near)
	for _, c := range near.contacts[:near.size] {
		dst = compact.AppendNode(dst, compact.Node{ID: c.id, Addr: c.addr})
	}
	return dst
}

// values puts as many peers into an answer as its size allows.
func (n *Node) values(now time.Time, f *family, a *krpc.Message, target ID, known bool) {
	room, size := MaxStrangerAnswer, len("6:")+compact.Peer4Size
	if f.six {
		size = len("18:") + compact.Peer6Size
	}
	if known {
		if room = MaxAnswer; f.six {
			room = MaxAnswer6
		}
	}
	room -= 150 + len(a.T) + len(a.Nodes) + len(a.Nodes6) // 150: ids, keys, address, token, version
	if room < size {
		return
	}
	n.peers.Reset()
	if own := f.ourselves(a.External.Addr()); own.IsValid() && n.plan.all[target] != nil {
		n.peers.Add(netip.AddrPortFrom(own, n.config.Port)) // who asks us for what we have need not ask others
		room -= size
	}
	if f.six {
		n.stored6.sample(now, &target, room/size, n.rand, &n.peers, netip.AddrFrom16)
	} else {
		n.stored4.sample(now, &target, room/size, n.rand, &n.peers, netip.AddrFrom4)
	}
	a.Values = n.peers.Values()
}

// store keeps an announced peer.
func (n *Node) store(now time.Time, f *family, from netip.AddrPort, m *krpc.Message) *krpc.Error {
	infohash := ID(m.Target)
	if !n.tokens.valid(now, m.Token, from.Addr(), &infohash) {
		return &badToken
	}
	port, stored := m.Port, false
	if m.ImpliedPort {
		port = from.Port()
	}
	if f.six {
		stored = n.stored6.add(now, &infohash, from.Addr().As16(), port, m.Seed)
	} else {
		stored = n.stored4.add(now, &infohash, from.Addr().As4(), port, m.Seed)
	}
	if !stored {
		return &serverFull
	}
	return nil
}

func (f *family) full(infohash *ID) bool {
	if f.six {
		return f.node.stored6.full(infohash)
	}
	return f.node.stored4.full(infohash)
}

func (n *Node) refuse(f *family, to netip.AddrPort, t []byte, e *krpc.Error) {
	n.text = append(n.text[:0], e.Message...)
	n.answer = krpc.Message{Kind: krpc.Failure, T: t, Code: e.Code, Text: n.text, External: to, Version: n.version}
	n.send(f, to, &n.answer)
	n.stats.Refusals++
}
