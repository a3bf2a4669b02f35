package dht_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/krpc"
)

// small is a network of count nodes that know each other.
func small(count int) (*network, []*host) {
	n := newNetwork(3)
	router := n.address()
	hosts := []*host{n.add(router, n.config(router))}
	for range count {
		addr := n.address()
		hosts = append(hosts, n.add(addr, n.config(addr), router))
	}
	n.run(time.Minute)
	return n, hosts[1:]
}

// asker speaks to one node and keeps its answers.
type asker struct {
	n       *network
	addr    netip.AddrPort
	to      *host
	id      dht.ID
	answers []krpc.Message
	raw     [][]byte
}

func newAsker(n *network, to *host) *asker {
	a := &asker{n: n, addr: n.address(), to: to}
	a.id = dht.NewID(a.addr.Addr(), n.rand)
	n.hosts[a.addr] = &host{addr: a.addr, answer: func(_ *network, _ netip.AddrPort, data []byte) []byte {
		var m krpc.Message
		if m.Parse(data) == nil && m.Kind != krpc.Query {
			a.answers, a.raw = append(a.answers, m), append(a.raw, data)
		}
		return nil
	}}
	return a
}

// ask sends a query and returns its answer, nil if there is none.
func (a *asker) ask(q krpc.Message) *krpc.Message {
	q.Kind, q.T = krpc.Query, []byte("aa")
	if q.ID == [20]byte{} {
		q.ID = a.id
	}
	return a.send(q.AppendTo(nil))
}

func (a *asker) send(packet []byte) *krpc.Message {
	before := len(a.answers)
	a.n.send(a.addr, a.to.addr, packet)
	a.n.run(time.Second)
	if len(a.answers) == before {
		return nil
	}
	return &a.answers[len(a.answers)-1]
}

// BEP 5: ping, find_node, get_peers and announce_peer, and what is wrong with them.
func TestAnswers(t *testing.T) {
	n, hosts := small(30)
	a := newAsker(n, hosts[0])
	infohash := dht.ID{1, 2, 3}

	r := a.ask(krpc.Message{Method: krpc.Ping})
	require.Equal(t, hosts[0].node.Save().ID4, dht.ID(r.ID))
	require.Equal(t, "aa", string(r.T))
	require.Equal(t, a.addr, r.External, "BEP 42: the ip of who asks")

	r = a.ask(krpc.Message{Method: krpc.FindNode, Target: infohash})
	require.Len(t, r.Nodes, 8*compact.Node4Size)
	require.Empty(t, r.Token)

	r = a.ask(krpc.Message{Method: krpc.GetPeers, Target: infohash})
	require.Len(t, r.Nodes, 8*compact.Node4Size)
	require.NotEmpty(t, r.Token)
	require.Empty(t, r.Values)

	announce := krpc.Message{Method: krpc.AnnouncePeer, Target: infohash, Port: 7000, Token: r.Token}
	require.Equal(t, krpc.Response, a.ask(announce).Kind)
	announce.ImpliedPort = true
	require.Equal(t, krpc.Response, a.ask(announce).Kind)
	r = a.ask(krpc.Message{Method: krpc.GetPeers, Target: infohash})
	var got []netip.AddrPort
	for p := range r.Values.All() {
		got = append(got, p)
	}
	require.ElementsMatch(t, []netip.AddrPort{netip.AddrPortFrom(a.addr.Addr(), 7000), a.addr}, got)
	require.Len(t, r.Nodes, 8*compact.Node4Size, "nodes too, as BEP 32 says")

	announce.Target = dht.ID{9}
	r = a.ask(announce)
	require.Equal(t, krpc.Failure, r.Kind, "a token holds for its infohash only")
	require.Equal(t, krpc.CodeProtocol, r.Code)

	r = a.send([]byte("d1:ad2:id20:abcdefghij0123456789e1:q3:foo1:t2:aa1:y1:qe"))
	require.Equal(t, krpc.CodeMethod, r.Code)
	r = a.send([]byte("d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q3:foo1:t2:aa1:y1:qe"))
	require.Len(t, r.Nodes, 8*compact.Node4Size, "methods of the future find nodes")
	r = a.send([]byte("d1:ad2:id3:abce1:q4:ping1:t2:aa1:y1:qe"))
	require.Equal(t, krpc.CodeProtocol, r.Code)
	require.Nil(t, a.send([]byte("garbage")))
	require.Nil(t, a.send([]byte("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:y1:qe")), "without t")
	require.Nil(t, a.send([]byte("d1:rd2:id20:abcdefghij0123456789e1:t2:aa1:y1:re")), "an answer to nothing")
	require.Nil(t, a.ask(krpc.Message{Method: krpc.Ping, ID: hosts[0].node.Save().ID4}), "ourselves")
}

