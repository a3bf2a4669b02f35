package metainfo

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
)

// maxMagnet bounds a link, in bytes. Browsers pass less.
const maxMagnet = 64 << 10

// btmhPrefix is the multihash header of a SHA-256: function 0x12, 32 bytes.
const btmhPrefix = "1220"

// Magnet is what a magnet link says (BEP 9 "magnet URI format"). At least one
// of the two hashes is present in one that [ParseMagnet] returned.
type Magnet struct {
	// InfoHash is the v1 infohash (xt=urn:btih) if HasInfoHash.
	InfoHash    InfoHash
	HasInfoHash bool
	// InfoHashV2 is the full SHA-256 of a v2 info dict (xt=urn:btmh, BEP 52),
	// 32 bytes, or nil.
	InfoHashV2 []byte
	// Name is what to show until the info dict is there (dn). It is valid
	// UTF-8 but not a safe path element.
	Name string
	// Length is the number of bytes of the content (xl), 0 when not known.
	Length int64
	// Trackers are announce URLs (tr), in the order of the link.
	Trackers []string
	// WebSeeds are URLs of HTTP and FTP seeds (ws).
	WebSeeds []string
	// Peers are addresses to connect to, "host:port", where an IPv6 host is in
	// brackets (x.pe).
	Peers []string
	// Sources are URLs or URNs that may lead to the .torrent file (xs, as).
	// They come from a stranger: fetch none without asking, and none from a
	// local network.
	Sources []string
	// Nodes are DHT nodes to start from (dht).
	Nodes []Node
	// Select are the files to download; none means all (so, BEP 53).
	Select []IndexRange
}

// IndexRange is a range of file indexes, counted from 0, both ends included.
type IndexRange struct{ First, Last uint32 }

// ParseMagnet reads a magnet link of at most 64 KiB. Scheme, keys and hashes may be in
// upper case, keys may be numbered ("tr.1"), values may be percent-encoded or
// not. Of several v1 or v2 hashes the first counts; a hash that is malformed is
// an error, and so is having none. Everything else that is not usable is left
// out. The error matches [ErrInvalid].
func ParseMagnet(s string) (Magnet, error) {
	if len(s) > maxMagnet {
		return Magnet{}, invalid("magnet", "%d bytes, more than %d", len(s), maxMagnet)
	}
	const scheme = "magnet:?"
	if len(s) < len(scheme) || !strings.EqualFold(s[:len(scheme)], scheme) {
		return Magnet{}, invalid("magnet", "does not start with %q", scheme)
	}
	var m Magnet
	for param := range strings.SplitSeq(s[len(scheme):], "&") {
		key, value, _ := strings.Cut(param, "=")
		if err := m.set(plainKey(key), value); err != nil {
			return Magnet{}, err
		}
	}
	if !m.HasInfoHash && m.InfoHashV2 == nil {
		return Magnet{}, invalid("xt", "no infohash: neither urn:btih nor urn:btmh")
	}
	return m, nil
}

// plainKey returns a key in lower case and without a number.
func plainKey(key string) string {
	key = strings.ToLower(key)
	if dot := strings.LastIndexByte(key, '.'); dot >= 0 {
		if _, err := strconv.ParseUint(key[dot+1:], 10, 32); err == nil {
			return key[:dot]
		}
	}
	return key
}

// set takes one parameter. Only a malformed hash is an error.
func (m *Magnet) set(key, value string) error {
	raw, value := value, unescape(value)
	switch key {
	case "xt":
		return m.setTopic(value)
	case "dn":
		if m.Name == "" {
			m.Name = strings.ToValidUTF8(unescape(strings.ReplaceAll(raw, "+", " ")), "\uFFFD")
		}
	case "xl":
		if n, err := strconv.ParseUint(value, 10, 63); err == nil && m.Length == 0 {
			m.Length = int64(n)
		}
	case "tr":
		m.Trackers = appendURL(m.Trackers, value, trackerSchemes)
	case "ws":
		m.WebSeeds = appendURL(m.WebSeeds, value, webSeedSchemes)
	case "x.pe":
		if n, ok := parseHostPort(value); ok && len(m.Peers) < maxURLs {
			m.Peers = append(m.Peers, n.hostPort())
		}
	case "xs", "as":
		if u, err := url.Parse(value); err == nil && u.Scheme != "" && len(m.Sources) < maxURLs {
			m.Sources = append(m.Sources, value)
		}
	case "dht":
		if n, ok := parseHostPort(value); ok && len(m.Nodes) < maxURLs {
			m.Nodes = append(m.Nodes, n)
		}
	case "so":
		m.Select = appendRanges(m.Select, value)
	}
	return nil
}

