package dht

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/seedserver/bittorrent/dht/krpc"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func seeded() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// host4 returns the i-th of many public addresses, each in a subnet of its own.
func host4(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(20 + i>>16), byte(i >> 8), byte(i), 9}), 6881)
}

// BEP 42: "the first 21 bits" of the id are those of the CRC32-C of the masked address, and the last byte is the random number.
func TestCompliantVectors(t *testing.T) {
	b, err := os.ReadFile("testdata/bep42.json")
	require.NoError(t, err)
	var v struct {
		Vectors []struct {
			IP     string
			NodeID string `json:"node_id"`
			Rand   byte
			CRC    string `json:"crc32c"`
			Valid  bool
		}
		Exempt []string
	}
	require.NoError(t, json.Unmarshal(b, &v))
	require.NotEmpty(t, v.Vectors)
	for _, row := range v.Vectors {
		raw, err := hex.DecodeString(row.NodeID)
		require.NoError(t, err)
		addr := netip.MustParseAddr(row.IP)
		require.Equal(t, row.Valid, Compliant(ID(raw), addr), row.IP)
		crc, err := hex.DecodeString(row.CRC)
		require.NoError(t, err)
		require.Equal(t, binary.BigEndian.Uint32(crc)&0xfffff800, prefixOf(addr, row.Rand))
		require.True(t, Compliant(NewID(addr, seeded()), addr))
	}
	for _, p := range []string{"10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "127.0.0.1"} {
		require.True(t, Compliant(ID{}, netip.MustParseAddr(p)), p)
	}
	require.False(t, Compliant(ID{1}, netip.MustParseAddr("192.0.2.1")))
}

func TestIDs(t *testing.T) {
	r := seeded()
	a := randomID(r)
	require.Equal(t, 160, sharedBits(&a, &a))
	for n := range 160 {
		b := idSharing(&a, n, r)
		require.Equal(t, n, sharedBits(&a, &b))
		require.Negative(t, compareDistance(&a, &a, &b))
		require.Positive(t, compareDistance(&a, &b, &a))
		require.Zero(t, compareDistance(&a, &b, &b))
	}
	require.Len(t, a.String(), 40)
}

// The table's answer is that of sorting all contacts, whatever happened before.
func TestClosestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		own := randomID(r)
		tb := newTable(own)
		now := start
		var known []Contact
		for i := range rapid.IntRange(1, 400).Draw(t, "nodes") {
			id := idSharing(&own, r.IntN(20), r)
			tb.answered(now, &id, host4(i))
			known = append(known, Contact{id, host4(i)})
			if r.IntN(4) == 0 {
				k := known[r.IntN(len(known))]
				tb.failed(&k.ID, k.Addr)
			}
			now = now.Add(time.Second)
		}
		checkTable(t, tb)
		var all []ID
		for i := range tb.buckets {
			for _, c := range tb.buckets[i].contacts {
				if c.fails < badAfter {
					all = append(all, c.id)
				}
			}
		}
		n := nearest{target: idSharing(&own, r.IntN(30), r), limit: bucketSize}
		slices.SortFunc(all, func(a, b ID) int { return compareDistance(&n.target, &a, &b) })
		tb.closest(&n)
		var got []ID
		for _, c := range n.contacts[:n.size] {
			got = append(got, c.id)
		}
		require.Equal(t, all[:min(bucketSize, len(all))], got)
	})
}

func checkTable(t require.TestingT, tb *table) {
	size, hosts := 0, map[netip.Addr]int{}
	for i := range tb.buckets {
		b := &tb.buckets[i]
		require.LessOrEqual(t, len(b.contacts), capacity(i))
		require.LessOrEqual(t, len(b.spare), bucketSize)
		require.Len(t, b.keys, len(b.contacts))
		for k, c := range b.contacts {
			require.Equal(t, i, sharedBits(&tb.own, &c.id))
			require.Equal(t, c.id.key(), b.keys[k])
			hosts[c.addr.Addr()]++
		}
		for _, c := range b.spare {
			hosts[c.addr.Addr()]++
		}
		size += len(b.contacts)
	}
	require.Equal(t, size, tb.size)
	for addr, n := range hosts {
		require.Equal(t, 1, n)
		host, subnet := prefixes(addr)
		require.Equal(t, 1, tb.hosts[host])
		require.LessOrEqual(t, tb.hosts[subnet], perSubnet)
	}
}

