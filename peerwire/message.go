package peerwire

// A Message is one frame of the peer protocol: the types of this package and no others. [Append] encodes any of them.
// On the wire a frame is
//
//	length uint32 | id uint8 | payload
//
// with integers big-endian and length counting id and payload (BEP 3).
type Message interface{ message() }

// KeepAlive is the empty frame, length 0 and no id. One is due when nothing else was sent for two minutes (BEP 3).
type KeepAlive struct{}

// Choke says that the sender stops answering requests (BEP 3). Between peers with [Fast] it rejects nothing by itself:
// each pending request still gets its [Piece] or [Reject] (BEP 6).
type Choke struct{}

// Unchoke says that the sender answers requests (BEP 3).
type Unchoke struct{}

// Interested says that the sender would request if it were unchoked (BEP 3).
type Interested struct{}

// NotInterested takes [Interested] back (BEP 3).
type NotInterested struct{}

// Have says that the sender has piece Index, verified (BEP 3).
type Have struct{ Index uint32 }

// BitfieldMessage says which pieces the sender has: one bit each, the first piece in the high bit of the first byte, spare
// bits zero (BEP 3). [ParseBitfield] reads Bits.
type BitfieldMessage struct{ Bits []byte }

// Request asks for Length bytes of piece Index starting at byte Begin (BEP 3). The numbers are the peer's and may be
// anything: [Request.Valid] judges them.
//
//	00 00 00 0d | 06 | index uint32 | begin uint32 | length uint32
type Request struct{ Index, Begin, Length uint32 }

// Valid reports whether r is a block that can be served: Length of 1 to maxBlock bytes, all of them inside a piece of
// pieceSize bytes. The sum is made in 64 bits, where no Begin can wrap it. A pieceSize of 0 or less, for an Index the
// torrent does not have, is never valid.
func (r Request) Valid(pieceSize, maxBlock int64) bool {
	return r.Length > 0 && int64(r.Length) <= maxBlock && int64(r.Begin)+int64(r.Length) <= pieceSize
}

// Piece carries a block: Data is what a [Request] for Index, Begin and len(Data) asked for (BEP 3).
// A sender of many blocks uses a [BlockRun] instead.
//
//	length uint32 | 07 | index uint32 | begin uint32 | data
type Piece struct {
	Index, Begin uint32
	Data         []byte
}

// Cancel takes a [Request] with the same three numbers back (BEP 3). Between peers with [Fast] the request is still
// answered, with the [Piece] or a [Reject] (BEP 6). Cancel and Request convert into each other.
type Cancel struct{ Index, Begin, Length uint32 }

// Port tells the UDP port of the sender's DHT node (BEP 5).
type Port struct{ Port uint16 }

// Suggest advises to download piece Index (BEP 6).
type Suggest struct{ Index uint32 }

// HaveAll stands for a [BitfieldMessage] with every bit set (BEP 6).
type HaveAll struct{}

// HaveNone stands for a [BitfieldMessage] with no bit set (BEP 6).
type HaveNone struct{}

// Reject says that the [Request] with the same three numbers will not be served (BEP 6). Reject and Request convert into
// each other.
type Reject struct{ Index, Begin, Length uint32 }

// AllowedFast says that requests for piece Index are served even to a choked peer (BEP 6). It does not say that the sender
// has the piece.
type AllowedFast struct{ Index uint32 }

// Extended is a frame of the extension protocol (BEP 10). ID 0 is the extension handshake; any other is the number that the
// receiver chose in its own. Package extension reads and writes payloads.
//
//	length uint32 | 14 (20) | extended id uint8 | payload
type Extended struct {
	ID      uint8
	Payload []byte
}

// Unknown is a frame with an id this package does not know. A receiver passes over it: it belongs to a later protocol.
type Unknown struct {
	ID      ID
	Payload []byte
}

// Only this package adds messages.
func (KeepAlive) message()       {}
func (Choke) message()           {}
func (Unchoke) message()         {}
func (Interested) message()      {}
func (NotInterested) message()   {}
func (Have) message()            {}
func (BitfieldMessage) message() {}
func (Request) message()         {}
func (Piece) message()           {}
func (Cancel) message()          {}
func (Port) message()            {}
func (Suggest) message()         {}
func (HaveAll) message()         {}
func (HaveNone) message()        {}
func (Reject) message()          {}
func (AllowedFast) message()     {}
func (Extended) message()        {}
func (Unknown) message()         {}
