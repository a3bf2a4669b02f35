package krpc

import "net/netip"

// Bounds of what is read, in bytes.
const (
	MaxSize        = 4096 // of a message. BEP 32 has nodes send no more than 1,024, and accept more
	MaxTransaction = 256  // of T. Two to four are common; whatever comes is echoed
	MaxToken       = 128  // of a token that we are to give back
)

// Kind is what a message is: the key "y" (BEP 5).
type Kind byte

// The kinds of BEP 5.
const (
	Query    Kind = 'q'
	Response Kind = 'r'
	Failure  Kind = 'e'
)

// Method is what a query asks for: the key "q".
type Method uint8

// The methods of BEP 5. Unknown stands for every other one: a query that names a target or an infohash is to be answered as
// FindNode (as libtorrent does, so that methods of the future find their nodes), another with error 204.
const (
	Unknown Method = iota
	Ping
	FindNode
	GetPeers
	AnnouncePeer
)

var methods = [...]string{Ping: "ping", FindNode: "find_node", GetPeers: "get_peers", AnnouncePeer: "announce_peer"}

// String returns the method's name on the wire.
func (m Method) String() string {
	if int(m) < len(methods) && m != Unknown {
		return methods[m]
	}
	return "unknown"
}

// Want names the address families whose nodes an asker wants (BEP 32). Without any, those of the family of the packet.
type Want uint8

// The families of BEP 32.
const (
	Want4 Want = 1 << iota
	Want6
)

// Message is one KRPC message. Which fields mean something, its kind and method decide; the rest are zero.
type Message struct {
	Kind     Kind
	T        []byte // transaction, echoed by the answer
	Method   Method // of a query
	ReadOnly bool   // the asker answers no queries, and is not to be put into a table (BEP 43)
	Version  []byte // two letters of the client and two bytes of its version, if that
	External netip.AddrPort

	ID          [20]byte // of the sender, of a query or a response
	Target      [20]byte // find_node's target; the infohash of get_peers and announce_peer
	HasTarget   bool     // of an unknown method: it named a target or an infohash
	Port        uint16   // announce_peer: where the peer listens
	ImpliedPort bool     // announce_peer: the source port of the packet counts, not Port
	Seed        bool     // announce_peer: the peer is a seed (BEP 33)
	Want        Want     // find_node and get_peers (BEP 32)

	Token  []byte // get_peers' response; announce_peer's query
	Nodes  []byte // response: compact IPv4 nodes, 26 bytes each
	Nodes6 []byte // response: compact IPv6 nodes, 38 bytes each (BEP 32)
	Values Values // get_peers' response

	Code int    // of a failure
	Text []byte // of a failure
}
