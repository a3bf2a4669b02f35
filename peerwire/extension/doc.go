// Package extension reads and writes what [Extended] frames of the peer protocol carry (BEP 10): the extension handshake,
// metadata exchange (ut_metadata, BEP 9), peer exchange (ut_pex, BEP 11), lt_donthave (BEP 54) and upload_only.
//
// # Nouns
//
// Each payload is a type with a Parse function and an AppendTo method; a payload is what follows the extended id of a frame.
// A [Handshake] tells the [IDs] under which its sender wants the messages it knows, so a message goes out under the
// receiver's number and is recognised by ours:
//
//	theirs.Merge(handshake.IDs)           // what the peer's handshake said
//	id := theirs.ID(extension.Metadata)   // the frame's extended id; 0: the peer does not take it
//	name, ok := ours.Name(frame.ID)       // what the peer's frame means
//
// A [MetadataServer] answers one peer's requests for the info dict; a [MetadataAssembler] puts it together from the answers of
// many.
//
// # Limitations
//
// ut_holepunch (BEP 55) is not spoken. Private torrents must not exchange peers (BEP 27): that is the caller's to know.
//
// Nothing here starts a goroutine, reads a clock or logs. Functions may be called concurrently; states belong to one goroutine
// each.
//
// [Extended]: https://www.bittorrent.org/beps/bep_0010.html
package extension
