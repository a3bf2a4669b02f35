package extension

import (
	"net/netip"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
)

// MaxPEX is how many peers a message may add, and how many it may drop, both address families together (BEP 11). A message
// is due once a minute at most.
const MaxPEX = 50

// maxPEXRead bounds what is taken of each list of a received message: the first one may be longer than [MaxPEX].
const maxPEXRead = 100

// PEXFlags are what the sender says of a peer it adds (BEP 11). They are hints.
type PEXFlags uint8

// The flags of BEP 11.
const (
	PEXEncryption PEXFlags = 0x01 // prefers stream encryption
	PEXSeed       PEXFlags = 0x02 // a seed, or upload only
	PEXUTP        PEXFlags = 0x04 // speaks µTP
	PEXHolepunch  PEXFlags = 0x08 // speaks ut_holepunch
	PEXReachable  PEXFlags = 0x10 // was dialled by the sender
)

// PEXPeer is a peer that the sender connected to.
type PEXPeer struct {
	Addr  netip.AddrPort // unmapped
	Flags PEXFlags
}

// PEX is the payload of ut_pex (BEP 11): peers the sender connected to, and lost, since its last message. "Added or removed
// contacts must not contain duplicates" and "an added contact must not be dropped in the same message". IPv4 and IPv6 stand
// together here, and in keys of their own on the wire.
type PEX struct {
	Added   []PEXPeer
	Dropped []netip.AddrPort
}

// AppendTo appends the payload of p: at most [MaxPEX] peers of each list, the first ones. Peers without a usable address and
// port are left out, and so are, of both lists, those that are in both. Every list of added peers has its flags, without which
// libtorrent ignores it.
func (p PEX) AppendTo(dst []byte) []byte {
	p = p.normal(MaxPEX)
	dst = bencode.AppendDictStart(dst)
	dst = appendAdded(dst, "added", "added.f", p.Added, netip.Addr.Is4)
	dst = appendAdded(dst, "added6", "added6.f", p.Added, netip.Addr.Is6)
	dst = appendDropped(dst, "dropped", p.Dropped, netip.Addr.Is4)
	dst = appendDropped(dst, "dropped6", p.Dropped, netip.Addr.Is6)
	return bencode.AppendEnd(dst)
}

func appendAdded(dst []byte, key, flagsKey string, peers []PEXPeer, family func(netip.Addr) bool) []byte {
	addrs, flags := make([]byte, 0, MaxPEX*compact.Peer6Size), make([]byte, 0, MaxPEX)
	for _, peer := range peers {
		if family(peer.Addr.Addr()) {
			addrs = compact.AppendPeer(addrs, peer.Addr)
			flags = append(flags, byte(peer.Flags))
		}
	}
	dst = bencode.AppendBytes(bencode.AppendKey(dst, key), addrs)
	return bencode.AppendBytes(bencode.AppendKey(dst, flagsKey), flags)
}

func appendDropped(dst []byte, key string, peers []netip.AddrPort, family func(netip.Addr) bool) []byte {
	addrs := make([]byte, 0, MaxPEX*compact.Peer6Size)
	for _, peer := range peers {
		if family(peer.Addr()) {
			addrs = compact.AppendPeer(addrs, peer)
		}
	}
	return bencode.AppendBytes(bencode.AppendKey(dst, key), addrs)
}

// ParsePEX reads the payload of ut_pex. At most 100 peers of each list of each family are taken. A list whose length is not a
// multiple of its address size is passed over, and so is a list of added peers whose flags have another number; without any
// flags they have none. Peers without a usable address and port are left out, and so are repeated ones and, of both lists, those
// in both. An empty message is valid. The error is a [*PayloadError] when there is no dict.
//
// The addresses are a stranger's: the caller judges what it dials.
func ParsePEX(payload []byte) (PEX, error) {
	dict, _, err := parseDict(PEXName.String(), payload)
	if err != nil {
		return PEX{}, err
	}
	var p PEX
	p.Added = readAdded(p.Added, dict, "added", "added.f", compact.Peer4Size)
	p.Added = readAdded(p.Added, dict, "added6", "added6.f", compact.Peer6Size)
	p.Dropped = readDropped(p.Dropped, dict, "dropped", compact.Peer4Size)
	p.Dropped = readDropped(p.Dropped, dict, "dropped6", compact.Peer6Size)
	return p.normal(2 * maxPEXRead), nil
}

func readAdded(to []PEXPeer, dict bencode.Value, key, flagsKey string, size int) []PEXPeer {
	addrs, _ := dict.Get(key).Bytes()
	flags, flagged := dict.Get(flagsKey).Bytes()
	if len(addrs)%size != 0 || flagged && len(flags) != len(addrs)/size {
		return to
	}
	for i := range min(len(addrs)/size, maxPEXRead) {
		peer := PEXPeer{Addr: addrAt(addrs, i, size)}
		if flagged {
			peer.Flags = PEXFlags(flags[i])
		}
		to = append(to, peer)
	}
	return to
}

func readDropped(to []netip.AddrPort, dict bencode.Value, key string, size int) []netip.AddrPort {
	addrs, _ := dict.Get(key).Bytes()
	if len(addrs)%size != 0 {
		return to
	}
	for i := range min(len(addrs)/size, maxPEXRead) {
		to = append(to, addrAt(addrs, i, size))
	}
	return to
}

// addrAt returns the address at place i of a list; the zero AddrPort where it is none.
func addrAt(b []byte, i, size int) netip.AddrPort {
	addr, err := compact.ParsePeer(b[i*size : (i+1)*size])
	if err != nil {
		return netip.AddrPort{}
	}
	return addr
}

// normal returns p with usable addresses, each once and in one list only, and at most limit in a list.
func (p PEX) normal(limit int) PEX {
	place := make(map[netip.AddrPort]uint8, len(p.Added)+len(p.Dropped)) // 1: in Added, 2: in Dropped
	for _, peer := range p.Added {
		place[unmap(peer.Addr)] |= 1
	}
	for _, addr := range p.Dropped {
		place[unmap(addr)] |= 2
	}
	once := func(addr netip.AddrPort, list uint8) bool {
		ok := place[addr] == list && usable(addr)
		delete(place, addr)
		return ok
	}
	var q PEX
	for _, peer := range p.Added {
		peer.Addr = unmap(peer.Addr)
		if len(q.Added) < limit && once(peer.Addr, 1) {
			q.Added = append(q.Added, peer)
		}
	}
	for _, addr := range p.Dropped {
		if addr = unmap(addr); len(q.Dropped) < limit && once(addr, 2) {
			q.Dropped = append(q.Dropped, addr)
		}
	}
	return q
}

// unmap returns a as its compact form comes back.
func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// usable reports whether a peer could be at a: port 0, the unspecified address and multicast are nobody's.
func usable(a netip.AddrPort) bool {
	return a.Port() != 0 && a.Addr().IsValid() && !a.Addr().IsUnspecified() && !a.Addr().IsMulticast()
}
