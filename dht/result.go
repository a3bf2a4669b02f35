package dht

import (
	"net/netip"
	"time"
)

// LookupID names a lookup of a caller.
type LookupID uint64

// PingID names a ping of a caller.
type PingID uint64

// Result is what came of something that a caller asked for: a [Found], a [Finished] or a [Pong].
type Result interface{ result() }

// Found tells of peers as a lookup comes upon them: each once for a lookup, at ports of 1024 and above only, as what is found
// below is somebody's web server. Lookup is 0 if it was an announce of a published infohash.
type Found struct {
	Lookup   LookupID
	Infohash ID
	From     netip.AddrPort // the node that told; zero: they announced to us
	Peers    []netip.AddrPort
}

// Finished tells that a lookup is over.
type Finished struct {
	Lookup    LookupID // 0: an announce of a published infohash
	Target    ID
	IPv6      bool
	Asked     int // nodes that were asked
	Answered  int // of them
	Hops      int // how many answers led from our table to the closest node, one after the other
	Packets   int // sent
	Announced int // nodes that took our announce
	Took      time.Duration
	Closest   []Contact // at most 8 that answered, the closest first
}

// Contact is a node and where it is.
type Contact struct {
	ID   ID
	Addr netip.AddrPort
}

// Pong tells what came of a ping.
type Pong struct {
	Ping     PingID
	Addr     netip.AddrPort
	OK       bool // it answered
	ID       ID
	RTT      time.Duration
	Version  string         // of its software, as it is sent: two letters and two bytes
	External netip.AddrPort // our address as it sees it, if it says so (BEP 42)
}

func (Found) result()    {}
func (Finished) result() {}
func (Pong) result()     {}
