package metainfo

import (
	"encoding/base32"
	"encoding/hex"
	"log/slog"
	"strings"
)

// InfoHash is the SHA-1 of the raw bytes of an info dict (BEP 3): the name of
// a torrent on the network.
type InfoHash [20]byte

// ParseInfoHash reads 40 hexadecimal or 32 base32 digits, each in upper or
// lower case (BEP 9). The error matches [ErrInvalid].
func ParseInfoHash(s string) (InfoHash, error) {
	var h InfoHash
	switch len(s) {
	case hex.EncodedLen(len(h)):
		if _, err := hex.Decode(h[:], []byte(s)); err != nil {
			return InfoHash{}, invalid("infohash", "not hexadecimal")
		}
	case base32.StdEncoding.EncodedLen(len(h)):
		// The decoder skips line breaks, so fewer than 20 bytes may come out.
		b, err := base32.StdEncoding.DecodeString(strings.ToUpper(s))
		if err != nil || len(b) != len(h) {
			return InfoHash{}, invalid("infohash", "not base32")
		}
		copy(h[:], b)
	default:
		return InfoHash{}, invalid("infohash", "%d digits, neither 40 (hexadecimal) nor 32 (base32)", len(s))
	}
	return h, nil
}

// String returns h as 40 lower-case hexadecimal digits.
func (h InfoHash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText returns the same digits as String. It never fails.
func (h InfoHash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText sets h from what [ParseInfoHash] reads, and leaves it alone on
// an error.
func (h *InfoHash) UnmarshalText(text []byte) error {
	parsed, err := ParseInfoHash(string(text))
	if err == nil {
		*h = parsed
	}
	return err
}

// LogValue returns h as String does.
func (h InfoHash) LogValue() slog.Value { return slog.StringValue(h.String()) }
