package piecepicker

import "time"

// PeerJoined notes a peer whose handshake is done and returns its number, or 0 when there are 65,535 already. It is made
// an offer as soon as it has told its pieces, or after 300 ms.
func (p *Picker) PeerJoined(now time.Time, info PeerInfo) Peer { return 0 }

// PeerBitfield notes the pieces the peer came with, one bit each, the first in the highest bit of the first byte (BEP 3).
// bits is not kept; what is too short is filled with zeros, what is too long is cut.
func (p *Picker) PeerBitfield(now time.Time, id Peer, bits []byte) {}

// PeerHaveAll notes that the peer says it came with all pieces (BEP 6).
func (p *Picker) PeerHaveAll(now time.Time, id Peer) {}

// PeerHaveNone notes that the peer came with nothing (BEP 6).
func (p *Picker) PeerHaveNone(now time.Time, id Peer) {}

// PeerHas notes a HAVE.
func (p *Picker) PeerHas(now time.Time, id Peer, piece uint32) {}

// PeerInterested notes INTERESTED or NOT INTERESTED.
func (p *Picker) PeerInterested(now time.Time, id Peer, interested bool) {}

// PeerUploadOnly notes that the peer wants nothing, or wants something again (BEP 21). It is made no offers meanwhile.
func (p *Picker) PeerUploadOnly(now time.Time, id Peer, only bool) {}

// Requested notes that the peer asked for a block of the piece, and reports whether to answer and out of which class's
// rate. If not, reject the request (BEP 6) or, without the fast extension, ignore it.
func (p *Picker) Requested(now time.Time, id Peer, piece uint32) (Class, bool) { return 0, false }

// BlockSent notes that n bytes of the piece from begin on were sent to the peer.
func (p *Picker) BlockSent(now time.Time, id Peer, piece, begin uint32, n int) {}

// Audited notes that the peer sent a block we asked for as a test: ok says that its bytes were ours. No answer is no
// verdict and is not noted.
func (p *Picker) Audited(now time.Time, id Peer, ok bool) {}

// PeerLeft notes that the connection is closed. The number may be given to the next peer; decisions about this one that
// were not yet returned are forgotten.
func (p *Picker) PeerLeft(now time.Time, id Peer) {}
