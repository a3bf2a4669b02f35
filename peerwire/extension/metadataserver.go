package extension

// maxServings is how often one peer is given one piece: "clients MAY implement flood protection by rejecting request messages
// after a certain number of them have been served" (BEP 9).
const maxServings = 3

// A MetadataServer answers one peer's requests for pieces of an info dict (BEP 9). Each connection has its own, at no cost
// until the first request; all share the info dict. It belongs to one goroutine.
type MetadataServer struct {
	info   []byte
	served []uint8 // of each piece, how often
}

// NewMetadataServer returns a server of the raw info dict, which nobody changes any more.
func NewMetadataServer(info []byte) *MetadataServer { return &MetadataServer{info: info} }

// Answer returns the answer to a request for piece: the data, aliasing the info dict, or a reject, if there is no such piece or
// the peer had it three times. "The response MUST have the same piece as the request did" (BEP 9).
func (s *MetadataServer) Answer(piece uint32) Metadata {
	size := int64(len(s.info))
	n := metadataPieceLength(size, piece)
	if n == 0 {
		return Metadata{Type: MetadataReject, Piece: piece}
	}
	if s.served == nil {
		s.served = make([]uint8, metadataPieces(size))
	}
	if s.served[piece] == maxServings {
		return Metadata{Type: MetadataReject, Piece: piece}
	}
	s.served[piece]++
	begin := int(piece) * MetadataPieceSize
	return Metadata{Type: MetadataData, Piece: piece, TotalSize: size, Data: s.info[begin : begin+n : begin+n]}
}
