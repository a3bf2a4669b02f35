package metainfo

import (
	"bytes"
	"crypto/sha1"
	"slices"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/bencode"
)

// Limits of what Parse and ParseInfo take, and Build makes. They are
// libtorrent's where it has one.
const (
	maxDocument    = 64 << 20  // bytes of a .torrent file or info dict
	maxTotal       = 1<<48 - 1 // bytes of content
	maxPieceLength = 512 << 20 // bytes
	maxPieces      = 1 << 21
)

// readOptions is how a stranger's document is decoded: what clients have
// tolerated for twenty years is in the archives.
var readOptions = bencode.Options{Lenient: true, MaxSize: maxDocument}

// ParseInfo reads an info dict, such as came from peers (BEP 9). raw is one
// bencoded dictionary without anything after it. Pieces of the result aliases
// raw, which must not change any more.
//
// The error matches [ErrInvalid], [ErrUnsupported], [bencode.ErrSyntax] or
// [bencode.ErrLimit].
func ParseInfo(raw []byte) (*Info, error) {
	v, n, err := readOptions.Decode(raw)
	if err != nil {
		return nil, err
	}
	if n != len(raw) {
		return nil, invalid("info", "%d bytes after its end", len(raw)-n)
	}
	return readInfo(v)
}

// infoFields are the values of an info dict, nil where it has none.
type infoFields struct {
	attr, metaVersion, files, length, name, nameUTF8, pieceLength, pieces, private, source bencode.Value
}

// fieldsOf walks the dictionary once: looking for each key would walk a long
// list of files ten times. The first one of a duplicate key counts.
func fieldsOf(v bencode.Value) infoFields {
	var f infoFields
	byKey := map[string]*bencode.Value{
		"attr": &f.attr, "meta version": &f.metaVersion, "files": &f.files, "length": &f.length,
		"name": &f.name, "name.utf-8": &f.nameUTF8, "piece length": &f.pieceLength, "pieces": &f.pieces,
		"private": &f.private, "source": &f.source,
	}
	for c := v.Cursor(); c.Next(); {
		if field := byKey[string(c.Key())]; field != nil && *field == nil {
			*field = c.Value()
		}
	}
	return f
}

func readInfo(v bencode.Value) (*Info, error) {
	if v.Kind() != bencode.Dict {
		return nil, invalid("info", "not a dictionary")
	}
	f := fieldsOf(v)
	// BEP 52: "Implementations must check this field first and indicate that a
	// torrent is of a newer version than they can handle".
	if err := f.checkVersion(); err != nil {
		return nil, err
	}
	info := &Info{}
	var err error
	if info.Name, err = readName(f.name, f.nameUTF8); err != nil {
		return nil, err
	}
	if err = f.readFiles(info); err != nil {
		return nil, err
	}
	if err = f.readPieces(info); err != nil {
		return nil, err
	}
	private, _ := f.private.Int()
	info.Private = private != 0
	info.Source = text(f.source)
	return info, nil
}

// checkVersion refuses what has no v1 part.
func (f *infoFields) checkVersion() error {
	version, ok := f.metaVersion.Int()
	switch {
	case !ok || version == 1:
		return nil
	case version != 2:
		return &UnsupportedError{MetaVersion: version}
	case f.pieces == nil && f.files == nil && f.length == nil:
		return &UnsupportedError{MetaVersion: 2}
	}
	return nil
}

// readName prefers name.utf-8, which programs with another encoding wrote
// beside name.
func readName(name, nameUTF8 bencode.Value) (string, error) {
	b, ok := nameUTF8.Bytes()
	if !ok || len(b) == 0 {
		if b, ok = name.Bytes(); !ok {
			return "", invalid("name", "missing")
		}
	}
	s, ok := hostRules.element(string(b))
	if !ok {
		return "", invalid("name", "%q cannot name a file", b)
	}
	return s, nil
}

