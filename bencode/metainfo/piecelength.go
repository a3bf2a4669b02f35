package metainfo

// The range of piece lengths that PieceLengthFor chooses from.
const (
	minAutoPieceLength = 16 << 10 // a block: smaller pieces are of no use
	maxAutoPieceLength = 16 << 20 // larger ones are slow to verify, and some clients refuse them
	autoPieces         = 4096     // keeps a .torrent within some 80 KiB
)

// PieceLengthFor returns a good piece length for total bytes of content: the
// smallest power of two from 16 KiB to 16 MiB that makes at most 4,096 pieces.
// From 64 GiB on it is 16 MiB and the pieces are more. It depends on total
// alone, so that the same content gets the same infohash again.
//
// Small pieces are passed on sooner, and less is lost with one that is wrong.
// Up to 64 MiB a piece is one block, the unit of a request: who sent a wrong
// one is known then, so that junk cannot make downloaders distrust each other.
// More pieces would cost more to announce: 20 bytes each in the .torrent, and a
// HAVE to every neighbour.
func PieceLengthFor(total int64) int64 {
	length := int64(minAutoPieceLength)
	for length < maxAutoPieceLength && total > autoPieces*length {
		length *= 2
	}
	return length
}
