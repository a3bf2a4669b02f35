package udptracker

import (
	"encoding/binary"
	"math"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/tracker"
)

// Response is the beginning of every packet of a tracker (BEP 15).
//
//	0  4  action
//	4  4  transaction
type Response struct {
	Action      Action
	Transaction uint32 // that of the request
}

// ParseResponse reads the beginning of a packet of a tracker. A client looks at
// the rest only if the transaction, and the address it came from, are those of
// its request. The error is a [*PacketError].
func ParseResponse(b []byte) (Response, error) {
	if len(b) < responseSize {
		return Response{}, errShortResponse
	}
	r := Response{Action(binary.BigEndian.Uint32(b)), binary.BigEndian.Uint32(b[4:])}
	if r.Action > ActionError {
		return r, errResponse
	}
	return r, nil
}

var (
	errShortResponse = &PacketError{ActionError, "shorter than 8 bytes"}
	errResponse      = &PacketError{ActionError, "is no response"}
	errShortConnect  = &PacketError{ActionConnect, "response shorter than 16 bytes"}
	errShortAnswer   = &PacketError{ActionAnnounce, "response shorter than 20 bytes"}
	errWrongAction   = &PacketError{ActionError, "response to something else"}
)

func appendResponse(dst []byte, action Action, transaction uint32) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(action))
	return binary.BigEndian.AppendUint32(dst, transaction)
}

// check reports why b is not a response of this action and of at least size
// bytes, of which short is the error.
func check(b []byte, action Action, size int, short error) error {
	r, err := ParseResponse(b)
	switch {
	case err != nil:
		return err
	case r.Action != action:
		return errWrongAction
	case len(b) < size:
		return short
	}
	return nil
}

// AppendConnectResponse appends the answer to a connect: the connection id.
func AppendConnectResponse(dst []byte, transaction uint32, connection uint64) []byte {
	dst = appendResponse(dst, ActionConnect, transaction)
	return binary.BigEndian.AppendUint64(dst, connection)
}

// ParseConnectResponse returns the connection id of the answer to a connect.
// The error is a [*PacketError].
func ParseConnectResponse(b []byte) (connection uint64, err error) {
	if err := check(b, ActionConnect, connectResponseSize, errShortConnect); err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint64(b[responseSize:]), nil
}

// AppendAnnounceResponse appends the answer to an announce. It holds the peers
// of one family only: "the address family of the UDP packet" (BEP 15), IPv6 if
// six. The minimal interval, the downloads and the external address have no
// place in it.
func AppendAnnounceResponse(dst []byte, transaction uint32, res *tracker.AnnounceResponse, six bool) []byte {
	dst = appendResponse(dst, ActionAnnounce, transaction)
	dst = binary.BigEndian.AppendUint32(dst, number(int(res.Interval/time.Second)))
	dst = binary.BigEndian.AppendUint32(dst, number(res.Incomplete))
	dst = binary.BigEndian.AppendUint32(dst, number(res.Complete))
	if six {
		return append(dst, res.Peers6...)
	}
	return append(dst, res.Peers4...)
}

// number is n as the 32-bit integer of BEP 15, which may be read as signed.
func number(n int) uint32 { return uint32(max(0, min(n, math.MaxInt32))) }

// ParseAnnounceResponse reads the answer to an announce into res, which it
// resets first. six says whether the packet came over IPv6: then the peers are
// 18 bytes each, else 6. Bytes behind the last whole peer are passed over.
// Negative numbers are 0; an Interval of 0 says nothing. The error is a
// [*PacketError].
func ParseAnnounceResponse(b []byte, six bool, res *tracker.AnnounceResponse) error {
	if err := check(b, ActionAnnounce, announceResponseSize, errShortAnswer); err != nil {
		return err
	}
	res.Reset()
	res.Interval = time.Duration(integer(b[8:])) * time.Second
	res.Incomplete = integer(b[12:])
	res.Complete = integer(b[16:])
	peers := b[announceResponseSize:]
	if six {
		res.Peers6 = append(res.Peers6, peers[:len(peers)-len(peers)%peer6Size]...)
	} else {
		res.Peers4 = append(res.Peers4, peers[:len(peers)-len(peers)%peer4Size]...)
	}
	return nil
}

// Bytes of a compact peer (BEP 15, 23, 7).
const (
	peer4Size = 6
	peer6Size = 18
)

func integer(b []byte) int { return max(0, int(int32(binary.BigEndian.Uint32(b)))) }

// AppendScrapeResponse appends the answer to a scrape: the counts of each
// torrent, in the order they were asked for.
func AppendScrapeResponse(dst []byte, transaction uint32, stats []tracker.ScrapeStats) []byte {
	dst = appendResponse(dst, ActionScrape, transaction)
	for _, s := range stats {
		dst = appendStats(dst, s)
	}
	return dst
}

// appendStats appends seeders, completed, leechers.
func appendStats(dst []byte, s tracker.ScrapeStats) []byte {
	dst = binary.BigEndian.AppendUint32(dst, number(s.Complete))
	dst = binary.BigEndian.AppendUint32(dst, number(s.Downloaded))
	return binary.BigEndian.AppendUint32(dst, number(s.Incomplete))
}

// ParseScrapeResponse appends the counts in the answer to a scrape to dst, in
// the order they were asked for; there may be fewer or more than were. What
// does not make a whole entry is passed over. Downloaders is Incomplete, for
// nothing is said of partial seeds. The error is a [*PacketError].
func ParseScrapeResponse(dst []tracker.ScrapeStats, b []byte) ([]tracker.ScrapeStats, error) {
	if err := check(b, ActionScrape, responseSize, errShortResponse); err != nil {
		return dst, err
	}
	for b = b[responseSize:]; len(b) >= scrapeEntrySize; b = b[scrapeEntrySize:] {
		leechers := integer(b[8:])
		dst = append(dst, tracker.ScrapeStats{
			Complete: integer(b), Downloaded: integer(b[4:]), Incomplete: leechers, Downloaders: leechers,
		})
	}
	return dst, nil
}

// AppendErrorResponse appends a refusal with its reason.
func AppendErrorResponse(dst []byte, transaction uint32, reason string) []byte {
	return append(appendResponse(dst, ActionError, transaction), reason...)
}

// ParseErrorResponse reads a refusal as a [*tracker.FailureError]. Its Reason
// is what the tracker wrote, made valid UTF-8, without zeros at its end: the
// words of a stranger all the same. If b is no refusal, the error is a [*PacketError]; it is never
// nil.
func ParseErrorResponse(b []byte) error {
	if err := check(b, ActionError, responseSize, errShortResponse); err != nil {
		return err
	}
	reason := strings.TrimRight(string(b[responseSize:]), "\x00")
	return &tracker.FailureError{Reason: strings.ToValidUTF8(reason, "\uFFFD")}
}
