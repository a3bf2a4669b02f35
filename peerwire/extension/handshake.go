package extension

import (
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/seedserver/bittorrent/bencode"
)

// DefaultReqq is the queue of requests to assume where a handshake names none (BEP 10).
const DefaultReqq = 250

const (
	maxReqq   = 1 << 16
	maxClient = 64 // bytes of a client's name that are kept
)

// payloadLimits bound the dict of any payload: what peers send has about 20 values, one level deep.
var payloadLimits = bencode.Options{Lenient: true, MaxSize: 1 << 20, MaxDepth: 20, MaxTokens: 2000}

// A Handshake is the payload of extended id 0 (BEP 10). A field with its zero value is absent. It may be sent again, whenever
// something changed.
type Handshake struct {
	IDs IDs // "m": under which ids the sender wants which messages
	// V is the sender's client and version, for people. Parsed, it is printable UTF-8 of at most 64 bytes.
	V string
	// Port is the TCP port on which the sender takes connections, key "p".
	Port uint16
	// Reqq is the number of requests the sender keeps before it drops or rejects more; parsed, at most 65536. Where absent,
	// assume DefaultReqq.
	Reqq int
	// MetadataSize is the length of the info dict, bytes (BEP 9). Parsed, at most MaxMetadataSize.
	MetadataSize int64
	// YourIP is the receiver's address as the sender sees it; parsed, unmapped. One peer's word is weak evidence.
	YourIP netip.Addr
	// UploadOnly says that the sender wants no more pieces (BEP 21). Clients drop such a peer when they are complete themselves,
	// or when it seems to have nothing.
	UploadOnly bool
}

// AppendTo appends the payload of h, its keys in order.
func (h Handshake) AppendTo(dst []byte) []byte {
	dst = bencode.AppendDictStart(dst)
	dst = h.IDs.appendTo(dst)
	dst = appendInt(dst, "metadata_size", h.MetadataSize)
	dst = appendInt(dst, "p", int64(h.Port))
	dst = appendInt(dst, "reqq", int64(h.Reqq))
	if h.UploadOnly {
		dst = appendInt(dst, "upload_only", 1)
	}
	if h.V != "" {
		dst = bencode.AppendString(bencode.AppendKey(dst, "v"), h.V)
	}
	switch ip := h.YourIP.Unmap(); {
	case ip.Is4():
		b := ip.As4()
		dst = bencode.AppendBytes(bencode.AppendKey(dst, "yourip"), b[:])
	case ip.Is6():
		b := ip.As16()
		dst = bencode.AppendBytes(bencode.AppendKey(dst, "yourip"), b[:])
	}
	return bencode.AppendEnd(dst)
}

// appendTo appends the key "m" and its dict, or nothing when no message is named.
func (m IDs) appendTo(dst []byte) []byte {
	if m == (IDs{}) {
		return dst
	}
	dst = bencode.AppendDictStart(bencode.AppendKey(dst, "m"))
	for n, name := range names {
		if m.set[n] {
			dst = bencode.AppendInt(bencode.AppendKey(dst, name), int64(m.ids[n]))
		}
	}
	return bencode.AppendEnd(dst)
}

// appendInt appends an entry, or nothing for an absent number.
func appendInt(dst []byte, key string, n int64) []byte {
	if n <= 0 {
		return dst
	}
	return bencode.AppendInt(bencode.AppendKey(dst, key), n)
}

// ParseHandshake reads the payload of extended id 0. Keys may be unknown, in any order, and of any value: one that makes no
// sense counts as absent. Bytes behind the dict are passed over. The error is a [*PayloadError] when there is no dict, or one
// past all reason: over 1 MiB, 2000 values or 20 levels.
func ParseHandshake(payload []byte) (Handshake, error) {
	dict, _, err := parseDict("handshake", payload)
	if err != nil {
		return Handshake{}, err
	}
	var h Handshake
	for c := dict.Cursor(); c.Next(); {
		h.setKey(string(c.Key()), c.Value())
	}
	return h, nil
}

// setKey takes over one entry, if its value makes sense.
func (h *Handshake) setKey(key string, v bencode.Value) {
	n, _ := v.Int() // 0, absent, for what is no number
	switch key {
	case "m":
		h.IDs = parseIDs(v)
	case "metadata_size":
		if n > 0 && n <= MaxMetadataSize {
			h.MetadataSize = n
		}
	case "p":
		if n > 0 && n <= 65535 {
			h.Port = uint16(n)
		}
	case "reqq":
		if n > 0 {
			h.Reqq = int(min(n, maxReqq))
		}
	case "upload_only":
		h.UploadOnly = n != 0
	case "v":
		s, _ := v.Bytes()
		h.V = printable(s)
	case "yourip":
		s, _ := v.Bytes()
		ip, _ := netip.AddrFromSlice(s)
		h.YourIP = ip.Unmap()
	}
}

// parseIDs reads the "m" dict; an id that is not a byte counts as not there.
func parseIDs(v bencode.Value) IDs {
	var m IDs
	for c := v.Cursor(); c.Next(); {
		for n, name := range names {
			if string(c.Key()) != name {
				continue
			}
			if id, ok := c.Value().Int(); ok && id >= 0 && id <= 255 {
				m.Set(Name(n), uint8(id))
			}
		}
	}
	return m
}

// printable returns the part of a stranger's text that is safe to show.
func printable(b []byte) string {
	s := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, string(b[:min(len(b), maxClient)]))
	return strings.TrimSpace(s)
}

// parseDict returns the dict at the start of a payload and the bytes behind it.
func parseDict(message string, payload []byte) (dict bencode.Value, rest []byte, err error) {
	dict, n, err := payloadLimits.Decode(payload)
	if err != nil {
		return nil, nil, &PayloadError{Message: message, Reason: "no bencoded dict", Err: err}
	}
	if dict.Kind() != bencode.Dict {
		return nil, nil, &PayloadError{Message: message, Reason: "not a dict"}
	}
	return dict, payload[n:], nil
}
