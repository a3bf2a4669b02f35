package tracker

import (
	"encoding/binary"
	"iter"
	"net/netip"
	"time"
)

// Event is why a client announces (BEP 3, "event"). The numbers are those of
// UDP trackers (BEP 15); EventPaused exists in HTTP only (BEP 21).
type Event uint8

const (
	EventNone      Event = iota // a regular announce
	EventCompleted              // the download has just become complete
	EventStarted                // a session begins
	EventStopped                // a session ends
	EventPaused                 // a partial seed, in every one of its announces (BEP 21)
)

// ParseEvent reads the value of "event" of an HTTP announce. What is empty or
// unknown is EventNone: BEP 3 lets "empty" mean absent, and words of later
// extensions must not keep a peer out of the swarm.
func ParseEvent(s string) Event {
	switch s {
	case "completed":
		return EventCompleted
	case "started":
		return EventStarted
	case "stopped":
		return EventStopped
	case "paused":
		return EventPaused
	}
	return EventNone
}

// String returns the word used in HTTP announces, and "" for EventNone.
func (e Event) String() string {
	switch e {
	case EventCompleted:
		return "completed"
	case EventStarted:
		return "started"
	case EventStopped:
		return "stopped"
	case EventPaused:
		return "paused"
	}
	return ""
}

const (
	// DefaultNumWant is the number of peers for a client that names none.
	DefaultNumWant = 50
	// MaxNumWant is the usual limit of peers in one answer: what the greediest
	// common clients ask for.
	MaxNumWant = 200
)

// NumWant returns how many peers an answer may hold when the client asked for
// asked of them: usual if that is negative, as in BEP 15, and never over most.
func NumWant(asked, usual, most int) int {
	if asked < 0 {
		asked = usual
	}
	return max(0, min(asked, most))
}

// AnnounceRequest is one report of one client about one torrent (BEP 3, 15).
type AnnounceRequest struct {
	InfoHash [20]byte
	PeerID   [20]byte

	// Addr is where the client accepts peers: the address the request came
	// from, unmapped, and the port it reports.
	Addr netip.AddrPort

	// Key together with PeerID recognizes a client that announces from several
	// addresses (BEP 7). Zero if the client sent none; such a client is known
	// by Addr alone.
	Key uint32

	Event Event

	// Totals in bytes since the client's "started". Zero if not reported.
	Uploaded, Downloaded int64

	// Left is how many bytes the client lacks. Zero marks a seed; negative
	// means that it did not say.
	Left int64

	// NumWant is how many peers the client would like. Negative means that it
	// did not say.
	NumWant int

	// TrackerID is what the tracker gave in an answer before
	// ([AnnounceResponse].TrackerID): a client sends it back. Trackers here do
	// not read it.
	TrackerID string

	// Unlisted is set by a tracker for a client that must not be told to others,
	// since nobody could connect to it: it is answered, but not recorded. What
	// is recorded of it already stays until it expires.
	Unlisted bool
}

// AnnounceResponse is the answer to an AnnounceRequest.
//
// The peers are kept in the form they travel in, since a tracker copies them
// far more often than it looks at them. The slices belong to whoever holds the
// response: [AnnounceResponse.Reset] lets it be used again without allocation.
type AnnounceResponse struct {
	Interval    time.Duration // until the next regular announce, whole seconds
	MinInterval time.Duration // never sooner than this; zero if not limited

	Complete   int // seeds
	Incomplete int // all others, partial seeds included
	Downloaded int // completed downloads ever seen

	ExternalIP netip.Addr // the address the tracker saw (BEP 24); may be zero

	TrackerID string // to be sent back in later announces; "" if none was given
	Warning   string // a text for the user that is no refusal; "" if none

	Peers4 []byte // IPv4 peers, 6 bytes each (BEP 23)
	Peers6 []byte // IPv6 peers, 18 bytes each (BEP 7)
}

// Reset clears r for the next use and keeps the memory of its peers.
func (r *AnnounceResponse) Reset() {
	*r = AnnounceResponse{Peers4: r.Peers4[:0], Peers6: r.Peers6[:0]}
}

// Peers yields the peers, those of IPv4 first. Bytes that do not make a whole
// peer are passed over.
func (r *AnnounceResponse) Peers() iter.Seq[netip.AddrPort] {
	return func(yield func(netip.AddrPort) bool) {
		for b := r.Peers4; len(b) >= 6; b = b[6:] {
			ip := netip.AddrFrom4([4]byte(b))
			if !yield(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[4:]))) {
				return
			}
		}
		for b := r.Peers6; len(b) >= 18; b = b[18:] {
			ip := netip.AddrFrom16([16]byte(b)).Unmap()
			if !yield(netip.AddrPortFrom(ip, binary.BigEndian.Uint16(b[16:]))) {
				return
			}
		}
	}
}

// ScrapeStats are the counts of one swarm (BEP 48).
type ScrapeStats struct {
	Complete   int // seeds
	Incomplete int // all others, partial seeds included
	Downloaded int // completed downloads ever seen

	// Downloaders is Incomplete without the partial seeds (BEP 21).
	Downloaders int
}
