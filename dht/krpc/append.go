package krpc

import (
	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
)

// AppendTo appends m to dst in its canonical form and returns the extended slice. Optional fields that are zero are left out;
// so is Version unless it has 4 bytes. A query's method must be one of BEP 5.
func (m *Message) AppendTo(dst []byte) []byte {
	dst = append(dst, 'd')
	switch m.Kind {
	case Query:
		dst = m.appendArguments(append(dst, "1:a"...))
	case Failure:
		dst = append(dst, "1:el"...)
		dst = bencode.AppendInt(dst, int64(m.Code))
		dst = append(bencode.AppendBytes(dst, m.Text), 'e')
	}
	if m.External.IsValid() {
		size := compact.Peer4Size
		if m.External.Addr().Is6() && !m.External.Addr().Is4In6() {
			size = compact.Peer6Size
		}
		dst = appendLength(append(dst, "2:ip"...), size)
		dst = compact.AppendPeer(dst, m.External)
	}
	switch m.Kind {
	case Query:
		dst = bencode.AppendString(append(dst, "1:q"...), methods[m.Method])
	case Response:
		dst = m.appendResults(append(dst, "1:r"...))
	}
	if m.ReadOnly {
		dst = append(dst, "2:roi1e"...)
	}
	dst = bencode.AppendBytes(append(dst, "1:t"...), m.T)
	if len(m.Version) == 4 {
		dst = append(append(dst, "1:v4:"...), m.Version...)
	}
	return append(append(dst, "1:y1:"...), byte(m.Kind), 'e')
}

func (m *Message) appendArguments(dst []byte) []byte {
	dst = append(append(dst, "d2:id20:"...), m.ID[:]...)
	if m.Method == AnnouncePeer {
		if m.ImpliedPort {
			dst = append(dst, "12:implied_porti1e"...)
		} else {
			dst = append(dst, "12:implied_porti0e"...)
		}
	}
	if m.Method == GetPeers || m.Method == AnnouncePeer {
		dst = append(append(dst, "9:info_hash20:"...), m.Target[:]...)
	}
	if m.Method == AnnouncePeer {
		dst = bencode.AppendInt(append(dst, "4:port"...), int64(m.Port))
		if m.Seed {
			dst = append(dst, "4:seedi1e"...)
		}
	}
	if m.Method == FindNode {
		dst = append(append(dst, "6:target20:"...), m.Target[:]...)
	}
	if m.Method == AnnouncePeer {
		dst = bencode.AppendBytes(append(dst, "5:token"...), m.Token)
	}
	if m.Want != 0 && (m.Method == FindNode || m.Method == GetPeers) {
		dst = append(dst, "4:wantl"...)
		if m.Want&Want4 != 0 {
			dst = append(dst, "2:n4"...)
		}
		if m.Want&Want6 != 0 {
			dst = append(dst, "2:n6"...)
		}
		dst = append(dst, 'e')
	}
	return append(dst, 'e')
}

func (m *Message) appendResults(dst []byte) []byte {
	dst = append(append(dst, "d2:id20:"...), m.ID[:]...)
	if m.Nodes != nil {
		dst = bencode.AppendBytes(append(dst, "5:nodes"...), m.Nodes)
	}
	if m.Nodes6 != nil {
		dst = bencode.AppendBytes(append(dst, "6:nodes6"...), m.Nodes6)
	}
	if len(m.Token) > 0 {
		dst = bencode.AppendBytes(append(dst, "5:token"...), m.Token)
	}
	if len(m.Values) > len("le") {
		dst = append(append(dst, "6:values"...), m.Values...)
	}
	return append(dst, 'e')
}

// appendLength opens a string of size bytes, at most 99.
func appendLength(dst []byte, size int) []byte {
	if size >= 10 {
		dst = append(dst, byte('0'+size/10))
	}
	return append(dst, byte('0'+size%10), ':')
}
