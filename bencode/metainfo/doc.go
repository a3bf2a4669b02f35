// Package metainfo reads and writes .torrent files and magnet links, and makes
// torrents of files.
//
// A [Torrent] is a whole .torrent file (BEP 3, 5, 12, 19). The part that is
// hashed, its info dict, is kept as the raw bytes it came as, and once more as
// an [Info] to work with. The SHA-1 of the raw bytes is the [InfoHash]. A
// [Magnet] has the infohash without the info dict (BEP 9, 53). [Build] hashes
// files into a raw info dict.
//
//	t, err := metainfo.Parse(b)
//	if err != nil {
//		return err
//	}
//	fmt.Println(t.InfoHash, t.Info.Name, t.Info.Length(), t.Magnet())
//
// # Reading
//
// Parse reads what clients read. Bencode may be in any of the forms that
// [bencode.Options] calls lenient, and bytes may follow the torrent. Outside
// the info dict, whatever is not as the BEPs say is left out: an announce-list
// of strings is read as one tracker a tier, URLs are trimmed, and dropped if
// they are empty, double, or of a scheme that no client knows. At most 1,000
// of each kind are kept. name.utf-8, path.utf-8 and comment.utf-8, which old
// programs wrote beside names in another encoding, are preferred.
//
// The info dict must make sense, though: exactly one of length and files, a
// piece length from 1 byte to 512 MiB, one hash for each piece, at most
// 2,097,152 pieces, more than 0 and less than 2^48 bytes in all.
//
// # Paths
//
// Names in a torrent come from a stranger. Joining the elements of Info.Name
// and File.Path gives a path that stays below where it starts, whatever the
// torrent says:
//
//   - "..", which nobody writes by accident, is refused, and so is a name or
//     path that is empty, or has more than 100 elements
//   - "." and empty elements of a path are left out
//   - "/", "\", control characters (NUL among them), characters that turn the
//     direction of writing, and bytes that are not UTF-8 become "_" each
//   - elements over 255 bytes are cut and keep their extension
//   - a file whose path another file has, or another lies below, is renamed:
//     "a.txt" becomes "a.1.txt"
//
// On Windows, the characters and names it refuses are changed too ("CON"
// becomes "_CON"); there and on macOS, paths that differ in case only count as
// the same. Elsewhere these are good names and stay.
//
// The infohash does not change by any of that. But a path may then differ from
// that of the file a torrent was made of; whoever serves the files that they
// gave to Build goes by their number, not by the path read back.
//
// # Limitations
//
// Of a hybrid torrent only the v1 part is read, and not compared with the v2
// part (BEP 52). A v2-only torrent is refused with an [*UnsupportedError], a v2
// magnet link is read. Build makes v1 torrents without pad files. Web seeds of
// BEP 17 (httpseeds), mutable torrents (BEP 46) and signatures (BEP 35) are not
// looked at, and Encode does not write what Torrent has no field for.
package metainfo
