package udptracker

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// protocolID begins a connect request, where other requests have the
// connection id: the "magic constant" of BEP 15.
const protocolID = 0x41727101980

// Action is the kind of a packet (BEP 15).
type Action uint32

const (
	ActionConnect  Action = iota // asks for, or gives, a connection id
	ActionAnnounce               // a report, or its answer
	ActionScrape                 // asks for, or gives, counts
	ActionError                  // a refusal; an answer only
)

// String returns the name of a, or its number.
func (a Action) String() string {
	switch a {
	case ActionConnect:
		return "connect"
	case ActionAnnounce:
		return "announce"
	case ActionScrape:
		return "scrape"
	case ActionError:
		return "error"
	}
	return "action " + strconv.FormatUint(uint64(a), 10)
}

// ErrPacket is matched by every [*PacketError].
var ErrPacket = errors.New("udptracker: bad packet")

// PacketError tells why bytes are not a packet of BEP 15. Who sent them is not
// known before a connection id was verified: the answer to them is silence.
type PacketError struct {
	Action Action // what was to be read
	Reason string
}

func (e *PacketError) Error() string { return "udptracker: " + e.Action.String() + ": " + e.Reason }

// Is reports whether target is [ErrPacket].
func (e *PacketError) Is(target error) bool { return target == ErrPacket }

// MaxScrape is the number of torrents in one scrape: "up to about 74 torrents
// can be scraped at once" (BEP 15).
const MaxScrape = 74

// Sizes of packets in bytes, without what repeats in them.
const (
	requestSize          = 16
	announceRequestSize  = 98
	connectResponseSize  = 16
	responseSize         = 8
	announceResponseSize = 20
	scrapeEntrySize      = 12
	hashSize             = 20
)

func appendHead(dst []byte, first uint64, action Action, transaction uint32) []byte {
	dst = binary.BigEndian.AppendUint64(dst, first)
	dst = binary.BigEndian.AppendUint32(dst, uint32(action))
	return binary.BigEndian.AppendUint32(dst, transaction)
}

// Memory for one packet in bytes.
const (
	maxPacket = 2048 // received: what is longer is cut
	maxReply  = max(maxReply4, maxReply6)
)