// The answers of each kind are bounded, in bytes and against what was asked.
func TestAmplification(t *testing.T) {
	n, hosts := small(30)
	h := hosts[0]
	infohash := dht.ID{1, 2, 3}
	for range 300 { // enough peers for any answer
		a := newAsker(n, h)
		r := a.ask(krpc.Message{Method: krpc.GetPeers, Target: infohash})
		a.ask(krpc.Message{Method: krpc.AnnouncePeer, Target: infohash, Port: 7000, Token: r.Token})
	}
	a := newAsker(n, h)
	ratio := func(q krpc.Message) (size int, ratio float64) {
		a.ask(q)
		q.Kind, q.T, q.ID = krpc.Query, []byte("aa"), a.id
		size = len(a.raw[len(a.raw)-1])
		return size, float64(size) / float64(len(q.AppendTo(nil)))
	}
	token := a.ask(krpc.Message{Method: krpc.GetPeers, Target: infohash}).Token
	for _, tt := range []struct {
		q     krpc.Message
		bound float64
	}{
		{krpc.Message{Method: krpc.Ping}, 1.6},
		{krpc.Message{Method: krpc.FindNode, Target: infohash}, 3.2},
		{krpc.Message{Method: krpc.GetPeers, Target: infohash}, 6.5},
		{krpc.Message{Method: krpc.AnnouncePeer, Target: infohash, Port: 7000, Token: token}, 1},
		{krpc.Message{Method: krpc.AnnouncePeer, Target: dht.ID{7}, Port: 7000, Token: token}, 1},
	} {
		size, ratio := ratio(tt.q)
		t.Logf("%v: %d bytes, %.2f times", tt.q.Method, size, ratio)
		require.LessOrEqual(t, size, dht.MaxStrangerAnswer)
		require.LessOrEqual(t, ratio, tt.bound, tt.q.Method)
	}

	// Of a node that has answered, more is believed.
	known := hosts[1]
	var id dht.LookupID
	n.do(known, func(now time.Time, node *dht.Node) { id = node.Lookup(now, infohash, dht.Peers) })
	n.finished(known, id)
	long := krpc.Message{Kind: krpc.Query, Method: krpc.GetPeers, T: []byte(strings.Repeat("x", 200)), ID: known.node.Save().ID4, Target: infohash}
	var sizes []int
	n.hosts[known.addr] = &host{addr: known.addr, answer: func(_ *network, _ netip.AddrPort, data []byte) []byte {
		sizes = append(sizes, len(data))
		return nil
	}}
	n.send(known.addr, h.addr, long.AppendTo(nil))
	n.run(time.Second)
	require.NotEmpty(t, sizes)
	require.LessOrEqual(t, sizes[0], dht.MaxAnswer)
	require.Greater(t, sizes[0], dht.MaxStrangerAnswer)
}

// One source gets 50 answers at once and 10 a second from then on; others are served all the while.
func TestFloodLeavesOthersServed(t *testing.T) {
	n, hosts := small(10)
	flooder, other := newAsker(n, hosts[0]), newAsker(n, hosts[0])
	q := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, T: []byte("aa"), ID: flooder.id}
	packet := q.AppendTo(nil)
	served := 0
	for range 10 {
		for range 1000 {
			n.send(flooder.addr, hosts[0].addr, packet)
		}
		if other.ask(krpc.Message{Method: krpc.Ping}) != nil {
			served++
		}
	}
	require.Equal(t, 10, served)
	require.LessOrEqual(t, len(flooder.answers), 50+10*10)
	require.GreaterOrEqual(t, len(flooder.answers), 100)
	require.NotZero(t, hosts[0].node.Stats(n.now).Dropped)
}