// readFiles sets Multi and Files.
func (f *infoFields) readFiles(info *Info) error {
	switch {
	case f.length == nil && f.files == nil:
		return invalid("length", "missing, and so is files")
	case f.length != nil && f.files != nil:
		// BEP 3: "There is also a key length or a key files, but not both or neither."
		return invalid("length", "given beside files")
	case f.length != nil:
		length, err := readLength(f.length)
		executable, hidden := hasAttr(f.attr, 'x'), hasAttr(f.attr, 'h')
		info.Files = []File{{Path: []string{info.Name}, Length: length, Executable: executable, Hidden: hidden}}
		return err
	case f.files.Kind() != bencode.List:
		return invalid("files", "not a list")
	}
	info.Multi = true
	var total int64
	for c := f.files.Cursor(); c.Next(); {
		file, err := readFile(c.Value())
		if err != nil {
			return err
		}
		if file.Length > maxTotal-total {
			return invalid("files", "more than 2^48-1 bytes in all")
		}
		file.Offset = total
		total += file.Length
		info.Files = append(info.Files, file)
	}
	hostRules.separate(info.Files)
	return nil
}

// readFile reads an item of files.
func readFile(v bencode.Value) (f File, err error) {
	attr := v.Get("attr")
	f.Pad, f.Symlink = hasAttr(attr, 'p'), hasAttr(attr, 'l')
	f.Executable, f.Hidden = hasAttr(attr, 'x'), hasAttr(attr, 'h')
	// BEP 47: "The length of a symlink is always zero", and may be left out.
	if !f.Symlink {
		if f.Length, err = readLength(v.Get("length")); err != nil {
			return File{}, err
		}
	}
	f.Path, err = readPath(v)
	if f.Pad && err != nil {
		// BEP 47: "should not require it to be present on padding files".
		f.Path, err = []string{".pad", strconv.FormatInt(f.Length, 10)}, nil
	}
	return f, err
}

// hasAttr reports whether the letter is in a file's attributes (BEP 47).
func hasAttr(attr bencode.Value, letter byte) bool {
	b, _ := attr.Bytes()
	return bytes.IndexByte(b, letter) >= 0
}

// readLength reads a file's number of bytes.
func readLength(v bencode.Value) (int64, error) {
	length, ok := v.Int()
	if !ok || length < 0 || length > maxTotal {
		return 0, invalid("length", "not a number from 0 to 2^48-1")
	}
	return length, nil
}

// readPath reads the path of an item of files, preferring path.utf-8.
func readPath(v bencode.Value) ([]string, error) {
	list := v.Get("path.utf-8")
	if list.Kind() != bencode.List {
		list = v.Get("path")
	}
	var path []string
	for c := list.Cursor(); c.Next(); {
		b, ok := c.Value().Bytes()
		if !ok || string(b) == ".." {
			return nil, invalid("path", "has %q among its elements", []byte(c.Value()))
		}
		if s, ok := hostRules.element(string(b)); ok {
			path = append(path, s)
		}
		if len(path) > maxPathElements {
			return nil, invalid("path", "more than %d elements", maxPathElements)
		}
	}
	if len(path) == 0 {
		// BEP 3: "a zero length list is an error case".
		return nil, invalid("path", "no elements")
	}
	return slices.Clip(path), nil
}

// readPieces sets PieceLength and Pieces, and checks them against Files.
func (f *infoFields) readPieces(info *Info) error {
	length, ok := f.pieceLength.Int()
	if !ok || length <= 0 || length > maxPieceLength {
		return invalid("piece length", "not a number from 1 to %d", maxPieceLength)
	}
	pieces, ok := f.pieces.Bytes()
	if !ok || len(pieces)%sha1.Size != 0 {
		return invalid("pieces", "not a string of 20 bytes for each piece")
	}
	total := info.Length()
	if total == 0 {
		return invalid("length", "0 bytes: nothing to download")
	}
	want, err := countPieces(total, length)
	if err != nil {
		return err
	}
	if got := len(pieces) / sha1.Size; got != want {
		return invalid("pieces", "%d hashes for %d pieces", got, want)
	}
	info.PieceLength = length
	info.Pieces = slices.Clip(pieces)
	return nil
}

// countPieces returns how many pieces of the given length total bytes make.
func countPieces(total, pieceLength int64) (int, error) {
	n := (total-1)/pieceLength + 1
	if n > maxPieces {
		return 0, invalid("piece length", "%d makes %d pieces, more than %d", pieceLength, n, maxPieces)
	}
	return int(n), nil
}

// text returns a string as valid UTF-8, empty when v is none.
func text(v bencode.Value) string {
	b, _ := v.Bytes()
	return strings.ToValidUTF8(string(b), "\uFFFD")
}
