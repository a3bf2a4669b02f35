package httptracker

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/seedserver/bittorrent/tracker"
)

// AppendAnnounceURL appends the URL that announces req to the tracker with this
// announce URL, which may have a query of its own (BEP 3). What req leaves open
// is left out: a negative Left or NumWant, a zero Key, no TrackerID. Addr gives
// the port only: the tracker sees the address.
func AppendAnnounceURL(dst []byte, announce string, req *tracker.AnnounceRequest) []byte {
	dst = appendQueryStart(dst, announce)
	dst = appendEscaped(append(dst, "info_hash="...), req.InfoHash[:])
	dst = appendEscaped(append(dst, "&peer_id="...), req.PeerID[:])
	dst = strconv.AppendUint(append(dst, "&port="...), uint64(req.Addr.Port()), 10)
	dst = strconv.AppendInt(append(dst, "&uploaded="...), req.Uploaded, 10)
	dst = strconv.AppendInt(append(dst, "&downloaded="...), req.Downloaded, 10)
	if req.Left >= 0 {
		dst = strconv.AppendInt(append(dst, "&left="...), req.Left, 10)
	}
	if event := req.Event.String(); event != "" {
		dst = append(append(dst, "&event="...), event...)
	}
	if req.NumWant >= 0 {
		dst = strconv.AppendInt(append(dst, "&numwant="...), int64(req.NumWant), 10)
	}
	if req.Key != 0 {
		dst = fmt.Appendf(append(dst, "&key="...), "%08X", req.Key)
	}
	dst = append(dst, "&compact=1&no_peer_id=1"...)
	if req.TrackerID != "" {
		dst = appendEscaped(append(dst, "&trackerid="...), []byte(req.TrackerID))
	}
	return dst
}

// AppendScrapeURL appends the URL that asks a tracker for the counts of hashes
// (BEP 48). scrape is its scrape URL, as [tracker.ScrapeURL] returns it.
func AppendScrapeURL(dst []byte, scrape string, hashes [][20]byte) []byte {
	dst = appendQueryStart(dst, scrape)
	for i := range hashes {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = appendEscaped(append(dst, "info_hash="...), hashes[i][:])
	}
	return dst
}

// appendQueryStart appends url up to where more of its query goes.
func appendQueryStart(dst []byte, url string) []byte {
	url, _, _ = strings.Cut(url, "#")
	dst = append(dst, url...)
	switch i := strings.IndexByte(url, '?'); {
	case i < 0:
		return append(dst, '?')
	case i == len(url)-1 || url[len(url)-1] == '&':
		return dst
	}
	return append(dst, '&')
}

// appendEscaped appends b with all bytes but RFC 3986's unreserved ones as %XX.
func appendEscaped(dst, b []byte) []byte {
	const digits = "0123456789ABCDEF"
	for _, c := range b {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}
