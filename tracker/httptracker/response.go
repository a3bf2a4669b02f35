package httptracker

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/seedserver/bittorrent/bencode"
	"github.com/seedserver/bittorrent/bencode/compact"
	"github.com/seedserver/bittorrent/tracker"
)

// ErrResponse is returned for an answer that is none of a tracker.
var ErrResponse = errors.New("httptracker: not the answer of a tracker")

const (
	maxID      = 256  // of a tracker id
	maxPeers   = 2000 // of each family, in one answer
	maxSeconds = int64(100 * 365 * 24 * time.Hour / time.Second)
)

// readDoc reads the body of an answer, which may be in disorder as libtorrent
// tolerates it.
func readDoc(body []byte) (bencode.Value, error) {
	doc, err := bencode.DecodeLenient(body)
	if err != nil || doc.Kind() != bencode.Dict {
		return nil, ErrResponse
	}
	if reason, ok := doc.Get("failure reason").Bytes(); ok {
		return nil, &tracker.FailureError{Reason: tracker.Text(reason), RetryAfter: retryAfter(doc)}
	}
	return doc, nil
}

// ParseAnnounceResponse reads the body of an answer to an announce into res,
// which it resets first. Peers come packed (BEP 23, 7) or as dictionaries (BEP
// 3), of which those with a DNS name are passed over, as is everything that does
// not have the form it should: an answer without peers is a good one. Of each
// family there are 2,000 peers at most.
//
// The error is a [*tracker.FailureError] if the tracker refused, with its words
// and when to ask again (BEP 31, or the interval it names); else [ErrResponse].
// Nothing is kept of body.
func ParseAnnounceResponse(body []byte, res *tracker.AnnounceResponse) error {
	res.Reset()
	doc, err := readDoc(body)
	if err != nil {
		return err
	}
	res.Interval = seconds(doc.Get("interval"))
	res.MinInterval = seconds(doc.Get("min interval"))
	res.Complete, res.Incomplete, res.Downloaded = count(doc.Get("complete")), count(doc.Get("incomplete")), count(doc.Get("downloaded"))
	if id, ok := doc.Get("tracker id").Bytes(); ok && len(id) <= maxID {
		res.TrackerID = string(id)
	}
	if text, ok := doc.Get("warning message").Bytes(); ok {
		res.Warning = tracker.Text(text)
	}
	if ip, ok := doc.Get("external ip").Bytes(); ok {
		addr, _ := netip.AddrFromSlice(ip) // the zero Addr if it is none
		res.ExternalIP = addr.Unmap()
	}
	readPeers(doc.Get("peers"), res)
	if six, ok := doc.Get("peers6").Bytes(); ok {
		res.Peers6 = append(res.Peers6, whole(six, compact.Peer6Size, len(res.Peers6))...)
	}
	return nil
}

// readPeers reads "peers" in either form.
func readPeers(v bencode.Value, res *tracker.AnnounceResponse) {
	if packed, ok := v.Bytes(); ok {
		res.Peers4 = append(res.Peers4, whole(packed, compact.Peer4Size, 0)...)
		return
	}
	if v.Kind() != bencode.List {
		return
	}
	for c := v.Cursor(); c.Next(); {
		text, _ := c.Value().Get("ip").Bytes()
		port, _ := c.Value().Get("port").Int()
		ip, err := netip.ParseAddr(string(text))
		if err != nil || port < 1 || port > 65535 {
			continue
		}
		addr := netip.AddrPortFrom(ip.Unmap().WithZone(""), uint16(port))
		switch {
		case addr.Addr().Is4() && len(res.Peers4) < maxPeers*compact.Peer4Size:
			res.Peers4 = compact.AppendPeer(res.Peers4, addr)
		case addr.Addr().Is6() && len(res.Peers6) < maxPeers*compact.Peer6Size:
			res.Peers6 = compact.AppendPeer(res.Peers6, addr)
		}
	}
}

// whole cuts b to whole peers of this size, and to as many as there is room for
// next to the had bytes that are there already.
func whole(b []byte, size, had int) []byte {
	n := min(len(b), max(0, maxPeers*size-had))
	return b[:n-n%size]
}

// retryAfter reads when a refusing tracker wants to be asked again. Some say
// "min interval" or "interval" next to the reason instead of "retry in".
func retryAfter(doc bencode.Value) time.Duration {
	retry := doc.Get("retry in")
	text, ok := retry.Bytes()
	if n, isInt := retry.Int(); isInt {
		text, ok = strconv.AppendInt(nil, n, 10), true
	}
	if ok {
		if string(text) == "never" {
			return -1
		}
		if minutes, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32); err == nil {
			return time.Duration(minutes) * time.Minute
		}
	}
	return max(seconds(doc.Get("min interval")), seconds(doc.Get("interval")))
}

// ParseScrapeResponse reads the body of an answer to a scrape: the counts of
// each torrent that the tracker knows, 10,000 at most (BEP 48). Where it does
// not tell downloaders, they are all that are incomplete. The error is as that
// of [ParseAnnounceResponse].
func ParseScrapeResponse(body []byte) (map[[20]byte]tracker.ScrapeStats, error) {
	doc, err := readDoc(body)
	if err != nil {
		return nil, err
	}
	files := doc.Get("files")
	if files.Kind() != bencode.Dict {
		return nil, ErrResponse
	}
	all := map[[20]byte]tracker.ScrapeStats{}
	for c := files.Cursor(); c.Next() && len(all) < maxScraped; {
		if len(c.Key()) != 20 || c.Value().Kind() != bencode.Dict {
			continue
		}
		v := c.Value()
		stats := tracker.ScrapeStats{
			Complete: count(v.Get("complete")), Incomplete: count(v.Get("incomplete")), Downloaded: count(v.Get("downloaded")),
		}
		stats.Downloaders = stats.Incomplete
		if n, ok := v.Get("downloaders").Int(); ok {
			stats.Downloaders = int(max(0, min(n, int64(stats.Incomplete))))
		}
		all[[20]byte(c.Key())] = stats
	}
	return all, nil
}

const maxScraped = 10_000

func seconds(v bencode.Value) time.Duration {
	n, _ := v.Int()
	return time.Duration(max(0, min(n, maxSeconds))) * time.Second
}

func count(v bencode.Value) int {
	n, _ := v.Int()
	return int(max(0, min(n, 1<<31-1)))
}
