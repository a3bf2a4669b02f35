package peerwire

import (
	"errors"
	"io"
)

// Sizes on the wire, bytes.
const (
	HandshakeSize     = 68                 // the whole handshake
	handshakeHeadSize = HandshakeSize - 20 // all before the peer id: enough to answer
)

// protocolHeader opens every connection: the length of the name, then the name (BEP 3).
const protocolHeader = "\x13BitTorrent protocol"

// Handshake is what each side sends first, before any frame (BEP 3):
//
//	13 (19) | "BitTorrent protocol" | reserved [8] | infohash [20] | peer id [20]
type Handshake struct {
	Reserved Extensions
	InfoHash [20]byte
	PeerID   PeerID
}

// AppendTo appends the [HandshakeSize] bytes of h to dst.
func (h Handshake) AppendTo(dst []byte) []byte {
	dst = append(dst, protocolHeader...)
	dst = append(dst, h.Reserved[:]...)
	dst = append(dst, h.InfoHash[:]...)
	return append(dst, h.PeerID[:]...)
}

// ReadHandshake reads the whole handshake, as the side that dialled and sent its own already. Errors are those of
// [ReadHandshakeHead] and [ReadPeerID].
func ReadHandshake(r io.Reader) (Handshake, error) {
	var h Handshake
	var err error
	if h.Reserved, h.InfoHash, err = ReadHandshakeHead(r); err != nil {
		return Handshake{}, err
	}
	if h.PeerID, err = ReadPeerID(r); err != nil {
		return Handshake{}, err
	}
	return h, nil
}

// ReadHandshakeHead reads the first 48 bytes of a handshake and not one more: a listener looks the infohash up and answers
// before it calls [ReadPeerID], because trackers that check reachability, and some clients, hold the peer id back until they
// see ours. The first 20 bytes are judged as soon as they are in, with a [*HandshakeError] when they are not BitTorrent's. A
// connection that closes without a byte gives [io.EOF], one that closes later [io.ErrUnexpectedEOF].
func ReadHandshakeHead(r io.Reader) (Extensions, [20]byte, error) {
	var (
		reserved Extensions
		infohash [20]byte
		head     [handshakeHeadSize]byte
	)
	n, err := io.ReadAtLeast(r, head[:], len(protocolHeader))
	if err != nil {
		return reserved, infohash, err
	}
	if string(head[:len(protocolHeader)]) != protocolHeader {
		return reserved, infohash, &HandshakeError{Read: head[:n]}
	}
	if err := readRest(r, head[n:]); err != nil {
		return reserved, infohash, err
	}
	copy(reserved[:], head[len(protocolHeader):])
	copy(infohash[:], head[len(protocolHeader)+len(reserved):])
	return reserved, infohash, nil
}

// ReadPeerID reads the 20 bytes that end a handshake. A connection that closes before them gives [io.ErrUnexpectedEOF].
func ReadPeerID(r io.Reader) (PeerID, error) {
	var id PeerID
	if err := readRest(r, id[:]); err != nil {
		return PeerID{}, err
	}
	return id, nil
}

// readRest fills p from the middle of a handshake, where no end is a clean one.
func readRest(r io.Reader, p []byte) error {
	_, err := io.ReadFull(r, p)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
