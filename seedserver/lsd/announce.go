package lsd

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// Bounds of a datagram.
const (
	MaxSize       = 1400 // bytes: larger ones would be cut in pieces on the way
	MaxInfoHashes = 24   // as many of them leave room for the rest
	maxCookie     = 64   // bytes of a cookie that are kept
)

// ErrAnnounce is returned for what is no announce of BEP 14.
var ErrAnnounce = errors.New("lsd: not an announce")

// An Announce says that peers of some torrents are taken on a port (BEP 14):
//
//	BT-SEARCH * HTTP/1.1\r\n
//	Host: 239.192.152.143:6771\r\n
//	Port: 6881\r\n
//	Infohash: 40 hex digits\r\n       (once or more)
//	cookie: anything\r\n              (to know one's own by)
//	\r\n\r\n
type Announce struct {
	Host       string // the multicast group, for those who read along; not looked at
	Port       uint16
	InfoHashes [][20]byte
	Cookie     string // at most 64 bytes when read
}

const firstLine = "BT-SEARCH * HTTP/1.1"

// AppendTo appends the datagram of a, with at most [MaxInfoHashes] infohashes.
func (a Announce) AppendTo(dst []byte) []byte {
	dst = append(dst, firstLine...)
	dst = fmt.Appendf(dst, "\r\nHost: %s\r\nPort: %d\r\n", a.Host, a.Port)
	for _, h := range a.InfoHashes[:min(len(a.InfoHashes), MaxInfoHashes)] {
		dst = append(dst, "Infohash: "...)
		dst = hex.AppendEncode(dst, h[:])
		dst = append(dst, "\r\n"...)
	}
	if a.Cookie != "" {
		dst = fmt.Appendf(dst, "cookie: %s\r\n", a.Cookie)
	}
	return append(dst, "\r\n\r\n"...)
}

// Parse reads a datagram. Names of headers are taken in any case and order, hex digits of either case, and unknown headers are
// passed over, as is what follows an empty line. Infohashes beyond [MaxInfoHashes], and those that are none, are left out. The
// error is [ErrAnnounce] for another first line, more than [MaxSize] bytes, no port, or no infohash.
func Parse(b []byte) (Announce, error) {
	if len(b) > MaxSize {
		return Announce{}, ErrAnnounce
	}
	line, rest := cutLine(b)
	if !bytes.EqualFold(line, []byte(firstLine)) {
		return Announce{}, ErrAnnounce
	}
	var a Announce
	for len(rest) > 0 {
		if line, rest = cutLine(rest); len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		a.set(string(bytes.ToLower(bytes.TrimSpace(name))), bytes.TrimSpace(value))
	}
	if a.Port == 0 || len(a.InfoHashes) == 0 {
		return Announce{}, ErrAnnounce
	}
	return a, nil
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// set takes over one header, if its value makes sense.
func (a *Announce) set(name string, value []byte) {
	switch name {
	case "host":
		a.Host = string(value)
	case "port":
		if port, err := strconv.ParseUint(string(value), 10, 16); err == nil {
			a.Port = uint16(port)
		}
	case "infohash":
		var h [20]byte
		if len(value) != hex.EncodedLen(len(h)) || len(a.InfoHashes) == MaxInfoHashes {
			return
		}
		if _, err := hex.Decode(h[:], value); err == nil {
			a.InfoHashes = append(a.InfoHashes, h)
		}
	case "cookie":
		a.Cookie = string(value[:min(len(value), maxCookie)])
	}
}
