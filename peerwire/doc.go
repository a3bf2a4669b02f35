// Package peerwire speaks the peer protocol: the handshake that opens a connection and the frames that follow it (BEP 3),
// with the fast extension (BEP 6), DHT ports (BEP 5) and the frames of the extension protocol (BEP 10).
//
// # Nouns
//
// A [Handshake] names the infohash, the [PeerID] and the [Extensions] of its sender. A [Message] is one frame; [Append]
// encodes it, a [Decoder] reads the peer's. A [Bitfield] is the set of pieces a peer has. A [BlockRun] sends many blocks in
// one system call.
//
// A listener answers a connection so, and then takes what it is asked for:
//
//	reserved, infohash, err := peerwire.ReadHandshakeHead(conn)
//	// look the infohash up; close without a byte if it is unknown
//	conn.Write(peerwire.Handshake{Reserved: ours, InfoHash: infohash, PeerID: self}.AppendTo(nil))
//	id, err := peerwire.ReadPeerID(conn)
//
//	d := peerwire.NewDecoder(conn, peerwire.DecoderConfig{NumPieces: n})
//	for {
//		if err := d.Await(); err != nil {
//			return err
//		}
//		if requests = d.Requests(requests[:0]); len(requests) > 0 {
//			serve(requests)
//			continue
//		}
//		m, err := d.Next()
//		// a switch on the type of m
//	}
//
// # Limitations
//
// The package keeps no state of a connection: which messages were negotiated, who is choked and what is pending is its
// caller's. Version 2 torrents (BEP 52) are not spoken: hash messages arrive as [Unknown]. Frames are at most 1 GiB.
//
// Nothing here starts a goroutine, reads a clock or logs. Functions may be called concurrently; Decoder, Bitfield and BlockRun
// belong to one goroutine each.
package peerwire
