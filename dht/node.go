package dht

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/seedserver/bittorrent/dht/krpc"
)

// Packet is a datagram: one that came, with where it came from, or one to send, with where to.
type Packet struct {
	Addr netip.AddrPort // unmapped
	Data []byte
}

const (
	maxLookups    = 64              // at a time; announces wait, those of callers do not
	maxVerifying  = 64              // nodes whose first answer is awaited, in each family
	askedRate     = 4               // queries to one node each second
	askedBurst    = 8               // with that burst: libtorrent bans who sends more than 50 in 10 s
	sweepInterval = 5 * time.Second // of refresh, expiry and the like
	retryInterval = 50 * time.Millisecond
)

// Node is a node of the DHT. It is pure: packets and the time come in, packets and results go out. One goroutine owns it.
//
// Call [Node.Receive] with each packet and [Node.Advance] at [Node.Deadline]; after either, and after what a caller asks for,
// send what [Node.Drain] returns and take notice of [Node.Results].
type Node struct {
	config   Config
	rand     *rand.Rand
	version  []byte
	families [2]*family // IPv4, IPv6; nil if it takes no part

	// What others ask.
	tokens    tokens
	asking    *sources  // queries of each host
	answering allowance // queries of all
	stored4   peers[[4]byte]
	stored6   peers[[16]byte]

	// What we ask.
	asked   *sources // queries to each node
	sending allowance
	running map[uint32]transaction
	slow    timeouts
	lost    timeouts
	lookups []*lookup
	last    LookupID
	pings   PingID
	recent  recent
	starved time.Time // when lookups that had to wait with a query go on; zero: none has
	plan    schedule

	now     time.Time
	sweepAt time.Time
	stats   Stats
	results []Result
	out     []outgoing
	buffer  []byte
	packets []Packet

	// Scratch memory of one query and its answer, so that they cost none.
	message krpc.Message
	answer  krpc.Message
	near    nearest
	list4   []byte
	list6   []byte
	text    []byte
	peers   krpc.Peers
	token   [tokenSize]byte
	key     [4]byte
}

// outgoing is a packet in buffer.
type outgoing struct {
	addr       netip.AddrPort
	start, end int
}

// New returns a node that knows nobody but what c.Saved names.
func New(now time.Time, c Config) *Node {
	if !c.IPv4 && !c.IPv6 {
		c.IPv4 = true
	}
	key := binary.LittleEndian.Uint64(c.Secret[:])
	n := &Node{
		config: c, rand: c.Rand, tokens: tokens{c.Secret},
		asking:    newSources(now, mix(key), c.answersPerSource(), int(max(1, 5*c.answersPerSource())), 1024),
		answering: allowance{perSecond: c.answers(), burst: c.answers()},
		asked:     newSources(now, mix(key+1), askedRate, askedBurst, 256),
		sending:   allowance{perSecond: c.queries(), burst: max(1, c.queries())},
		stored4:   newPeers[[4]byte](now, &c), stored6: newPeers[[16]byte](now, &c),
		list4: []byte{}, list6: []byte{},
		running: map[uint32]transaction{}, plan: newSchedule(now, c.announceInterval()), now: now, sweepAt: now,
	}
	if c.queries() < 0 {
		n.asked = nil
	}
	if c.Version != [4]byte{} {
		n.version = c.Version[:]
	}
	if c.IPv4 {
		n.families[0] = newFamily(n, now, false)
	}
	if c.IPv6 {
		n.families[1] = newFamily(n, now, true)
	}
	return n
}

// both reports whether the node takes part in both DHTs.
func (n *Node) both() bool { return n.families[0] != nil && n.families[1] != nil }

// family returns the node's side of the DHT that addr belongs to, or nil.
func (n *Node) family(addr netip.Addr) *family {
	if addr.Is4() {
		return n.families[0]
	}
	return n.families[1]
}

// Receive handles a packet. It neither keeps nor changes its data.
func (n *Node) Receive(now time.Time, p Packet) {
	n.now = now
	n.stats.PacketsIn++
	n.stats.BytesIn += uint64(len(p.Data))
	f := n.family(p.Addr.Addr())
	if f == nil || p.Addr.Port() == 0 {
		n.stats.Malformed++
		return
	}
	m := &n.message
	err := m.Parse(p.Data)
	refused, refusal := errors.AsType[*krpc.Error](err)
	if err != nil && !refusal {
		n.stats.Malformed++
		return
	}
	if m.Kind == krpc.Query {
		n.query(now, f, p.Addr, m, refused)
		return
	}
	n.response(now, f, p.Addr, m)
	n.pump(now)
}

// Advance does what is due. It may be called at any time.
func (n *Node) Advance(now time.Time) {
	n.now = now
	n.expire(now)
	if !now.Before(n.sweepAt) {
		n.sweepAt = now.Add(sweepInterval)
		n.stored4.sweep(now)
		n.stored6.sweep(now)
		n.stepAll(now)
		for _, f := range n.families {
			if f != nil {
				f.refresh(now)
			}
		}
	}
	for _, f := range n.families {
		if f != nil {
			f.bootstrap(now)
		}
	}
	n.pump(now)
}

// pump lets what waited for leave to send go on, and starts announces that are due.
func (n *Node) pump(now time.Time) {
	if !n.starved.IsZero() && !now.Before(n.starved) {
		n.stepAll(now)
	}
	for len(n.lookups) < maxLookups && n.mayAnnounce(now) {
		item := n.plan.next(now)
		if item == nil {
			return
		}
		n.announce(now, item)
	}
}

// mayAnnounce reports whether an announce may start: half of what may be sent is left for what callers ask.
func (n *Node) mayAnnounce(now time.Time) bool {
	if n.sending.left(now) < n.sending.burst/2 {
		return false
	}
	for _, f := range n.families {
		if f != nil && f.ready() {
			return true
		}
	}
	return false
}

// Deadline returns when Advance is to be called next, if nothing else happens before.
func (n *Node) Deadline() time.Time {
	at := n.sweepAt
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	running := func(key uint32) bool { _, ok := n.running[key]; return ok }
	sooner(n.slow.next(running))
	sooner(n.lost.next(running))
	sooner(n.starved)
	for _, f := range n.families {
		if f != nil && !f.booting {
			sooner(f.bootAt)
		}
	}
	if len(n.lookups) < maxLookups {
		if due := n.plan.due(); !due.IsZero() && n.anyReady() {
			if free := n.sending.next(n.now, n.sending.burst/2); due.Before(free) {
				due = free
			}
			sooner(due)
		}
	}
	return at
}

func (n *Node) anyReady() bool {
	for _, f := range n.families {
		if f != nil && f.ready() {
			return true
		}
	}
	return false
}

// send puts a message into the outgoing packets.
func (n *Node) send(f *family, to netip.AddrPort, m *krpc.Message) {
	start := len(n.buffer)
	n.buffer = m.AppendTo(n.buffer)
	n.out = append(n.out, outgoing{to, start, len(n.buffer)})
	n.stats.PacketsOut++
	n.stats.BytesOut += uint64(len(n.buffer) - start)
}

// Drain returns the packets to send since the last call. They are valid until the next call of any method.
func (n *Node) Drain() []Packet {
	n.packets = n.packets[:0]
	for _, o := range n.out {
		n.packets = append(n.packets, Packet{o.addr, n.buffer[o.start:o.end:o.end]})
	}
	n.out, n.buffer = n.out[:0], n.buffer[:0]
	return n.packets
}

// Results returns what came of lookups, announces and pings since the last call.
func (n *Node) Results() []Result {
	r := n.results
	n.results = nil
	return r
}