func TestPublishedIsFound(t *testing.T) {
	n, hosts := small(50)
	infohash := dht.NewID(netip.Addr{}, n.rand)
	n.do(hosts[3], func(now time.Time, node *dht.Node) { node.Publish(now, infohash) })
	n.run(20 * time.Second)
	done := take[dht.Finished](hosts[3])
	require.NotEmpty(t, done)
	require.GreaterOrEqual(t, done[0].Announced, 7)

	find := func() []netip.AddrPort {
		var id dht.LookupID
		n.do(hosts[40], func(now time.Time, node *dht.Node) { id = node.Lookup(now, infohash, dht.Peers) })
		done, peers := n.finished(hosts[40], id)
		require.NotZero(t, done.Answered)
		require.Len(t, done.Closest, 8)
		return peers
	}
	want := []netip.AddrPort{netip.AddrPortFrom(hosts[3].addr.Addr(), 7000)}
	require.Equal(t, want, find(), "each peer once")
	n.run(80 * time.Minute)
	require.Equal(t, want, find(), "announced again")
	n.do(hosts[3], func(_ time.Time, node *dht.Node) { node.Withdraw(infohash) })
	n.run(60 * time.Minute)
	require.Empty(t, find(), "forgotten")
}

// Who asks us for what we publish is told of us, before any other node could tell.
func TestWeTellOfOurselves(t *testing.T) {
	n := newNetwork(5)
	addr := n.address()
	h := n.add(addr, n.config(addr))
	infohash := dht.ID{1}
	n.do(h, func(now time.Time, node *dht.Node) { node.Publish(now, infohash) })
	var got []netip.AddrPort
	for p := range newAsker(n, h).ask(krpc.Message{Method: krpc.GetPeers, Target: infohash}).Values.All() {
		got = append(got, p)
	}
	require.Equal(t, []netip.AddrPort{netip.AddrPortFrom(addr.Addr(), 7000)}, got)
	require.Empty(t, newAsker(n, h).ask(krpc.Message{Method: krpc.GetPeers, Target: dht.ID{2}}).Values)
}

func TestLookupOfNodes(t *testing.T) {
	n, hosts := small(50)
	target := hosts[7].node.Save().ID4
	var id dht.LookupID
	n.do(hosts[40], func(now time.Time, node *dht.Node) { id = node.Lookup(now, target, dht.Nodes) })
	done, _ := n.finished(hosts[40], id)
	require.Equal(t, dht.Contact{ID: target, Addr: hosts[7].addr}, done.Closest[0])

	n.do(hosts[40], func(now time.Time, node *dht.Node) { node.Stop(node.Lookup(now, target, dht.Announce)) })
	n.run(time.Minute)
	require.Empty(t, take[dht.Finished](hosts[40]), "stopped")
}

func TestPing(t *testing.T) {
	n, hosts := small(2)
	n.loss = 0
	nobody := n.address()
	n.do(hosts[0], func(now time.Time, node *dht.Node) {
		node.Ping(now, hosts[1].addr)
		node.Ping(now, nobody)
		node.Ping(now, netip.MustParseAddrPort("[2001:db8::1]:7000"))
	})
	n.run(time.Minute)
	pongs := take[dht.Pong](hosts[0])
	require.Len(t, pongs, 3)
	require.False(t, pongs[0].OK, "not our family")
	require.True(t, pongs[1].OK)
	require.Equal(t, hosts[1].node.Save().ID4, pongs[1].ID)
	require.NotZero(t, pongs[1].RTT)
	require.Equal(t, hosts[0].addr, pongs[1].External)
	require.Equal(t, dht.Pong{Ping: 2, Addr: nobody}, pongs[2])
}

// BEP 43: "A read-only node must set 'ro' [...] and should not respond to queries"; others do not put it into their tables.
func TestReadOnly(t *testing.T) {
	n, hosts := small(20)
	addr := n.address()
	c := n.config(addr)
	c.ReadOnly = true
	h := n.add(addr, c, hosts[0].addr)
	n.run(5 * time.Minute)
	require.NotZero(t, h.node.Stats(n.now).Families[0].Contacts)
	for _, other := range hosts {
		for _, node := range other.node.Save().Nodes {
			require.NotEqual(t, addr, node.Addr)
		}
	}
	require.Nil(t, newAsker(n, h).ask(krpc.Message{Method: krpc.Ping}))
}

