package httptracker

import (
	"math"
	"net/netip"
	"strings"

	"github.com/seedserver/bittorrent/tracker"
)

// AnnounceQuery is the query of an announce URL (BEP 3, "trackers").
type AnnounceQuery struct {
	// AnnounceRequest is what the client reports. Of its Addr only the port is
	// set.
	tracker.AnnounceRequest

	// IP is the address the client names with "ip", unmapped; the zero Addr if
	// it names none, or a DNS name. It is a claim and nothing more.
	IP netip.Addr

	// Dicts is set by compact=0: the client prefers peers as a list of
	// dictionaries (BEP 23).
	Dicts bool
}

// maxQuery bounds a query in bytes: a scrape of 100 torrents has 7,000.
const maxQuery = 16 << 10

var (
	errLongQuery = &tracker.FailureError{Reason: "Request-URI Too Long"}
	errInfoHash  = &tracker.FailureError{Reason: "info_hash is missing or not 20 bytes long"}
	errPeerID    = &tracker.FailureError{Reason: "peer_id is missing or not 20 bytes long"}
	errPort      = &tracker.FailureError{Reason: "port is missing or not between 1 and 65535"}
)

// ParseAnnounceQuery reads the query of an announce URL, the part after '?',
// undecoded. The error is a [*tracker.FailureError]: info_hash, peer_id or port
// cannot be used, or the query is longer than 16 KiB.
//
// Everything else is forgiven, since clients send it: an empty or negative left
// is "did not say" (-1), a number too large is the largest; an unknown event is
// none; what cannot be read as a number is as if it were absent. Keys that are
// not known are passed over, and of a key sent twice the later counts. Values
// are bytes: %XX in either case, '+' is a space as in forms, and every other
// byte is itself. Pairs are separated by '&' alone.
//
// It keeps nothing of raw, and does not allocate but for an ip with escapes.
func ParseAnnounceQuery(raw string) (AnnounceQuery, error) {
	q := AnnounceQuery{}
	q.Left, q.NumWant = -1, -1
	if len(raw) > maxQuery {
		return q, errLongQuery
	}
	var infohash, peerID bool
	var port int64
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "info_hash":
			q.InfoHash, infohash = unescape20(value)
		case "peer_id":
			q.PeerID, peerID = unescape20(value)
		case "port":
			port = parseInt(value, 0)
		case "uploaded":
			q.Uploaded = max(0, parseInt(value, 0))
		case "downloaded":
			q.Downloaded = max(0, parseInt(value, 0))
		case "left":
			q.Left = max(-1, parseInt(value, -1))
		case "numwant":
			q.NumWant = int(max(-1, min(parseInt(value, -1), math.MaxInt32)))
		case "event":
			q.Event = tracker.ParseEvent(value)
		case "compact":
			q.Dicts = value == "0"
		case "key":
			q.Key = parseKey(value)
		case "ip":
			q.IP = parseIP(value)
		}
	}
	switch {
	case !infohash:
		return q, errInfoHash
	case !peerID:
		return q, errPeerID
	case port < 1 || port > math.MaxUint16:
		return q, errPort
	}
	q.Addr = netip.AddrPortFrom(netip.Addr{}, uint16(port))
	return q, nil
}

// parseScrapeQuery appends the infohashes of a scrape (BEP 48) to dst. More
// than limit are refused, as is none: that would ask for all torrents.
func parseScrapeQuery(dst [][20]byte, raw string, limit int) ([][20]byte, error) {
	if len(raw) > maxQuery {
		return dst, errLongQuery
	}
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		value, ok := strings.CutPrefix(pair, "info_hash=")
		if !ok {
			continue
		}
		if len(dst) == limit {
			return dst, errLongScrape
		}
		infohash, ok := unescape20(value)
		if !ok {
			return dst, errInfoHash
		}
		dst = append(dst, infohash)
	}
	if len(dst) == 0 {
		return dst, errFullScrape
	}
	return dst, nil
}

var (
	// Transmission halves its scrapes when it reads "Request-URI Too Long".
	errLongScrape = &tracker.FailureError{Reason: "Request-URI Too Long: too many info_hash in one scrape"}
	errFullScrape = &tracker.FailureError{Reason: "scrape needs an info_hash"}
)

// unescape20 decodes s, and reports whether it is exactly 20 bytes, correctly
// escaped.
func unescape20(s string) (id [20]byte, ok bool) {
	for i := range id {
		if s == "" {
			return [20]byte{}, false
		}
		b, width := unescape(s)
		if width == 0 {
			return [20]byte{}, false
		}
		id[i], s = b, s[width:]
	}
	if s != "" {
		return [20]byte{}, false
	}
	return id, true
}

// unescape decodes the first byte of s, which is not empty, and returns how
// many bytes it was written with: 0 if it is a broken escape.
func unescape(s string) (b byte, width int) {
	switch s[0] {
	default:
		return s[0], 1
	case '+':
		return ' ', 1
	case '%':
		if len(s) < 3 {
			return 0, 0
		}
		hi, lo := unhex[s[1]], unhex[s[2]]
		if hi|lo > 15 {
			return 0, 0
		}
		return hi<<4 | lo, 3
	}
}

// unhex holds the value of each hex digit of either case, and 0xff for others.
var unhex = func() (t [256]byte) {
	for c := range t {
		switch {
		case '0' <= c && c <= '9':
			t[c] = byte(c - '0')
		case 'a' <= c && c <= 'f':
			t[c] = byte(c - 'a' + 10)
		case 'A' <= c && c <= 'F':
			t[c] = byte(c - 'A' + 10)
		default:
			t[c] = 0xff
		}
	}
	return t
}()

// parseInt reads decimal digits with an optional minus. What is too large
// becomes the largest of its sign, what is no number becomes other.
func parseInt(s string, other int64) int64 {
	digits, negative := strings.CutPrefix(s, "-")
	if digits == "" {
		return other
	}
	var n int64
	for i := range len(digits) {
		d := int64(digits[i]) - '0'
		if d < 0 || d > 9 {
			return other
		}
		if n > (math.MaxInt64-d)/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + d
	}
	if negative {
		return -n
	}
	return n
}

// parseKey reads the "key" of a client. Most send up to 8 hex digits, the same
// number as in their announces over UDP (BEP 15); of anything else a hash is
// taken.
func parseKey(s string) uint32 {
	var n uint32
	isHex := len(s) <= 8
	for i := 0; isHex && i < len(s); i++ {
		d := unhex[s[i]]
		isHex = d <= 15
		n = n<<4 | uint32(d)
	}
	if isHex {
		return n
	}
	n = 2166136261 // FNV-1a
	for s != "" {
		b, width := unescape(s)
		if width == 0 {
			b, width = s[0], 1
		}
		n, s = (n^uint32(b))*16777619, s[width:]
	}
	return max(n, 1)
}

// parseIP reads the "ip" of a client, whose colons may be escaped.
func parseIP(s string) netip.Addr {
	if strings.Contains(s, "%") {
		var text []byte
		for s != "" && len(text) < maxIP {
			b, width := unescape(s)
			if width == 0 {
				return netip.Addr{}
			}
			text, s = append(text, b), s[width:]
		}
		s = string(text) + s
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	return ip.Unmap().WithZone("")
}

const maxIP = 45 // bytes of the longest IPv6 address
