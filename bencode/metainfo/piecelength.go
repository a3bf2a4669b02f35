package metainfo

// The range of piece lengths that PieceLengthFor chooses from.
const (
	minAutoPieceLength = 16 << 10 // a block: smaller pieces are of no use
	maxAutoPieceLength = 16 << 20 // larger ones are slow to verify, and some clients refuse them
	autoPieces         = 2000     // keeps a .torrent near 40 KiB
)

// PieceLengthFor returns a good piece length for total bytes of content: the
// smallest power of two from 16 KiB to 16 MiB that makes at most 2,000 pieces.
// From 31.25 GiB on it is 16 MiB and the pieces are more. It depends on total
// alone, so that the same content gets the same infohash again.
func PieceLengthFor(total int64) int64 {
	length := int64(minAutoPieceLength)
	for length < maxAutoPieceLength && total > autoPieces*length {
		length *= 2
	}
	return length
}
