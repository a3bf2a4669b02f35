// Package bencode reads and writes bencode, the encoding of torrent files,
// tracker answers, DHT packets and extension payloads (BEP 3, "bencoding").
//
// # Nouns
//
// A [Value] is one complete encoded value: a slice of the document it came
// from, never a copy. [Decode] makes one out of bytes a stranger sent, after it
// has checked every byte; [Options] holds the limits. A [Cursor] walks the
// items of a list or the entries of a dict. The Append functions write values
// to the end of a byte slice. [Unmarshal] and [Marshal] map documents to Go
// structs, slower and with allocation, for what is read once.
//
//	doc, err := bencode.Decode(packet)
//	if err != nil {
//		return err
//	}
//	id, ok := doc.Get("a").Get("id").Bytes()
//
// Because a Value is the bytes as they came, doc.Get("info") is exactly what an
// infohash is taken over (BEP 3, "info_hash"), whatever its form.
//
// # Strict and lenient
//
// Every value has one canonical encoding: integers and string lengths without
// leading zeros, no i-0e, dict keys unique and in ascending order of their raw
// bytes. Strict decoding, the default, accepts nothing else, so what it
// accepts encodes to the same bytes again. Lenient decoding, for torrent files
// and tracker answers of others, tolerates leading zeros, i-0e, keys out of
// order and duplicate keys, and, in [DecodeLenient] and [Options.Unmarshal],
// bytes after the value. What is malformed rather than merely not canonical is
// refused in both modes.
//
// Lenient is as tolerant as libtorrent 2.0: over the vectors in testdata the
// verdicts are equal. Only the limits differ: libtorrent admits one level less,
// counts the ends of lists and dicts as tokens too, and refuses string lengths
// of hundreds of digits.
//
// # Limitations
//
// A document is one byte slice of less than 2 GiB: there is no streaming
// reader. Integers of any size pass, as BEP 3 sets no bound, but only those in
// the range of int64 can be read as numbers. Strings are bytes: nothing here
// knows or requires UTF-8. A Cursor finds the end of each item by walking over
// it, so that reading all levels of a document costs its length times its
// depth, and [Value.Get] costs the length of the dict.
//
// All functions may be called concurrently. None changes its input; what a
// Value or a Cursor returns aliases it.
package bencode
