package dht_test

import (
	"math"

	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/dht"
	"github.com/seedserver/bittorrent/dht/krpc"
)

// liar is a hostile node. It answers every query, names only invented nodes close to the target and its accomplices, and
// invents peers; a third of them do not answer at all.
func liar(id dht.ID, silent bool, accomplices func() netip.AddrPort) func(*network, netip.AddrPort, []byte) []byte {
	return func(n *network, from netip.AddrPort, data []byte) []byte {
		var m krpc.Message
		if silent || m.Parse(data) != nil || m.Kind != krpc.Query {
			return nil
		}
		r := krpc.Message{Kind: krpc.Response, T: m.T, ID: id, External: n.address()} // a false address, too
		if m.Method == krpc.FindNode || m.Method == krpc.GetPeers {
			for i := range 8 {
				node := compact.Node{ID: m.Target, Addr: n.address()}
				node.ID[19-i/4] ^= byte(1 + n.rand.IntN(255))
				if i%2 == 0 {
					node.Addr = accomplices()
				}
				r.Nodes = compact.AppendNode(r.Nodes, node)
			}
			r.Token = []byte("false")
		}
		return r.AppendTo(nil)
	}
}

// simulation is what came of the lookups.
type simulation struct {
	lookups, found    int
	hops, packets     []int
	contacts          []int
	asked, answered   int
	packetsPerNodeMin float64
}

// simulate runs size nodes, of which hostile lie, for half an hour in which churn of them are replaced, and lets random nodes look
// for what others published.
func simulate(seed uint64, size int, hostile, churn float64) (s simulation) {
	n := newNetwork(seed)
	n.loss = 0.01
	router := n.address()
	n.add(router, n.config(router))
	var honest []*host
	var liars []netip.AddrPort
	for i := range size {
		addr := n.address()
		if float64(i%100) < 100*hostile {
			id := dht.NewID(addr.Addr(), n.rand)
			n.hosts[addr] = &host{addr: addr, answer: liar(id, i%3 == 0, func() netip.AddrPort { return liars[n.rand.IntN(len(liars))] })}
			liars = append(liars, addr)
			// A liar joins by asking around.
			query := krpc.Message{Kind: krpc.Query, Method: krpc.Ping, ID: id, T: []byte("x")}
			for range 20 {
				if len(honest) > 0 {
					n.send(addr, honest[n.rand.IntN(len(honest))].addr, query.AppendTo(nil))
				}
			}
			continue
		}
		honest = append(honest, n.add(addr, n.config(addr), router))
		if i%20 == 0 {
			n.run(time.Second)
		}
	}
	n.run(2 * time.Minute)

	// Every infohash has two publishers, who do not leave: what is tested is whether they are found among the others who do.
	infohashes := size / 10
	published := make([]dht.ID, infohashes)
	keep := map[*host]bool{}
	for i := range published {
		published[i] = dht.NewID(netip.Addr{}, n.rand)
		for k := range 2 {
			h := honest[(2*i+k)%len(honest)]
			keep[h] = true
			n.do(h, func(now time.Time, node *dht.Node) { node.Publish(now, published[i]) })
		}
	}
	n.run(2 * time.Minute)

	// In half an hour, churn of all honest nodes leave without a word, and as many new ones come.
	before := n.packets
	const steps = 150
	leaving := churn * float64(len(honest)) / steps
	carry := 0.0
	for range steps {
		for carry += leaving; carry >= 1; carry-- {
			i := n.rand.IntN(len(honest))
			for keep[honest[i]] {
				i = n.rand.IntN(len(honest))
			}
			delete(n.hosts, honest[i].addr)
			addr := n.address()
			honest[i] = n.add(addr, n.config(addr), router)
		}
		n.run(12 * time.Second)
		asker, infohash := honest[n.rand.IntN(len(honest))], published[n.rand.IntN(infohashes)]
		for asker.node.Stats(n.now).Families[0].Contacts < 8 {
			asker = honest[n.rand.IntN(len(honest))]
		}
		asker.results = nil
		var id dht.LookupID
		n.do(asker, func(now time.Time, node *dht.Node) { id = node.Lookup(now, infohash, dht.Peers) })
		done, peers := n.finished(asker, id)
		s.lookups++
		if len(peers) > 0 {
			s.found++
		}
		s.hops, s.packets = append(s.hops, done.Hops), append(s.packets, done.Packets)
		s.asked, s.answered = s.asked+done.Asked, s.answered+done.Answered
	}
	for _, h := range honest {
		s.contacts = append(s.contacts, h.node.Stats(n.now).Families[0].Contacts)
	}
	s.packetsPerNodeMin = float64(n.packets-before) / float64(size) / 30
	return s
}

func mean(list []int) float64 {
	sum := 0
	for _, x := range list {
		sum += x
	}
	return float64(sum) / float64(len(list))
}

func percentile(list []int, p float64) int {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[int(p*float64(len(sorted)-1))]
}

// A thousand nodes, 30 % of which are replaced within half an hour, 10 % of which lie: what is published is found in 99 of 100
// lookups, in about log2 n steps at most.
func TestSimulatedThousand(t *testing.T) {
	size := 1000
	if testing.Short() || raceDetector {
		size = 200
	}
	seed := uint64(7)
	s := simulate(seed, size, 0.10, 0.30)
	log2 := math.Log2(float64(size))
	t.Logf("seed %d, %d nodes, log2 n %.1f: %d of %d lookups found peers; hops mean %.1f, max %d; queries a lookup mean %.1f, 95 %% %d, max %d, answered %.0f %%; contacts mean %.0f, max %d; %.1f packets a node and minute",
		seed, size, log2, s.found, s.lookups, mean(s.hops), slices.Max(s.hops), mean(s.packets), percentile(s.packets, 0.95), slices.Max(s.packets),
		100*float64(s.answered)/float64(s.asked), mean(s.contacts), slices.Max(s.contacts), s.packetsPerNodeMin)
	require.GreaterOrEqual(t, float64(s.found), 0.99*float64(s.lookups))
	require.LessOrEqual(t, mean(s.hops), log2)
	require.LessOrEqual(t, mean(s.packets), 6*log2)
	require.LessOrEqual(t, slices.Max(s.contacts), dht.MaxTable)
}
