package krpc

import (
	"iter"
	"net/netip"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
)

// Values is the encoded list of the peers of a get_peers response: a list of strings, not one string (BEP 5).
type Values []byte

// All returns the peers, IPv4 and IPv6 as they come: lists may mix them (BEP 32). Peers with port 0 and strings of a strange
// length are passed over. Addresses come unmapped.
func (v Values) All() iter.Seq[netip.AddrPort] {
	return func(yield func(netip.AddrPort) bool) {
		for c := bencode.Value(v).Cursor(); c.Next(); {
			b, ok := c.Value().Bytes()
			if !ok || len(b) != compact.Peer4Size && len(b) != compact.Peer6Size {
				continue
			}
			if addr, _ := compact.ParsePeer(b); addr.Port() != 0 && !yield(addr) {
				return
			}
		}
	}
}

// Peers collects peers for a response. The zero Peers is empty and ready; Reset empties one and keeps its memory.
type Peers struct{ list []byte }

// Reset removes all peers.
func (p *Peers) Reset() { p.list = p.list[:0] }

// Add adds a peer.
func (p *Peers) Add(addr netip.AddrPort) {
	size := compact.Peer4Size
	if a := addr.Addr(); a.Is6() && !a.Is4In6() {
		size = compact.Peer6Size
	}
	if len(p.list) == 0 {
		p.list = append(p.list, 'l')
	}
	p.list = compact.AppendPeer(appendLength(p.list, size), addr)
}

// Values returns the list in the form of a response. It is valid until the next Reset or Add, and nil if there are no peers.
func (p *Peers) Values() Values {
	if len(p.list) == 0 {
		return nil
	}
	p.list = append(p.list, 'e')
	list := p.list
	p.list = p.list[:len(p.list)-1]
	return Values(list)
}
