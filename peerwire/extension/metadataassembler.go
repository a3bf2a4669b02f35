package extension

import (
	"bytes"
	"crypto/sha1"
	"errors"
	"fmt"
)

// ErrMetadataHash says that all pieces of the info dict were there and their SHA-1 is not the infohash: one peer at least sent
// junk, or named a wrong size. The assembler has started over.
var ErrMetadataHash = errors.New("extension: metadata does not match the infohash")

// A MetadataAssembler puts an info dict together from the pieces that peers send (BEP 9). Its memory grows with the pieces, not
// with the size that was claimed. It belongs to one goroutine.
type MetadataAssembler struct {
	infohash [20]byte
	size     int64
	pieces   [][]byte // nil where missing
	missing  int
}

// NewMetadataAssembler returns an assembler for the info dict of infohash, size bytes by the word of some peer's handshake. A
// size that is not 1 to [MaxMetadataSize] is an error. If the info dict then does not match, the size may be the lie: the
// caller starts another with another peer's.
func NewMetadataAssembler(infohash [20]byte, size int64) (*MetadataAssembler, error) {
	if size <= 0 || size > MaxMetadataSize {
		return nil, fmt.Errorf("extension: metadata of %d bytes", size)
	}
	n := metadataPieces(size)
	return &MetadataAssembler{infohash: infohash, size: size, pieces: make([][]byte, n), missing: n}, nil
}

// Missing appends the pieces still to be asked for to dst, in order.
func (a *MetadataAssembler) Missing(dst []uint32) []uint32 {
	for i, p := range a.pieces {
		if p == nil {
			dst = append(dst, uint32(i))
		}
	}
	return dst
}

// Add takes a piece from a data message, which [ParseMetadata] has passed; its data is copied. Other messages, pieces of an
// info dict of another size and pieces that are there already change nothing. With the last piece it returns the info dict,
// verified, and the caller's to keep; until then nil. The error is [ErrMetadataHash].
func (a *MetadataAssembler) Add(m Metadata) (info []byte, err error) {
	if m.Type != MetadataData || m.TotalSize != a.size || len(m.Data) == 0 ||
		len(m.Data) != metadataPieceLength(a.size, m.Piece) || a.pieces[m.Piece] != nil {
		return nil, nil
	}
	a.pieces[m.Piece] = bytes.Clone(m.Data)
	if a.missing--; a.missing > 0 {
		return nil, nil
	}
	info = bytes.Join(a.pieces, nil)
	clear(a.pieces)
	a.missing = len(a.pieces)
	if sha1.Sum(info) != a.infohash {
		return nil, ErrMetadataHash
	}
	return info, nil
}