func TestTableAdmits(t *testing.T) {
	tb := newTable(ID{})
	add := func(id byte, addr string) int {
		a := netip.MustParseAddrPort(addr)
		node := ID{0x80, id}
		tb.answered(start, &node, a)
		return tb.size
	}
	require.Equal(t, 1, add(1, "192.0.2.1:7000"))
	require.Equal(t, 1, add(2, "192.0.2.1:7001"), "one of each address")
	require.Equal(t, 2, add(3, "192.0.2.2:7000"))
	require.Equal(t, 3, add(4, "192.0.2.3:7000"))
	require.Equal(t, 4, add(5, "192.0.2.4:7000"))
	require.Equal(t, 4, add(6, "192.0.2.5:7000"), "four of each /24")
	require.Equal(t, 5, add(7, "127.0.0.1:7000"))
	require.Equal(t, 6, add(8, "127.0.0.1:7001"), "local addresses are exempt")
	require.Equal(t, 6, add(3, "198.51.100.1:7000"), "an id stays where it is")
	checkHosts := len(tb.hosts)
	node := ID{0x80, 3}
	tb.expel(&node, netip.MustParseAddrPort("192.0.2.2:7000"))
	require.Equal(t, 5, tb.size)
	require.Equal(t, checkHosts-1, len(tb.hosts))
}

// BEP 5: "If [...] no nodes in the bucket are good [...] the least recently seen node should be pinged", and "replaced with the
// new node" if it fails twice.
func TestTableReplacesTheBad(t *testing.T) {
	r := seeded()
	own := ID{}
	tb := newTable(own)
	ids := make([]ID, bucketSize+1)
	for i := range ids {
		ids[i] = idSharing(&own, 10, r)
		if doubtful := tb.answered(start.Add(time.Duration(i)*time.Second), &ids[i], host4(i)); doubtful != nil {
			t.Fatal("all are good")
		}
	}
	require.Equal(t, bucketSize, tb.size)
	late := idSharing(&own, 10, r)
	doubtful := tb.answered(start.Add(time.Hour), &late, host4(100))
	require.Equal(t, ids[0], doubtful.id, "the one not seen for longest")
	tb.failed(&ids[0], host4(0))
	require.NotNil(t, tb.find(&ids[0], host4(0)), "once is not enough")
	tb.failed(&ids[0], host4(0))
	require.Nil(t, tb.find(&ids[0], host4(0)))
	require.NotNil(t, tb.find(&late, host4(100)), "the newest spare")
	for range gone {
		tb.failed(&ids[1], host4(1))
	}
	for range gone {
		tb.failed(&ids[2], host4(2))
	}
	require.Equal(t, bucketSize-1, tb.size, "the dead leave at last")
}

func TestSources(t *testing.T) {
	s := newSources(start, 7, 10, 50, 16)
	a, b := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	count := func(addr netip.Addr, now time.Time, tries int) (n int) {
		for range tries {
			if s.allow(now, s.ofHost(addr)) {
				n++
			}
		}
		return n
	}
	require.Equal(t, 50, count(a, start, 1000), "the burst")
	require.Equal(t, 10, count(a, start.Add(time.Second), 1000), "the rate")
	require.Equal(t, 50, count(b, start.Add(time.Second), 1000), "others have theirs")
	require.Equal(t, 50, count(a, start.Add(time.Minute), 1000))
	require.Equal(t, s.ofHost(netip.MustParseAddr("2001:db8::1")), s.ofHost(netip.MustParseAddr("2001:db8::2")), "a /64 is one")
	require.NotEqual(t, s.ofHost(netip.MustParseAddr("2001:db8::1")), s.ofHost(netip.MustParseAddr("2001:db8:0:1::1")))
	require.NotEqual(t, s.ofPort(netip.AddrPortFrom(a, 1)), s.ofPort(netip.AddrPortFrom(a, 2)))
	var off *sources
	require.True(t, off.allow(start, off.ofHost(a)))
	require.Nil(t, newSources(start, 7, -1, 1, 16))
}

// A flood from one address leaves others served, however many others there are.
func TestSourcesFlood(t *testing.T) {
	s := newSources(start, 7, 10, 50, 1024)
	served := 0
	for i := range 2000 {
		for range 100 {
			s.allow(start, s.ofHost(netip.MustParseAddr("192.0.2.1")))
		}
		if s.allow(start, s.ofHost(host4(i).Addr())) {
			served++
		}
	}
	require.Equal(t, 2000, served)
}

func TestAllowance(t *testing.T) {
	a := allowance{perSecond: 10, burst: 5}
	now := start
	for range 5 {
		require.True(t, a.take(now))
	}
	require.False(t, a.take(now))
	require.Equal(t, now.Add(201*time.Millisecond), a.next(now, 2))
	require.True(t, a.take(now.Add(101*time.Millisecond)))
	require.True(t, (&allowance{perSecond: -1}).take(now))
}

