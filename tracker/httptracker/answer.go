package httptracker

import (
	"bytes"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
)

// appendAnnounce appends the answer to an announce, with our own seed after all
// other peers.
func appendAnnounce(dst []byte, res *tracker.AnnounceResponse, own []netip.AddrPort, dicts bool) []byte {
	dst = bencode.AppendDictStart(dst)
	dst = appendIntEntry(dst, "complete", res.Complete)
	dst = appendIntEntry(dst, "downloaded", res.Downloaded)
	dst = appendExternalIP(dst, res.ExternalIP)
	dst = appendIntEntry(dst, "incomplete", res.Incomplete)
	dst = appendIntEntry(dst, "interval", int(res.Interval/time.Second))
	if res.MinInterval > 0 {
		dst = appendIntEntry(dst, "min interval", int(res.MinInterval/time.Second))
	}
	if dicts {
		dst = appendDicts(dst, res, own)
	} else {
		dst = appendCompact(dst, res, own)
	}
	if res.TrackerID != "" {
		dst = bencode.AppendString(bencode.AppendKey(dst, "tracker id"), res.TrackerID)
	}
	if res.Warning != "" {
		dst = bencode.AppendString(bencode.AppendKey(dst, "warning message"), res.Warning)
	}
	return bencode.AppendEnd(dst)
}

func appendIntEntry(dst []byte, key string, n int) []byte {
	return bencode.AppendInt(bencode.AppendKey(dst, key), int64(n))
}

// appendExternalIP appends "the IPv4 address as a 32 bit binary or [...] the
// IPv6 address as a 128 bit binary" (BEP 24).
func appendExternalIP(dst []byte, ip netip.Addr) []byte {
	switch {
	case ip.Is4():
		b := ip.As4()
		return bencode.AppendBytes(bencode.AppendKey(dst, "external ip"), b[:])
	case ip.Is6():
		b := ip.As16()
		return bencode.AppendBytes(bencode.AppendKey(dst, "external ip"), b[:])
	}
	return dst
}

// appendCompact appends "peers" and, if there are any, "peers6" (BEP 23, 7).
func appendCompact(dst []byte, res *tracker.AnnounceResponse, own []netip.AddrPort) []byte {
	for _, addr := range own {
		if addr.Addr().Unmap().Is4() {
			res.Peers4 = compact.AppendPeer(res.Peers4, addr)
		} else {
			res.Peers6 = compact.AppendPeer(res.Peers6, addr)
		}
	}
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "peers"), res.Peers4)
	if len(res.Peers6) > 0 {
		dst = bencode.AppendBytes(bencode.AppendKey(dst, "peers6"), res.Peers6)
	}
	return dst
}

// appendDicts appends "peers" as a list of dictionaries, both families in it
// (BEP 3, 7). Peer ids are not known: the answer is what no_peer_id=1 asks for.
func appendDicts(dst []byte, res *tracker.AnnounceResponse, own []netip.AddrPort) []byte {
	dst = bencode.AppendListStart(bencode.AppendKey(dst, "peers"))
	for addr := range res.Peers() {
		dst = appendDict(dst, addr)
	}
	for _, addr := range own {
		dst = appendDict(dst, addr)
	}
	return bencode.AppendEnd(dst)
}

func appendDict(dst []byte, addr netip.AddrPort) []byte {
	var text [64]byte
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendBytes(bencode.AppendKey(dst, "ip"), addr.Addr().Unmap().AppendTo(text[:0]))
	dst = appendIntEntry(dst, "port", int(addr.Port()))
	return bencode.AppendEnd(dst)
}

// appendFailure appends a refusal (BEP 3). "retry in" is "either a positive
// integer or the value "never"", in minutes, written as a string like in both
// examples (BEP 31).
func appendFailure(dst []byte, e *tracker.FailureError) []byte {
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendString(bencode.AppendKey(dst, "failure reason"), e.Reason)
	switch {
	case e.RetryAfter < 0:
		dst = bencode.AppendString(bencode.AppendKey(dst, "retry in"), "never")
	case e.RetryAfter > 0:
		minutes := int64((e.RetryAfter-1)/time.Minute) + 1
		dst = bencode.AppendString(bencode.AppendKey(dst, "retry in"), strconv.FormatInt(minutes, 10))
	}
	return bencode.AppendEnd(dst)
}

// appendScrape appends the answer to a scrape (BEP 48). Torrents that are
// refused or not known are left out. It sorts hashes, for the keys of a
// dictionary are sorted and differ.
func (h *Handler) appendScrape(dst []byte, hashes [][20]byte, key string, r *http.Request) []byte {
	slices.SortFunc(hashes, func(a, b [20]byte) int { return bytes.Compare(a[:], b[:]) })
	dst = bencode.AppendDictStart(dst)
	dst = bencode.AppendDictStart(bencode.AppendKey(dst, "files"))
	for _, infohash := range slices.Compact(hashes) {
		if stats, ok := h.scrapeOne(infohash, key, r); ok {
			dst = bencode.AppendBytes(dst, infohash[:])
			dst = appendStats(dst, stats)
		}
	}
	return h.appendFlags(bencode.AppendEnd(dst))
}

// appendFlags appends how often a client may scrape, and the end of an answer.
func (h *Handler) appendFlags(dst []byte) []byte {
	if _, least := h.intervals(); least > 0 {
		dst = bencode.AppendDictStart(bencode.AppendKey(dst, "flags"))
		dst = appendIntEntry(dst, "min_request_interval", int(least/time.Second))
		dst = bencode.AppendEnd(dst)
	}
	return bencode.AppendEnd(dst)
}

// scrapeOne returns the counts of one torrent, our own seed among them.
func (h *Handler) scrapeOne(infohash [20]byte, key string, r *http.Request) (tracker.ScrapeStats, bool) {
	if h.allowed(key, infohash) != nil {
		return tracker.ScrapeStats{}, false
	}
	stats, known := h.cfg.Store.Scrape(infohash)
	if len(h.own(infohash, r)) > 0 {
		stats.Complete++
	}
	return stats, known || h.cfg.Allow != nil
}

func appendStats(dst []byte, s tracker.ScrapeStats) []byte {
	dst = bencode.AppendDictStart(dst)
	dst = appendIntEntry(dst, "complete", s.Complete)
	dst = appendIntEntry(dst, "downloaded", s.Downloaded)
	dst = appendIntEntry(dst, "downloaders", s.Downloaders)
	dst = appendIntEntry(dst, "incomplete", s.Incomplete)
	return bencode.AppendEnd(dst)
}
