package peerstore

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/seedserver/bittorrent/tracker"
)

// model is a naive twin of Store: one list of entries, walked for every
// question.
type model struct {
	ttl, remember         time.Duration
	maxTorrents, maxPeers int
	entries               []entry
	swarms                map[byte]*history
	marks                 map[byte]map[netip.AddrPort]tracker.Preference
}

type entry struct {
	torrent  byte
	addr     netip.AddrPort
	id       int // 0: no key
	seen     time.Time
	standing tracker.Standing
}

type history struct {
	downloaded int
	last       time.Time
}

// op is a fuzzed operation: an announce by one of few clients in one of three
// torrents, or for a few values of kind something rarer.
type op struct {
	kind, torrent, addr, id, event, left, want byte
	pause                                      time.Duration
}

func (o op) address() netip.AddrPort {
	if o.addr%3 == 0 {
		ip := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: o.addr/3%60 + 1})
		switch o.addr / 3 % 60 {
		case 0:
			ip = netip.MustParseAddr("::1")
		case 1, 2:
			ip = netip.AddrFrom16([16]byte{0xfe, 0x80, 15: o.addr})
		case 3, 4:
			ip = netip.AddrFrom16([16]byte{0xfd, 15: o.addr})
		}
		return netip.AddrPortFrom(ip, 6881+uint16(o.addr/180))
	}
	network := [][3]byte{{192, 0, 2}, {10, 0, 0}, {192, 0, 2}, {169, 254, 1}, {198, 18, 0}, {127, 0, 0}, {192, 168, 1}, {100, 64, 1}}[o.addr%8]
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{network[0], network[1], network[2], o.addr}), 6881)
}

func (o op) request() *tracker.AnnounceRequest {
	req := &tracker.AnnounceRequest{
		Addr:    o.address(),
		Event:   tracker.Event(o.event % 5),
		Left:    []int64{0, 0, 5, -1}[o.left%4],
		NumWant: []int{-1, 0, 1, 7, 50, 300}[o.want%6],
	}
	req.InfoHash[19] = max(1, o.torrent) - 1 // the first of three has most
	if id := o.id % 200; id != 0 {
		req.PeerID[0], req.Key = id, 77
	}
	return req
}

func (m *model) find(match func(entry) bool) int { return slices.IndexFunc(m.entries, match) }

func (m *model) drop(i int) entry {
	e := m.entries[i]
	m.entries = slices.Delete(m.entries, i, i+1)
	return e
}

func (m *model) size(torrent byte) (n int) {
	for _, e := range m.entries {
		if e.torrent == torrent {
			n++
		}
	}
	return n
}

// useful reports whether a peer at addr can be reached from where the asker is.
func useful(addr, asker netip.AddrPort) bool {
	rank := func(ip string) int {
		for rank, prefixes := range [][]string{{"127.", "::1"}, {"169.254.", "fe80:"}, {"10.", "192.168.", "100.64.", "fd00:"}} {
			for _, prefix := range prefixes {
				if strings.HasPrefix(ip, prefix) {
					return rank
				}
			}
		}
		return 3
	}
	return rank(addr.Addr().String()) >= rank(asker.Addr().String())
}

func sameFamily(a, b netip.AddrPort) bool { return a.Addr().Is4() == b.Addr().Is4() }

// announce returns the asker's standing and the peers it may be told of: first
// those of its own family, then the others. ok is false if it is refused.
func (m *model) announce(now time.Time, torrent byte, id int, req *tracker.AnnounceRequest) (st tracker.Standing, near, far []netip.AddrPort, ok bool) {
	if m.swarms[torrent] == nil {
		if req.Event == tracker.EventStopped {
			return 0, nil, nil, true
		}
		if len(m.swarms) >= m.maxTorrents {
			return 0, nil, nil, false
		}
		m.swarms[torrent] = &history{}
	}
	m.swarms[torrent].last = now
	mine := func(e entry) bool { return e.torrent == torrent && sameFamily(e.addr, req.Addr) }
	known := entry{}
	if i := m.find(func(e entry) bool {
		return mine(e) && (id != 0 && e.id == id || id == 0 && e.id == 0 && e.addr == req.Addr)
	}); i >= 0 {
		known = m.drop(i)
	}
	st = known.standing.After(req.Event, req.Left)
	if req.Event == tracker.EventStopped {
		if known.torrent != torrent || !known.addr.IsValid() {
			return 0, nil, nil, true
		}
		m.finished(torrent, id, known.standing, st, req.Addr)
		return st, nil, nil, true
	}
	if i := m.find(func(e entry) bool { return mine(e) && e.addr == req.Addr }); i >= 0 {
		m.drop(i)
	}
	twin := m.find(func(e entry) bool { return e.torrent == torrent && !mine(e) && id != 0 && e.id == id })
	if m.size(torrent) < m.maxPeers {
		m.finished(torrent, id, known.standing, st, req.Addr)
		m.entries = append(m.entries, entry{torrent, req.Addr, id, now, st})
	}
	for i, e := range m.entries {
		switch {
		case e.torrent != torrent, i == twin, e.addr == req.Addr:
		case e.standing.Seed() && !st.WantsSeeds():
		case m.marks[torrent][e.addr] == tracker.Liar:
		case !useful(e.addr, req.Addr):
		case mine(e):
			near = append(near, e.addr)
		default:
			far = append(far, e.addr)
		}
	}
	return st, near, far, true
}

