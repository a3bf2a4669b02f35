package metainfo

import "crypto/sha1"

// Info is what an info dict says (BEP 3 "info dictionary"). The infohash is
// not made from it but from the raw bytes it was read from, so an Info may be
// passed around freely and loses nothing that is needed. It is not modified
// after it was read and may be used by many goroutines.
type Info struct {
	// Name is the file, or with Multi the directory, to keep the content in.
	// It is one safe path element.
	Name string
	// PieceLength is the number of bytes of every piece but the last, 1 to
	// 512 MiB. It need not be a power of two.
	PieceLength int64
	// Pieces holds the SHA-1 of each piece, 20 bytes each, one after the other.
	Pieces []byte
	// Private forbids all peer sources but the torrent's trackers (BEP 27).
	Private bool
	// Source is a text that private sites put in to make the infohash theirs.
	Source string
	// Multi says that the content is a directory, even if with one file only.
	Multi bool
	// Files are the files in the order of their bytes in the pieces. There is
	// at least one. Without Multi there is exactly one, and its Path is Name.
	Files []File
}

// File is one file of a torrent.
type File struct {
	// Path are the elements below the directory Name; for the only file of a
	// torrent without Multi it is Name itself. Elements are safe, see "Paths"
	// in the package documentation; no two files that are not pads share one.
	Path []string
	// Length is in bytes and may be 0.
	Length int64
	// Offset is the position of the file's first byte in the torrent.
	Offset int64
	// Pad says that the file is zeros that only fill up a piece: it is hashed
	// and sent but never kept on a disk (BEP 47).
	Pad bool
	// Symlink says that the entry is a symbolic link (BEP 47). It has no bytes,
	// and where it leads is not read: leave it out. It is here because files
	// are counted (BEP 53).
	Symlink bool
	// Executable and Hidden are the x and h attributes (BEP 47).
	Executable, Hidden bool
}

// NumPieces returns the number of pieces, at least 1 in an Info that was read.
func (i *Info) NumPieces() int { return len(i.Pieces) / sha1.Size }

// Length returns the number of bytes of all files, pads included.
func (i *Info) Length() int64 {
	if len(i.Files) == 0 {
		return 0
	}
	last := i.Files[len(i.Files)-1]
	return last.Offset + last.Length
}

// PieceSize returns the number of bytes of piece index: PieceLength, or what
// is left for the last piece. It returns 0 for an index out of range.
func (i *Info) PieceSize(index int) int64 {
	if index < 0 || index >= i.NumPieces() {
		return 0
	}
	return min(i.PieceLength, i.Length()-int64(index)*i.PieceLength)
}

// PieceHash returns the SHA-1 that piece index must have. It panics when index
// is out of range, as a slice does.
func (i *Info) PieceHash(index int) [sha1.Size]byte {
	return [sha1.Size]byte(i.Pieces[index*sha1.Size:])
}
