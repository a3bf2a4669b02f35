package catalog

// Stamp is what the file system tells about one file at one moment. Where the
// system does not tell, Dev, Ino and ChangeTime are zero.
type Stamp struct {
	Dev, Ino   uint64 // device and inode number
	Size       int64  // bytes
	ModTime    int64  // last change of the bytes, nanoseconds since 1970 UTC
	ChangeTime int64  // last change of bytes, owner, mode, name or link count, nanoseconds since 1970 UTC
}

// identity says which file it is, whatever its path.
type identity struct{ dev, ino uint64 }

// id returns the identity, which is zero where the system shows none.
func (s Stamp) id() identity { return identity{s.Dev, s.Ino} }

// sameContent reports whether nothing says that the bytes differ.
func (s Stamp) sameContent(t Stamp) bool { return s.Size == t.Size && s.ModTime == t.ModTime }

// sameFile reports whether the bytes are known to be the same: the rule by
// which a file is not hashed again.
func (s Stamp) sameFile(t Stamp) bool { return s.id() == t.id() && s.sameContent(t) }