// finished counts a download that has just ended, once for a client in both families.
func (m *model) finished(torrent byte, id int, before, after tracker.Standing, addr netip.AddrPort) {
	if after&tracker.Finished == 0 || before&tracker.Finished != 0 {
		return
	}
	twin := m.find(func(e entry) bool { return e.torrent == torrent && !sameFamily(e.addr, addr) && id != 0 && e.id == id })
	if twin >= 0 {
		if m.entries[twin].standing&tracker.Finished != 0 {
			return
		}
		m.entries[twin].standing |= tracker.Finished
	}
	m.swarms[torrent].downloaded++
}

func (m *model) stats(torrent byte) (s tracker.ScrapeStats) {
	for _, e := range m.entries {
		if e.torrent != torrent {
			continue
		}
		if !e.addr.Addr().Is4() && e.id != 0 && m.find(func(o entry) bool {
			return o.torrent == torrent && o.id == e.id && o.addr.Addr().Is4()
		}) >= 0 {
			continue // counted as its IPv4 entry
		}
		if e.standing.Seed() {
			s.Complete++
		} else {
			s.Incomplete++
		}
		if e.standing.Downloader() {
			s.Downloaders++
		}
	}
	if h := m.swarms[torrent]; h != nil {
		s.Downloaded = h.downloaded
	}
	return s
}

func (m *model) expire(now time.Time) int {
	before := len(m.entries)
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return now.Sub(e.seen) > m.ttl })
	for torrent, h := range m.swarms {
		if m.size(torrent) == 0 && (h.downloaded == 0 || now.Sub(h.last) > m.remember) {
			delete(m.swarms, torrent)
		}
	}
	for torrent, marks := range m.marks {
		maps.DeleteFunc(marks, func(addr netip.AddrPort, _ tracker.Preference) bool { return !m.holds(torrent, addr) })
	}
	return before - len(m.entries)
}

func (m *model) holds(torrent byte, addr netip.AddrPort) bool {
	return m.find(func(e entry) bool { return e.torrent == torrent && e.addr == addr }) >= 0
}

func (m *model) prefer(torrent byte, addr netip.AddrPort, p tracker.Preference) bool {
	if !m.holds(torrent, addr) {
		return false
	}
	if m.marks[torrent] == nil {
		m.marks[torrent] = map[netip.AddrPort]tracker.Preference{}
	}
	m.marks[torrent][addr] = p
	return true
}

func (m *model) forget(torrent byte) {
	delete(m.marks, torrent)
	delete(m.swarms, torrent)
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return e.torrent == torrent })
}

// FuzzModel turns bytes into operations on a Store and on its naive twin, and
// compares what both answer.
func FuzzModel(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 40, 400} {
		ops := make([]byte, 5*n)
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		f.Add(ops)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		data = data[:min(len(data), 2000)]
		now := time.Unix(1_700_000_000, 0)
		s := New(modelConfig)
		m := &model{ttl: time.Hour, remember: 5 * time.Hour, maxTorrents: 2, maxPeers: 120, swarms: map[byte]*history{},
			marks: map[byte]map[netip.AddrPort]tracker.Preference{}}
		for n := 0; len(data) >= 5; data, n = data[5:], n+1 {
			o := op{
				kind: data[0], torrent: data[0] / 64, addr: data[1], id: data[2],
				event: data[3] & 15, left: data[3] >> 4, want: data[4] & 15,
				pause: time.Duration(data[4]>>4) * 10 * time.Second,
			}
			now = now.Add(o.pause)
			if o.kind == 7 {
				s = throughSnapshot(t, s, now)
				m.expire(now)
				clear(m.marks)
			}
			step(t, s, m, now, o)
			if n%64 == 0 || len(data) < 10 {
				checkInvariants(t, s)
			}
		}
	})
}

