package udptracker

import (
	"encoding/binary"
	"math"
	"net/netip"

	"github.com/seedserver/bittorrent/tracker"
)

// Request is the beginning of every packet to a tracker (BEP 15).
//
//	0   8  connection id, or the protocol id of a connect
//	8   4  action
//	12  4  transaction
type Request struct {
	ConnectionID uint64 // the protocol id in a connect
	Action       Action
	Transaction  uint32 // chosen by the client; the answer repeats it
}

// ParseRequest reads the beginning of a packet to a tracker: connect, announce
// or scrape. The rest is for [ParseAnnounceRequest] and [ParseScrapeRequest];
// whatever follows a connect is passed over. The error is a [*PacketError].
func ParseRequest(b []byte) (Request, error) {
	if len(b) < requestSize {
		return Request{}, errShortRequest
	}
	r := Request{
		ConnectionID: binary.BigEndian.Uint64(b),
		Action:       Action(binary.BigEndian.Uint32(b[8:])),
		Transaction:  binary.BigEndian.Uint32(b[12:]),
	}
	switch {
	case r.Action > ActionScrape:
		return r, errAction
	case r.Action == ActionConnect && r.ConnectionID != protocolID:
		return r, errProtocolID
	}
	return r, nil
}

// The errors are values made once: strangers can cause any number of them.
var (
	errShortRequest  = &PacketError{ActionConnect, "shorter than 16 bytes"}
	errProtocolID    = &PacketError{ActionConnect, "wrong protocol id"}
	errAction        = &PacketError{ActionError, "is no request"}
	errShortAnnounce = &PacketError{ActionAnnounce, "shorter than 98 bytes"}
	errNoHashes      = &PacketError{ActionScrape, "no infohash"}
	errManyHashes    = &PacketError{ActionScrape, "more than 74 infohashes"}
)

// AnnounceRequest is an announce as it travels (BEP 15, 41).
type AnnounceRequest struct {
	// AnnounceRequest is what the client reports. Of its Addr only the port is
	// set.
	tracker.AnnounceRequest

	// IP is the IPv4 address the client names, the zero Addr if none. It is a
	// claim and nothing more.
	IP netip.Addr

	// Path is the path and query of the tracker's URL as the client knows it,
	// such as "/announce/KEY?a=b" (BEP 41, URLData). Empty if it did not say.
	Path []byte
}

// AppendConnectRequest appends a connect.
func AppendConnectRequest(dst []byte, transaction uint32) []byte {
	return appendHead(dst, protocolID, ActionConnect, transaction)
}

// AppendAnnounceRequest appends an announce under a connection id the tracker
// gave. Of req.Addr only the port is used: the tracker sees the address. A
// negative Left, "did not say", has no form here and is sent as 2^63-1: a
// client that does not know what it lacks lacks something. EventPaused is sent
// as none (BEP 21 has no number for it). path is the path and query of the
// tracker's URL, "" to leave it out (BEP 41); it must leave room for itself in
// a packet.
func AppendAnnounceRequest(dst []byte, connection uint64, transaction uint32, req *tracker.AnnounceRequest, path string) []byte {
	be := binary.BigEndian
	left, event := req.Left, req.Event
	if left < 0 {
		left = math.MaxInt64
	}
	if event > tracker.EventStopped {
		event = tracker.EventNone
	}
	dst = appendHead(dst, connection, ActionAnnounce, transaction)
	dst = append(dst, req.InfoHash[:]...)
	dst = append(dst, req.PeerID[:]...)
	dst = be.AppendUint64(dst, uint64(req.Downloaded))
	dst = be.AppendUint64(dst, uint64(left))
	dst = be.AppendUint64(dst, uint64(req.Uploaded))
	dst = be.AppendUint32(dst, uint32(event))
	dst = be.AppendUint32(dst, 0) // ip: the tracker takes the sender's
	dst = be.AppendUint32(dst, req.Key)
	dst = be.AppendUint32(dst, uint32(int32(max(-1, min(req.NumWant, math.MaxInt32)))))
	dst = be.AppendUint16(dst, req.Addr.Port())
	return appendPath(dst, path)
}

// ParseAnnounceRequest reads an announce, which [ParseRequest] has recognized,
// into req and reuses its Path. Numbers over 2^63-1 are taken as that, an
// unknown event as none; a negative num_want is -1. Options that are not known
// or broken are passed over. The error is a [*PacketError]: b is too short.
//
//	16  20  infohash       36  20  peer id
//	56   8  downloaded     64   8  left          72  8  uploaded
//	80   4  event          84   4  ip, or 0      88  4  key
//	92   4  num_want       96   2  port          98     options (BEP 41)
func ParseAnnounceRequest(b []byte, req *AnnounceRequest) error {
	if len(b) < announceRequestSize {
		return errShortAnnounce
	}
	be := binary.BigEndian
	*req = AnnounceRequest{Path: appendOptions(req.Path[:0], b[announceRequestSize:])}
	req.InfoHash = [20]byte(b[16:])
	req.PeerID = [20]byte(b[36:])
	req.Downloaded = clamp(be.Uint64(b[56:]))
	req.Left = clamp(be.Uint64(b[64:]))
	req.Uploaded = clamp(be.Uint64(b[72:]))
	if event := be.Uint32(b[80:]); event <= uint32(tracker.EventStopped) {
		req.Event = tracker.Event(event)
	}
	if ip := [4]byte(b[84:]); ip != [4]byte{} {
		req.IP = netip.AddrFrom4(ip)
	}
	req.Key = be.Uint32(b[88:])
	req.NumWant = max(-1, int(int32(be.Uint32(b[92:]))))
	req.Addr = netip.AddrPortFrom(netip.Addr{}, be.Uint16(b[96:]))
	return nil
}

func clamp(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// AppendScrapeRequest appends a scrape of up to [MaxScrape] torrents. Those
// beyond are left out.
func AppendScrapeRequest(dst []byte, connection uint64, transaction uint32, hashes [][20]byte) []byte {
	dst = appendHead(dst, connection, ActionScrape, transaction)
	for i := range min(len(hashes), MaxScrape) {
		dst = append(dst, hashes[i][:]...)
	}
	return dst
}

// ParseScrapeRequest appends the infohashes of a scrape, which [ParseRequest]
// has recognized, to dst. Bytes behind the last whole one are passed over. The
// error is a [*PacketError]: there is none, or more than [MaxScrape].
func ParseScrapeRequest(dst [][20]byte, b []byte) ([][20]byte, error) {
	switch {
	case len(b) < requestSize+hashSize:
		return dst, errNoHashes
	case len(b) >= requestSize+(MaxScrape+1)*hashSize:
		return dst, errManyHashes
	}
	for b = b[requestSize:]; len(b) >= hashSize; b = b[hashSize:] {
		dst = append(dst, [20]byte(b))
	}
	return dst, nil
}
