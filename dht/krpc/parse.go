package krpc

import (
	"net/netip"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
)

// decoding bounds a packet. It is lenient: nodes in the wild send keys out of order.
var decoding = bencode.Options{Lenient: true, MaxSize: MaxSize, MaxDepth: 16, MaxTokens: 1024}

// Parse reads the packet b into m, whatever m held before. The fields of m alias b, which is neither kept beyond that nor
// changed.
//
// The error is [ErrMalformed] if there is nothing to answer, or an [*Error] if b is a query with arguments that cannot be
// used: m then holds the kind, T and, as far as they were read, the rest.
func (m *Message) Parse(b []byte) error {
	*m = Message{}
	doc, n, err := decoding.Decode(b)
	if err != nil || n != len(b) || doc.Kind() != bencode.Dict {
		return ErrMalformed
	}
	var arguments, results, failure, method bencode.Value
	hasT := false
	for c := doc.Cursor(); c.Next(); {
		switch string(c.Key()) {
		case "a":
			arguments = c.Value()
		case "e":
			failure = c.Value()
		case "ip":
			m.External = address(c.Value())
		case "q":
			method = c.Value()
		case "r":
			results = c.Value()
		case "ro":
			n, ok := c.Value().Int()
			m.ReadOnly = ok && n == 1
		case "t":
			m.T, hasT = c.Value().Bytes()
		case "v":
			m.Version, _ = c.Value().Bytes()
		case "y":
			if y, ok := c.Value().Bytes(); ok && len(y) == 1 {
				m.Kind = Kind(y[0])
			}
		}
	}
	if !hasT || len(m.T) > MaxTransaction {
		return ErrMalformed
	}
	switch m.Kind {
	case Query:
		return m.query(method, arguments)
	case Response:
		return m.response(results)
	case Failure:
		return m.failure(failure)
	}
	return ErrMalformed
}

// query reads the method and the arguments of a query.
func (m *Message) query(method, arguments bencode.Value) error {
	name, ok := method.Bytes()
	if !ok {
		return ErrMalformed
	}
	for known := Ping; known <= AnnouncePeer; known++ {
		if string(name) == methods[known] {
			m.Method = known
		}
	}
	if arguments.Kind() != bencode.Dict {
		return errArgs
	}
	var hasID, hasTarget, hasInfohash, hasPort, hasToken bool
	for c := arguments.Cursor(); c.Next(); {
		switch string(c.Key()) {
		case "id":
			hasID = id(&m.ID, c.Value())
		case "implied_port":
			n, ok := c.Value().Int()
			m.ImpliedPort = ok && n != 0
		case "info_hash":
			if m.Method != FindNode {
				hasInfohash = id(&m.Target, c.Value())
			}
		case "port":
			if n, ok := c.Value().Int(); ok && n > 0 && n < 1<<16 {
				m.Port, hasPort = uint16(n), true
			}
		case "seed":
			n, ok := c.Value().Int()
			m.Seed = ok && n == 1
		case "target":
			if m.Method == FindNode || m.Method == Unknown && !hasInfohash {
				hasTarget = id(&m.Target, c.Value())
			}
		case "token":
			m.Token, hasToken = c.Value().Bytes()
		case "want":
			m.Want = want(c.Value())
		}
	}
	switch {
	case !hasID:
		return errID
	case m.Method == FindNode && !hasTarget:
		return errTarget
	case (m.Method == GetPeers || m.Method == AnnouncePeer) && !hasInfohash:
		return errInfohash
	case m.Method == AnnouncePeer && !hasToken:
		return errToken
	case m.Method == AnnouncePeer && !hasPort && !m.ImpliedPort:
		return errPort
	}
	m.HasTarget = hasTarget || hasInfohash
	return nil
}

// response reads the results of a response. Lists of nodes whose length cannot be right are left out, as nobody meant the
// addresses that would come out of them.
func (m *Message) response(results bencode.Value) error {
	hasID := false
	for c := results.Cursor(); c.Next(); {
		switch string(c.Key()) {
		case "id":
			hasID = id(&m.ID, c.Value())
		case "nodes":
			if b, ok := c.Value().Bytes(); ok && len(b)%compact.Node4Size == 0 {
				m.Nodes = b
			}
		case "nodes6":
			if b, ok := c.Value().Bytes(); ok && len(b)%compact.Node6Size == 0 {
				m.Nodes6 = b
			}
		case "token":
			if b, ok := c.Value().Bytes(); ok && len(b) <= MaxToken {
				m.Token = b
			}
		case "values":
			if c.Value().Kind() == bencode.List {
				m.Values = Values(c.Value())
			}
		}
	}
	if !hasID {
		return ErrMalformed
	}
	return nil
}

// failure reads the code and the text of an error. Both may be missing: that it is one is enough.
func (m *Message) failure(list bencode.Value) error {
	for c := list.Cursor(); c.Next(); {
		if n, ok := c.Value().Int(); ok && n > 0 && n < 1000 {
			m.Code = int(n)
		}
		if text, ok := c.Value().Bytes(); ok {
			m.Text = text
		}
	}
	return nil
}

// id reads an id or infohash of 20 bytes into dst.
func id(dst *[20]byte, v bencode.Value) bool {
	b, ok := v.Bytes()
	if !ok || len(b) != len(dst) {
		return false
	}
	*dst = [20]byte(b)
	return true
}

// address reads a compact address with its port (BEP 42): the zero AddrPort if it is none.
func address(v bencode.Value) netip.AddrPort {
	b, ok := v.Bytes()
	if !ok || len(b) != compact.Peer4Size && len(b) != compact.Peer6Size {
		return netip.AddrPort{}
	}
	addr, _ := compact.ParsePeer(b)
	return addr
}

func want(list bencode.Value) (w Want) {
	for c := list.Cursor(); c.Next(); {
		switch family, _ := c.Value().Bytes(); string(family) {
		case "n4":
			w |= Want4
		case "n6":
			w |= Want6
		}
	}
	return w
}
