package accesslog

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"time"
)

// maxField is how many bytes of a field that a stranger sent are written.
const maxField = 2 << 10

// Request is one request to a web server, and its answer.
type Request struct {
	Time      time.Time // when it came
	Client    netip.Addr
	Method    string
	Target    string // path and query, as they were sent
	Proto     string // "HTTP/1.1"
	Status    int
	Bytes     int64 // of the body that was sent
	Referer   string
	UserAgent string
}

// AppendTo appends the line, with its line feed, in the combined format. The
// time is that of the machine.
func (r *Request) AppendTo(dst []byte) []byte {
	dst = r.Client.AppendTo(dst)
	dst = append(dst, " - - ["...)
	dst = r.Time.Local().AppendFormat(dst, "02/Jan/2006:15:04:05 -0700")
	dst = append(dst, `] "`...)
	dst = appendEscaped(dst, r.Method)
	dst = append(dst, ' ')
	dst = appendEscaped(dst, r.Target)
	dst = append(dst, ' ')
	dst = appendEscaped(dst, r.Proto)
	dst = append(dst, `" `...)
	dst = strconv.AppendInt(dst, int64(r.Status), 10)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, r.Bytes, 10)
	for _, field := range [...]string{r.Referer, r.UserAgent} {
		if field == "" {
			field = "-"
		}
		dst = append(dst, ` "`...)
		dst = appendEscaped(dst, field)
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}

// appendEscaped appends s with all bytes but printable ASCII, and with quotes
// and backslashes, as \xHH. Readers that know no escapes see no quote inside
// quotes, so.
func appendEscaped(dst []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		if i == maxField {
			return append(dst, "..."...)
		}
		c := s[i]
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			dst = append(dst, '\\', 'x', digits[c>>4], digits[c&15])
			continue
		}
		dst = append(dst, c)
	}
	return dst
}

// Transfer is one connection of a peer.
type Transfer struct {
	End      time.Time
	Peer     netip.Addr
	InfoHash [20]byte
	Bytes    int64 // of blocks that were sent
	Duration time.Duration
	Client   string // what it calls itself
	Path     string // of the file or unit
}

// AppendTo appends the line, with its line feed, as the package documentation
// says. The time is UTC.
func (t *Transfer) AppendTo(dst []byte) []byte {
	dst = t.End.UTC().AppendFormat(dst, time.RFC3339)
	dst = append(dst, ' ')
	dst = t.Peer.AppendTo(dst)
	dst = append(dst, ' ')
	dst = hex.AppendEncode(dst, t.InfoHash[:])
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, t.Bytes, 10)
	dst = append(dst, ' ')
	dst = strconv.AppendFloat(dst, t.Duration.Seconds(), 'f', 3, 64)
	dst = append(dst, ' ')
	dst = strconv.AppendQuote(dst, cut(t.Client))
	dst = append(dst, ' ')
	dst = strconv.AppendQuote(dst, cut(t.Path))
	return append(dst, '\n')
}

func cut(s string) string {
	if len(s) > maxField {
		return s[:maxField] + "..."
	}
	return s
}
