package peerwire

import "encoding/binary"

// frameHead is the part of a frame before its payload: length and id.
const frameHead = 5

// The lengths, id included, of the frames that have one length only.
const (
	emptyFrame = 1
	indexFrame = 5
	blockFrame = 13
	portFrame  = 3
)

// maxLimit bounds what a configuration may allow, bytes: lengths stay far inside an int of 32 bits.
const maxLimit = 1 << 30

// unknownBitfield bounds a bitfield while the number of pieces is not known: 2 Mi pieces, more than fit in the largest
// metadata anybody accepts.
const unknownBitfield = 1 + 256<<10

// checkLength judges a frame by its id and length alone, before any of its payload is kept.
func (d *Decoder) checkLength(id ID, length uint32) error {
	low, high := uint64(0), uint64(0)
	switch id {
	case IDChoke, IDUnchoke, IDInterested, IDNotInterested, IDHaveAll, IDHaveNone:
		low, high = emptyFrame, emptyFrame
	case IDHave, IDSuggest, IDAllowedFast:
		low, high = indexFrame, indexFrame
	case IDRequest, IDCancel, IDReject:
		low, high = blockFrame, blockFrame
	case IDPort:
		low, high = portFrame, portFrame
	case IDBitfield:
		low, high = 1, unknownBitfield
		if d.numPieces > 0 {
			low = 1 + bitfieldSize(d.numPieces)
			high = low
		}
	case IDPiece:
		low, high = 10, 9+d.maxBlock
	case IDExtended:
		low, high = 2, d.maxMessage
	default:
		low, high = 1, d.maxMessage
	}
	switch n := uint64(length); {
	case n < low:
		return &FrameError{ID: id, Length: length, Reason: "too short"}
	case n > high:
		return &FrameError{ID: id, Length: length, Reason: "too long"}
	}
	return nil
}

// parseFrame returns the message in a frame whose length was checked; payload, all behind the id, is aliased.
func (d *Decoder) parseFrame(id ID, payload []byte) (Message, error) {
	switch id {
	case IDChoke:
		return Choke{}, nil
	case IDUnchoke:
		return Unchoke{}, nil
	case IDInterested:
		return Interested{}, nil
	case IDNotInterested:
		return NotInterested{}, nil
	case IDHaveAll:
		return HaveAll{}, nil
	case IDHaveNone:
		return HaveNone{}, nil
	case IDHave:
		return d.parseHave(payload)
	case IDBitfield:
		return BitfieldMessage{Bits: payload}, nil
	case IDRequest:
		return parseRequest(payload), nil
	case IDPiece:
		return Piece{Index: uint32At(payload, 0), Begin: uint32At(payload, 4), Data: payload[8:]}, nil
	case IDCancel:
		return Cancel(parseRequest(payload)), nil
	case IDPort:
		return Port{Port: binary.BigEndian.Uint16(payload)}, nil
	case IDSuggest:
		return Suggest{Index: uint32At(payload, 0)}, nil
	case IDReject:
		return Reject(parseRequest(payload)), nil
	case IDAllowedFast:
		return AllowedFast{Index: uint32At(payload, 0)}, nil
	case IDExtended:
		return Extended{ID: payload[0], Payload: payload[1:]}, nil
	}
	return Unknown{ID: id, Payload: payload}, nil
}

// parseHave refuses a piece that the torrent does not have, where its number of pieces is known.
func (d *Decoder) parseHave(payload []byte) (Message, error) {
	index := uint32At(payload, 0)
	if d.numPieces > 0 && index >= d.numPieces {
		return nil, &FrameError{ID: IDHave, Length: indexFrame, Reason: "no such piece"}
	}
	return Have{Index: index}, nil
}

func parseRequest(payload []byte) Request {
	return Request{Index: uint32At(payload, 0), Begin: uint32At(payload, 4), Length: uint32At(payload, 8)}
}

func uint32At(b []byte, i int) uint32 { return binary.BigEndian.Uint32(b[i:]) }

// limit returns a configured bound: the default when n is zero, nothing when it is negative.
func limit(n, def int) uint64 {
	switch {
	case n == 0:
		return uint64(def)
	case n < 0:
		return 0
	}
	return min(uint64(n), maxLimit)
}
