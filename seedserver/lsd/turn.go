package lsd

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"
)

const (
	minGap      = time.Minute     // between our datagrams to a group
	lookAgain   = 5 * time.Second // for torrents to name, when there was none
	perTorrent  = 5 * time.Minute // between two that name a torrent
	perSource   = 20              // datagrams of one address that are read in a minute
	inAll       = 600
	maxSources  = 256
	countWindow = time.Minute
)

// A turn decides which torrents are named next. It is pure; the zero value is ready.
type turn struct {
	named map[[20]byte]time.Time
}

// next returns the torrents of all to name now, at most [MaxInfoHashes]: those that were never named, or longest ago.
func (t *turn) next(now time.Time, all [][20]byte) [][20]byte {
	known := t.named
	t.named = make(map[[20]byte]time.Time, len(all)) // those that are gone are forgotten
	var due [][20]byte
	for _, h := range all {
		last, named := known[h]
		if named {
			t.named[h] = last
		}
		if !named || now.Sub(last) >= perTorrent {
			due = append(due, h)
		}
	}
	slices.SortFunc(due, func(a, b [20]byte) int {
		return cmp.Or(t.named[a].Compare(t.named[b]), bytes.Compare(a[:], b[:]))
	})
	due = due[:min(len(due), MaxInfoHashes)]
	for _, h := range due {
		t.named[h] = now
	}
	return due
}

// A meter decides whose datagrams are read. It is pure; the zero value is ready.
type meter struct {
	since time.Time
	all   int
	by    map[netip.Addr]int
}

// allows counts a datagram of from, and reports whether it is read.
func (m *meter) allows(now time.Time, from netip.Addr) bool {
	if m.by == nil || now.Sub(m.since) >= countWindow {
		*m = meter{since: now, by: map[netip.Addr]int{}}
	}
	n, known := m.by[from]
	if m.all >= inAll || n >= perSource || !known && len(m.by) >= maxSources {
		return false
	}
	m.by[from]++
	m.all++
	return true
}
