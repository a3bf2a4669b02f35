package trackernet

import (
	"encoding/hex"
	"log/slog"
	"net/url"
)

// host is the part of a tracker's URL that a log may hold: a path may have a
// user's key in it.
func host(announce string) string {
	u, err := url.Parse(announce)
	if err != nil {
		return ""
	}
	return u.Host
}

// hash is an infohash in a log, made into text when it is written.
type hash [20]byte

// LogValue is part of slog.LogValuer.
func (h hash) LogValue() slog.Value { return slog.StringValue(hex.EncodeToString(h[:])) }