// BEP 42: a node learns its address from ten others, and takes an id that fits it.
func TestRename(t *testing.T) {
	n, _ := small(30)
	addr := n.address()
	c := n.config(addr)
	c.External = nil
	h := n.add(addr, c)
	n.do(h, func(now time.Time, node *dht.Node) {
		for _, a := range slices.SortedFunc(maps.Keys(n.hosts), netip.AddrPort.Compare) {
			node.AddNodes(now, a)
		}
	})
	require.False(t, dht.Compliant(h.node.Save().ID4, addr.Addr()))
	n.run(2 * time.Minute)
	s := h.node.Stats(n.now)
	require.Equal(t, addr.Addr(), s.Families[0].External)
	require.True(t, dht.Compliant(s.Families[0].ID, addr.Addr()))
	require.EqualValues(t, 1, s.Renames)
	require.Greater(t, s.Families[0].Contacts, 8)
}

// A node that was saved comes back without any router.
func TestSaved(t *testing.T) {
	n, hosts := small(30)
	saved := hosts[0].node.Save()
	require.NotEmpty(t, saved.Nodes)
	c := n.config(hosts[0].addr)
	c.Saved = saved
	h := n.add(hosts[0].addr, c)
	n.run(time.Minute)
	require.Equal(t, saved.ID4, h.node.Save().ID4)
	require.Greater(t, h.node.Stats(n.now).Families[0].Contacts, 8)
	require.True(t, h.node.Stats(n.now).Families[0].Ready)
}

func TestAddNodes(t *testing.T) {
	n, hosts := small(30)
	addr := n.address()
	h := n.add(addr, n.config(addr))
	n.do(h, func(now time.Time, node *dht.Node) {
		node.AddNodes(now, hosts[0].addr, netip.MustParseAddrPort("192.0.2.1:53"))
	})
	n.run(time.Minute)
	require.Greater(t, h.node.Stats(n.now).Families[0].Contacts, 8)
}

// BEP 32: two DHTs, each with its own nodes; "want" asks for those of both.
func TestTwoFamilies(t *testing.T) {
	n := newNetwork(5)
	addr := n.address()
	c := n.config(addr)
	c.IPv6 = true
	h := n.add(addr, c)
	six := netip.MustParseAddrPort("[2001:db8::7]:7000")
	peer := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, T: []byte("x"), ID: dht.NewID(six.Addr(), n.rand)}
	answer := func(network *network, from netip.AddrPort, data []byte) []byte {
		var m krpc.Message
		if m.Parse(data) != nil || m.Kind != krpc.Query {
			return nil
		}
		require.True(t, m.Method == krpc.Ping || m.Want == krpc.Want6)
		r := krpc.Message{Kind: krpc.Response, T: m.T, ID: peer.ID}
		return r.AppendTo(nil)
	}
	n.hosts[six] = &host{addr: six, answer: answer}
	h.node.Receive(n.now, dht.Packet{Addr: six, Data: peer.AppendTo(nil)})
	packets := h.node.Drain()
	require.Len(t, packets, 2, "a ping to see who that is, and an answer")
	h.node.Receive(n.now, dht.Packet{Addr: six, Data: answer(n, six, packets[0].Data)})
	n.after(h)

	r := newAsker(n, h).ask(krpc.Message{Method: krpc.FindNode, Target: dht.ID{1}, Want: krpc.Want4 | krpc.Want6})
	nodes, err := compact.Nodes6(r.Nodes6)
	require.NoError(t, err)
	require.Equal(t, []compact.Node{{ID: peer.ID, Addr: six}}, nodes)
	require.NotNil(t, r.Nodes, "asked for, though empty")
	require.Len(t, h.node.Stats(n.now).Families, 2)
}

// Answering a query costs no memory.
func TestAnsweringDoesNotAllocate(t *testing.T) {
	n, hosts := small(30)
	c := n.config(hosts[0].addr)
	c.Saved, c.Answers, c.AnswersPerSource = hosts[0].node.Save(), -1, -1
	h := n.add(hosts[0].addr, c)
	n.run(time.Minute)
	var token []byte
	for _, method := range []krpc.Method{krpc.Ping, krpc.FindNode, krpc.GetPeers, krpc.AnnouncePeer} {
		q := krpc.Message{Kind: krpc.Query, Method: method, T: []byte("aa"), ID: hosts[1].node.Save().ID4, Target: dht.ID{1}, Port: 7000, Token: token}
		p := dht.Packet{Addr: hosts[1].addr, Data: q.AppendTo(nil)}
		var out []dht.Packet
		require.Zero(t, testing.AllocsPerRun(100, func() {
			h.node.Receive(n.now, p)
			out = h.node.Drain()
		}), method)
		require.Len(t, out, 1)
		var m krpc.Message
		require.NoError(t, m.Parse(out[0].Data))
		require.Equal(t, krpc.Response, m.Kind)
		token = append([]byte(nil), m.Token...)
	}
}