// BEP 5: "The BitTorrent implementation uses the SHA1 hash of the IP address concatenated onto a secret that changes every five
// minutes and tokens up to ten minutes old are accepted." Ours is bound to the infohash, too.
func TestTokens(t *testing.T) {
	tk := tokens{secret: [16]byte{1}}
	a, ih := netip.MustParseAddr("192.0.2.1"), ID{1}
	token := tk.make(start, a, &ih)
	require.True(t, tk.valid(start, token[:], a, &ih))
	require.True(t, tk.valid(start.Add(tokenRotation), token[:], a, &ih))
	require.False(t, tk.valid(start.Add(2*tokenRotation), token[:], a, &ih))
	require.False(t, tk.valid(start, token[:], netip.MustParseAddr("192.0.2.2"), &ih))
	require.False(t, tk.valid(start, token[:], a, &ID{2}))
	require.False(t, tk.valid(start, nil, a, &ih))
	require.False(t, tk.valid(start, token[:7], a, &ih))
}

func sampled(p *peers[[4]byte], now time.Time, infohash ID, limit int) []netip.AddrPort {
	var list krpc.Peers
	p.sample(now, &infohash, limit, seeded(), &list, netip.AddrFrom4)
	return slices.Collect(list.Values().All())
}

func TestPeers(t *testing.T) {
	p := newPeers[[4]byte](start, &Config{MaxSwarms: 2, MaxPeers: 10, MaxStored: 14})
	ih := ID{1}
	for i := range 6 {
		require.True(t, p.add(start.Add(time.Duration(i)*time.Second), &ih, [4]byte{1, 1, 1, 1}, uint16(7000+i), false))
	}
	got := sampled(&p, start, ih, 100)
	require.Len(t, got, perHost, "the oldest of an address gave way")
	require.NotContains(t, got, netip.MustParseAddrPort("1.1.1.1:7000"))
	for i := range 6 {
		require.True(t, p.add(start, &ih, [4]byte{2, 0, 0, byte(i)}, 7000, false))
		require.True(t, p.add(start, &ih, [4]byte{2, 0, 0, byte(i)}, 7000, true), "again")
	}
	require.False(t, p.add(start, &ih, [4]byte{3}, 7000, false), "ten of an infohash")
	require.True(t, p.full(&ih))
	require.Len(t, sampled(&p, start, ih, 3), 3)

	second, third := ID{2}, ID{3}
	require.False(t, p.full(&second))
	require.True(t, p.add(start, &second, [4]byte{1}, 1, false))
	require.True(t, p.full(&third), "two infohashes")
	require.False(t, p.add(start, &third, [4]byte{1}, 1, false))
	for i := range 3 {
		require.True(t, p.add(start, &second, [4]byte{1, byte(i)}, 2, false))
	}
	require.True(t, p.full(&second), "fourteen in all")
	require.False(t, p.add(start, &second, [4]byte{9}, 2, false))

	later := start.Add(peerLife + 3*time.Second)
	require.Len(t, sampled(&p, later, ih, 100), 2, "only those of the last seconds are left")
	for range 2 * sweepParts {
		p.sweep(later)
	}
	require.Len(t, p.swarms, 1)
	require.Equal(t, 2, p.total)
	require.Len(t, p.index, 1)
	require.Empty(t, sampled(&p, later, second, 100))
}

// A hundred thousand peers take few megabytes, in tables without pointers.
func BenchmarkStoredPeers(b *testing.B) {
	for b.Loop() {
		p := newPeers[[4]byte](start, &Config{})
		r := seeded()
		for i := range 100_000 {
			infohash := ID{byte(i % 5000), byte(i % 5000 >> 8)}
			var ip [4]byte
			binary.BigEndian.PutUint32(ip[:], r.Uint32())
			p.add(start, &infohash, ip, 6881, false)
		}
	}
	b.ReportAllocs()
}

func TestVotes(t *testing.T) {
	var v votes
	claim, other := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for i := range votesNeeded - 1 {
		require.False(t, v.add(host4(i).Addr(), claim))
		require.False(t, v.add(host4(i).Addr(), claim), "a voter has one vote")
	}
	for i := range votesNeeded {
		require.False(t, v.add(host4(100+i).Addr(), other) && i < votesNeeded-1)
	}
	v = votes{}
	for i := range votesNeeded {
		require.Equal(t, i == votesNeeded-1, v.add(host4(i).Addr(), claim))
	}
	require.Equal(t, claim, v.external)
}

func TestTimeouts(t *testing.T) {
	var q timeouts
	for i := range 1000 {
		q.push(uint32(i), start.Add(time.Duration(i)*time.Second))
		if i >= 10 {
			key, ok := q.pop(start.Add(time.Duration(i-10) * time.Second))
			require.True(t, ok)
			require.Equal(t, uint32(i-10), key)
		}
		require.Less(t, len(q.queue), 200)
	}
	require.Equal(t, start.Add(995*time.Second), q.next(func(key uint32) bool { return key >= 995 }))
	require.True(t, q.next(func(uint32) bool { return false }).IsZero())
}
