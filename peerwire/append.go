package peerwire

import "encoding/binary"

// Append appends m as it goes over the wire, keep-alive included, and returns the extended slice; it allocates only to grow
// dst. Lengths are the caller's to keep: peers close on frames over their limits, commonly 1 MiB. Data and payloads are
// copied.
func Append(dst []byte, m Message) []byte {
	switch m := m.(type) {
	case KeepAlive:
		return append(dst, 0, 0, 0, 0)
	case Choke:
		return appendEmpty(dst, IDChoke)
	case Unchoke:
		return appendEmpty(dst, IDUnchoke)
	case Interested:
		return appendEmpty(dst, IDInterested)
	case NotInterested:
		return appendEmpty(dst, IDNotInterested)
	case HaveAll:
		return appendEmpty(dst, IDHaveAll)
	case HaveNone:
		return appendEmpty(dst, IDHaveNone)
	case Have:
		return AppendHave(dst, m.Index)
	case Suggest:
		return appendIndex(dst, IDSuggest, m.Index)
	case AllowedFast:
		return appendIndex(dst, IDAllowedFast, m.Index)
	case Request:
		return AppendRequest(dst, m)
	case Cancel:
		return appendBlock(dst, IDCancel, Request(m))
	case Reject:
		return AppendReject(dst, Request(m))
	case Port:
		return binary.BigEndian.AppendUint16(appendHeader(dst, IDPort, 2), m.Port)
	case BitfieldMessage:
		return append(appendHeader(dst, IDBitfield, len(m.Bits)), m.Bits...)
	case Piece:
		return append(AppendPieceHeader(dst, m.Index, m.Begin, len(m.Data)), m.Data...)
	case Extended:
		return append(append(appendHeader(dst, IDExtended, 1+len(m.Payload)), m.ID), m.Payload...)
	case Unknown:
		return append(appendHeader(dst, m.ID, len(m.Payload)), m.Payload...)
	}
	return dst // a nil Message is no frame
}

// AppendHave appends [Have] for piece index: 9 bytes.
func AppendHave(dst []byte, index uint32) []byte { return appendIndex(dst, IDHave, index) }

// AppendRequest appends r: 17 bytes.
func AppendRequest(dst []byte, r Request) []byte { return appendBlock(dst, IDRequest, r) }

// AppendReject appends the [Reject] that answers r: 17 bytes (BEP 6).
func AppendReject(dst []byte, r Request) []byte { return appendBlock(dst, IDReject, r) }

// PieceHeaderSize is the length of what [AppendPieceHeader] appends, bytes.
const PieceHeaderSize = 13

// AppendPieceHeader appends the [PieceHeaderSize] bytes that go before a block of length bytes in a [Piece] frame.
func AppendPieceHeader(dst []byte, index, begin uint32, length int) []byte {
	dst = appendHeader(dst, IDPiece, 8+length)
	dst = binary.BigEndian.AppendUint32(dst, index)
	return binary.BigEndian.AppendUint32(dst, begin)
}

// appendHeader appends the length and the id of a frame with a payload of n bytes.
func appendHeader(dst []byte, id ID, n int) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(1+n)), byte(id))
}

func appendEmpty(dst []byte, id ID) []byte { return append(dst, 0, 0, 0, 1, byte(id)) }

func appendIndex(dst []byte, id ID, index uint32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0, 0, 0, 5, byte(id)), index)
}

func appendBlock(dst []byte, id ID, r Request) []byte {
	dst = append(dst, 0, 0, 0, 13, byte(id))
	dst = binary.BigEndian.AppendUint32(dst, r.Index)
	dst = binary.BigEndian.AppendUint32(dst, r.Begin)
	return binary.BigEndian.AppendUint32(dst, r.Length)
}