func BenchmarkReceive(b *testing.B) {
	n := newNetwork(1)
	addr := n.address()
	c := n.config(addr)
	c.Answers, c.AnswersPerSource = -1, -1
	h := n.add(addr, c)
	for range 400 {
		from := n.address()
		q := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, T: []byte("aa"), ID: dht.NewID(from.Addr(), n.rand)}
		h.node.Receive(n.now, dht.Packet{Addr: from, Data: q.AppendTo(nil)})
		for _, p := range h.node.Drain() {
			var m krpc.Message
			if m.Parse(p.Data) == nil && m.Kind == krpc.Query {
				r := krpc.Message{Kind: krpc.Response, T: m.T, ID: q.ID}
				h.node.Receive(n.now, dht.Packet{Addr: p.Addr, Data: r.AppendTo(nil)})
			}
		}
	}
	from := n.address()
	for _, method := range []krpc.Method{krpc.Ping, krpc.FindNode, krpc.GetPeers} {
		b.Run(fmt.Sprintf("%v/contacts=%d", method, h.node.Stats(n.now).Families[0].Contacts), func(b *testing.B) {
			q := krpc.Message{Kind: krpc.Query, Method: method, T: []byte("aaaa"), ID: dht.ID{1, 2, 3}, Target: dht.NewID(netip.Addr{}, n.rand), ReadOnly: true}
			p := dht.Packet{Addr: from, Data: q.AppendTo(nil)}
			b.ReportAllocs()
			for b.Loop() {
				h.node.Receive(n.now, p)
				h.node.Drain()
			}
		})
	}
}

// FuzzReceive lets strangers send what they like to a node that has lookups and announces under way: nothing panics, answers
// are bounded, and they go to who asked.
func FuzzReceive(f *testing.F) {
	for _, s := range []string{
		"d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe",
		"d1:ad2:id20:abcdefghij01234567896:target20:mnopqrstuvwxyz123456e1:q9:find_node1:t2:aa1:y1:qe",
		"d1:ad2:id20:abcdefghij01234567899:info_hash20:mnopqrstuvwxyz123456e1:q9:get_peers1:t2:aa1:y1:qe",
		"d1:rd2:id20:abcdefghij01234567895:nodes0:5:token8:aoeusnth6:valuesl6:axje.u6:idhtnmee1:t4:aaaa1:y1:re",
		"d1:eli201e23:A Generic Error Ocurrede1:t4:aaaa1:y1:ee",
	} {
		f.Add([]byte(s), uint16(6881))
	}
	router := netip.MustParseAddrPort("192.0.2.9:6881")
	f.Fuzz(func(t *testing.T, data []byte, port uint16) {
		n := newNetwork(1)
		addr := n.address()
		c := n.config(addr)
		c.IPv6 = true
		node := dht.New(n.now, c)
		node.AddRouters(n.now, router)
		node.Publish(n.now, dht.ID{1})
		node.Lookup(n.now, dht.ID{2}, dht.Announce)
		node.Advance(n.now)
		sent := node.Drain()
		require.NotEmpty(t, sent)
		var q krpc.Message
		require.NoError(t, q.Parse(sent[0].Data))
		transaction := string(q.T)

		// What came, and the same as an answer to what we asked.
		var m krpc.Message
		if m.Parse(data) == nil && m.Kind != krpc.Query {
			m.T = []byte(transaction)
			node.Receive(n.now, dht.Packet{Addr: router, Data: m.AppendTo(nil)})
		}
		node.Drain()
		from := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.5"), port)
		node.Receive(n.now, dht.Packet{Addr: from, Data: data})
		for _, p := range node.Drain() {
			require.LessOrEqual(t, len(p.Data), dht.MaxAnswer)
			require.NotZero(t, p.Addr.Port())
		}
		for range 20 {
			at := node.Deadline()
			node.Advance(at)
			node.Drain()
			node.Results()
		}
	})
}
