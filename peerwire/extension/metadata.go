package extension

import (
	"math"

	"github.com/seedserver/bittorrent/bencode"
)

// Sizes of metadata, bytes.
const (
	MetadataPieceSize = 16 << 10 // each piece but the last (BEP 9)
	MaxMetadataSize   = 30 << 20 // what this package takes; others take 4 to 30 MiB
)

// MetadataType says what a [Metadata] message is.
type MetadataType uint8

// The types of BEP 9: "an unrecognized message ID MUST be ignored".
const (
	MetadataRequest MetadataType = 0
	MetadataData    MetadataType = 1
	MetadataReject  MetadataType = 2
)

// Metadata is the payload of ut_metadata (BEP 9): a bencoded dict and, of a data message, the piece itself behind it.
//
//	d8:msg_typei1e5:piecei0e10:total_sizei34256ee | data
type Metadata struct {
	Type  MetadataType
	Piece uint32
	// TotalSize is the length of the whole info dict, bytes; with MetadataData only.
	TotalSize int64
	// Data is the piece, a part of the raw info dict; with MetadataData only.
	Data []byte
}

// AppendTo appends the payload of m.
func (m Metadata) AppendTo(dst []byte) []byte {
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendInt(bencode.AppendKey(dst, "msg_type"), int64(m.Type))
	dst = bencode.AppendInt(bencode.AppendKey(dst, "piece"), int64(m.Piece))
	if m.Type != MetadataData {
		return bencode.AppendEnd(dst)
	}
	dst = bencode.AppendInt(bencode.AppendKey(dst, "total_size"), m.TotalSize)
	return append(bencode.AppendEnd(dst), m.Data...)
}

// ParseMetadata reads the payload of ut_metadata; Data aliases it. A type that BEP 9 does not name comes as it is, to be
// ignored. The error is a [*PayloadError] when there is no dict with a type and a piece, or when the data cannot be that piece
// of an info dict of TotalSize bytes, [MaxMetadataSize] at most.
func ParseMetadata(payload []byte) (Metadata, error) {
	dict, rest, err := parseDict(MetadataName.String(), payload)
	if err != nil {
		return Metadata{}, err
	}
	msgType, ok := dict.Get("msg_type").Int()
	if !ok || msgType < 0 || msgType > math.MaxUint8 {
		return Metadata{}, badMetadata("no message type")
	}
	piece, ok := dict.Get("piece").Int()
	if !ok || piece < 0 || piece > math.MaxUint32 {
		return Metadata{}, badMetadata("no piece")
	}
	m := Metadata{Type: MetadataType(msgType), Piece: uint32(piece)}
	if m.Type != MetadataData {
		return m, nil // libtorrent adds a total_size to rejects, which says nothing new
	}
	m.TotalSize, _ = dict.Get("total_size").Int()
	if m.TotalSize <= 0 || m.TotalSize > MaxMetadataSize {
		return Metadata{}, badMetadata("no possible size")
	}
	if want := metadataPieceLength(m.TotalSize, m.Piece); want == 0 || len(rest) != want {
		return Metadata{}, badMetadata("not the length of that piece")
	}
	m.Data = rest
	return m, nil
}

func badMetadata(reason string) error {
	return &PayloadError{Message: MetadataName.String(), Reason: reason}
}

// metadataPieces returns the number of pieces of an info dict of size bytes.
func metadataPieces(size int64) int { return int((size + MetadataPieceSize - 1) / MetadataPieceSize) }

// metadataPieceLength returns the length of one piece of an info dict of size bytes; 0 if there is no such piece.
func metadataPieceLength(size int64, piece uint32) int {
	left := size - int64(piece)*MetadataPieceSize
	return int(max(0, min(left, MetadataPieceSize)))
}