// setTopic takes an exact topic: a hash, or a URN of another network, which is
// skipped.
func (m *Magnet) setTopic(urn string) error {
	if digits, ok := cutPrefixFold(urn, "urn:btih:"); ok {
		h, err := ParseInfoHash(digits)
		if err == nil && !m.HasInfoHash {
			m.InfoHash, m.HasInfoHash = h, true
		}
		return err
	}
	if digits, ok := cutPrefixFold(urn, "urn:btmh:"); ok {
		h, err := hex.DecodeString(strings.TrimPrefix(digits, btmhPrefix))
		if err != nil || len(h) != 32 || len(digits) != len(btmhPrefix)+64 {
			return invalid("xt", "urn:btmh is not a SHA-256 multihash: 1220 and 64 hexadecimal digits")
		}
		if m.InfoHashV2 == nil {
			m.InfoHashV2 = h
		}
	}
	return nil
}

// appendRanges appends what BEP 53 writes as "0,2,4-6".
func appendRanges(ranges []IndexRange, s string) []IndexRange {
	for part := range strings.SplitSeq(s, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, errA := strconv.ParseUint(first, 10, 32)
		b, errB := strconv.ParseUint(last, 10, 32)
		if errA == nil && errB == nil && a <= b {
			ranges = append(ranges, IndexRange{uint32(a), uint32(b)})
		}
	}
	return ranges
}

// String returns m as a link that [ParseMagnet] reads as m again, if the fields
// of m are as it returns them. The hashes come first and peer addresses are not
// percent-encoded, because there are clients that expect that. There is no
// point in a link of a Magnet without any hash.
func (m Magnet) String() string { return string(m.AppendTo(nil)) }

// AppendTo appends the link that [Magnet.String] returns. It is for who writes
// many of them: it allocates only to make dst longer.
func (m Magnet) AppendTo(dst []byte) []byte {
	dst = append(dst, "magnet:?"...)
	start := len(dst)
	if m.HasInfoHash {
		dst = append(appendKey(dst, start, "xt"), "urn:btih:"...)
		dst = hex.AppendEncode(dst, m.InfoHash[:])
	}
	if m.InfoHashV2 != nil {
		dst = append(appendKey(dst, start, "xt"), "urn:btmh:"+btmhPrefix...)
		dst = hex.AppendEncode(dst, m.InfoHashV2)
	}
	if m.Name != "" {
		dst = appendEscaped(appendKey(dst, start, "dn"), m.Name, "")
	}
	if m.Length > 0 {
		dst = strconv.AppendInt(appendKey(dst, start, "xl"), m.Length, 10)
	}
	dst = appendList(dst, start, "tr", m.Trackers, "")
	dst = appendList(dst, start, "ws", m.WebSeeds, "")
	dst = appendList(dst, start, "xs", m.Sources, "")
	dst = appendList(dst, start, "x.pe", m.Peers, hostPortBytes)
	for _, node := range m.Nodes {
		dst = appendEscaped(appendKey(dst, start, "dht"), node.hostPort(), hostPortBytes)
	}
	if len(m.Select) > 0 {
		dst = appendRangeList(appendKey(dst, start, "so"), m.Select)
	}
	return dst
}

// appendKey appends the key of a parameter; the first one is at start.
func appendKey(dst []byte, start int, key string) []byte {
	if len(dst) > start {
		dst = append(dst, '&')
	}
	return append(append(dst, key...), '=')
}

// appendList appends a parameter for each of values. The bytes in plain are not
// escaped.
func appendList(dst []byte, start int, key string, values []string, plain string) []byte {
	for _, value := range values {
		dst = appendEscaped(appendKey(dst, start, key), value, plain)
	}
	return dst
}

func appendRangeList(dst []byte, ranges []IndexRange) []byte {
	for i, r := range ranges {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(r.First), 10)
		if r.Last != r.First {
			dst = strconv.AppendUint(append(dst, '-'), uint64(r.Last), 10)
		}
	}
	return dst
}