var modelConfig = Config{TTL: time.Hour, Remember: 5 * time.Hour, MaxTorrents: 2, MaxPeers: 120, Seed: [32]byte{1}}

func step(t *testing.T, s *Store, m *model, now time.Time, o op) {
	req := o.request()
	torrent := req.InfoHash[19]
	switch o.kind {
	case 0:
		require.Equal(t, m.expire(now), s.Expire(now), "expired")
	case 1:
		_, known := m.swarms[torrent]
		require.Equal(t, known, s.Forget(req.InfoHash))
		m.forget(torrent)
	case 2:
		late := now.Add(2 * time.Hour) // of the swarms, not of the clock
		require.Equal(t, m.expire(late), s.Expire(late), "expired later")
	case 3, 4, 5, 6:
		p := tracker.Preference(o.kind - 3)
		require.Equal(t, m.prefer(torrent, req.Addr, p), s.Prefer(req.InfoHash, req.Addr, p), "preferred")
	default:
		st, near, far, ok := m.announce(now, torrent, int(o.id%200), req)
		res := tracker.AnnounceResponse{}
		got, err := s.Announce(now, req, &res)
		require.Equal(t, ok, err == nil, "refused: %v", err)
		require.Equal(t, st, got, "standing")
		checkPeers(t, req, &res, near, far)
		checkOrder(t, &res, m.marks[torrent], near)
		if ok {
			want := m.stats(torrent)
			require.Equal(t, want, tracker.ScrapeStats{Complete: res.Complete, Incomplete: res.Incomplete,
				Downloaded: res.Downloaded, Downloaders: want.Downloaders}, "counts in the answer")
		}
	}
	stats, known := s.Scrape(req.InfoHash)
	_, want := m.swarms[torrent]
	require.Equal(t, want, known, "known to scrape")
	require.Equal(t, m.stats(torrent), stats, "scrape")
}

// checkPeers verifies that a sample has the right size, holds nobody twice and
// nobody it must not, and prefers the asker's family.
func checkPeers(t *testing.T, req *tracker.AnnounceRequest, res *tracker.AnnounceResponse, near, far []netip.AddrPort) {
	got := map[netip.AddrPort]bool{}
	nears := 0
	for addr := range res.Peers() {
		require.False(t, got[addr], "%v twice", addr)
		got[addr] = true
		if slices.Contains(near, addr) {
			nears++
			continue
		}
		require.Contains(t, far, addr)
	}
	want := max(0, min(req.NumWant, len(near)+len(far)))
	require.Len(t, got, want)
	require.Equal(t, min(want, len(near)), nears, "peers of the asker's family")
}

// checkOrder verifies that within each family the audited come first, and our
// own last, and that none of the asker's family is left out for one without a
// mark.
func checkOrder(t *testing.T, res *tracker.AnnounceResponse, marks map[netip.AddrPort]tracker.Preference, near []netip.AddrPort) {
	rank := func(addr netip.AddrPort) int {
		return slices.Index([]tracker.Preference{tracker.Audited, tracker.Neutral, tracker.Own}, marks[addr])
	}
	var told [2][3]int // of each family, of each rank
	last := [2]int{}
	for addr := range res.Peers() {
		family := 0
		if addr.Addr().Is6() {
			family = 1
		}
		require.GreaterOrEqual(t, rank(addr), last[family], "%v is out of order", addr)
		last[family] = rank(addr)
		told[family][rank(addr)]++
	}
	var all [3]int
	for _, addr := range near {
		all[rank(addr)]++
	}
	if len(near) == 0 {
		return
	}
	family := 0
	if near[0].Addr().Is6() {
		family = 1
	}
	n := told[family][0] + told[family][1] + told[family][2]
	require.Equal(t, min(n, all[0]), told[family][0], "audited")
	require.Equal(t, min(n-told[family][0], all[1]), told[family][1], "neutral")
}
